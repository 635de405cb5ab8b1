import { describe, expect, it } from 'vitest'
import { recipeOfJson, recipeToJson } from './json.ts'
import { planMerge } from './plan.ts'
import { TEST_METHODS, ZOO } from './testMethods.ts'
import { readRecipeYaml, writeRecipeYaml } from './yaml.ts'

const modules = import.meta.glob<string>('./examples/*.yml', {
  query: '?raw',
  import: 'default',
  eager: true,
})
const examples = Object.entries(modules).map(([path, text]): [string, string] => [
  path.replace(/^.*\/|\.yml$/g, ''),
  text,
])

describe('examples', () => {
  it('are there for every method that is named in mergekit’s own', () => {
    expect(examples.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        ...[
          'linear',
          'slerp',
          'ties',
          'dare_ties',
          'dare_linear',
          'della',
          'breadcrumbs',
          'breadcrumbs_ties',
        ],
        ...['model_stock', 'task_arithmetic', 'passthrough', 'layer_ranges', 'nuslerp', 'multislerp'],
        ...['karcher', 'sce', 'arcee_fusion', 'nearswap', 'ram', 'ramplus_tl', 'alignmerge'],
      ]),
    )
  })

  it.each(examples)('%s reads, round-trips through YAML and JSON, and plans over the zoo', (_, text) => {
    const { recipe, lines } = readRecipeYaml(text)
    expect(readRecipeYaml(writeRecipeYaml(recipe)).recipe).toEqual(recipe)
    expect(recipeOfJson(JSON.parse(JSON.stringify(recipeToJson(recipe))))).toEqual(recipe)
    const plan = planMerge(recipe, ZOO, TEST_METHODS, { lines })
    expect(plan.tensors).toHaveLength(3 + 6 * plan.layerCount)
    for (const { sources, base } of plan.tensors) {
      expect(sources.length).toBeGreaterThan(0)
      for (const { model } of sources) expect(plan.models).toContain(model)
      if (base) expect(sources.map(({ model }) => model)).not.toContain(base.model)
    }
  })
})
