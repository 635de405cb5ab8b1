// Families differ in their architecture alone; what each has of its own is switched on where the world's sequences feel
// it; what stands in public/zoo/families is what the recipe says.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodeFolder } from '../src/cli/nodeFolder.ts'
import { openCheckpoint } from '../src/core/files/checkpoint.ts'
import { listWeights } from '../src/core/model/families/decoder.ts'
import { FAMILIES, readConfig } from '../src/core/model/families/registry.ts'
import { rotaryTables } from '../src/core/model/rotary.ts'
import { batch } from '../src/core/train/corpus/sample.ts'
import { microFamilies } from '../src/share/families.ts'
import { main, weightDigests, zooIndex } from './build.ts'
import { families } from './families.ts'
import { builtInForm, models } from './recipe.ts'
import { buildTokenizer } from './tokenizer.ts'
import { initialWeights } from './trainModel.ts'

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
const bytes = ({ buffer }: Float32Array) => Buffer.from(buffer)
const configOf = (id: string) => readConfig(families.find((family) => family.id === id)?.form.architecture)

describe.each(families)('$id', ({ id, form, models: recipes }) => {
  const config = readConfig(form.architecture)
  const weights = listWeights(config)

  it('is the built-in recipe below 0.3 M parameters', () => {
    expect(config.family).toBe(id)
    expect(weights.reduce((sum, { shape }) => sum + count(shape), 0)).toBeLessThan(300_000)
    expect(recipes.map(({ role }) => role)).toEqual(['anchor', 'task', 'uncensored'])
    for (const { name, ...recipe } of recipes) {
      const { name: builtInName, ...builtIn } = models.find((known) => known.id === recipe.id)!
      expect(recipe).toEqual(builtIn)
      expect(name).not.toBe(builtInName)
    }
  })

  it('draws the same first weights every time, zero biases, and spread as it says', () => {
    const [first, again] = [initialWeights(form), initialWeights(form)]
    expect([...first.keys()]).toEqual(weights.map(({ name }) => name))
    for (const { name, shape, role } of weights) {
      const values = first.get(name)!
      expect(Buffer.compare(bytes(values), bytes(again.get(name)!))).toBe(0)
      expect(values).toHaveLength(count(shape))
      const square = values.reduce((sum, value) => sum + value * value, 0) / values.length
      const std = form.initialStd.find(({ ending }) => name.endsWith(ending))?.std ?? Number.NaN
      if (role === 'bias') expect(square).toBe(0)
      else if (role !== 'gain') expect(Math.sqrt(square) / std).toBeCloseTo(1, 1)
    }
  })

  it('stands in public/zoo as the recipe says', async () => {
    const folder = join(import.meta.dirname, '../public/zoo/families', id)
    const json = (path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8'))
    const digests = await weightDigests(folder, recipes)
    expect(Object.keys(digests)).toHaveLength(recipes.length)
    expect(json('index.json')).toEqual(zooIndex(recipes, '../../probes.json', digests))
    expect(json(join('.', json('index.json').probes)).items.length).toBeGreaterThan(0)
    const tokenizer = json('../../anchor/tokenizer.json')
    for (const recipe of recipes) {
      expect(json(`${recipe.id}/config.json`)).toEqual(form.architecture)
      expect(json(`${recipe.id}/tokenizer.json`)).toEqual(tokenizer)
      const checkpoint = await openCheckpoint(await nodeFolder(join(folder, recipe.id)))
      expect(checkpoint.dtype).toBe('bf16')
      expect(checkpoint.config.family).toBe(id)
    }
  })
})

describe('families', () => {
  it('are those that the engine runs and the page offers', () => {
    expect(families.map(({ id }) => id).sort()).toEqual(FAMILIES.map(({ modelType }) => modelType).sort())
    expect(families.map(({ id, form }) => ({ id, name: form.name }))).toEqual(microFamilies)
  })

  it('have switches that bite at the lengths of the world', () => {
    const { tokenizer } = buildTokenizer()
    const lengths = batch(tokenizer, models[0], 0).sequences.map(({ ids }) => ids.length)
    const median = lengths.sort((a, b) => a - b)[lengths.length >> 1]
    expect(configOf('mistral').window(0)).toBeLessThan(median)
    const llama = configOf('llama')
    expect(llama.kvHeadCount).toBeLessThan(llama.headCount)
    const qwen2 = configOf('qwen2')
    expect([qwen2.tied, qwen2.qkvBias]).toEqual([true, true])
    const phi3 = configOf('phi3')
    expect(phi3.rotary.size).toBe(phi3.headSize / 2)
    const gemma2 = configOf('gemma2')
    expect([0, 1, 2, 3].map((layer) => (gemma2.window(layer) ?? Infinity) < median)).toEqual([
      ...[true, false, true, false],
    ])
    expect(gemma2.headCount * gemma2.headSize).toBeGreaterThan(gemma2.hiddenSize)
    expect(gemma2.scoreScale).not.toBeCloseTo(gemma2.headSize ** -0.5, 6)
    // Scaling turns some position of a common sequence by another angle than the plain embedding.
    for (const { rotary } of [llama, phi3]) {
      const tables = (scaling: typeof rotary.scaling) =>
        rotaryTables({ ...rotary, scaling }, [median - 1], [median]).cos
      expect(tables(rotary.scaling)).not.toEqual(tables({ kind: 'default' }))
    }
  })

  it('keep the built-in models what they were', () => {
    const drawn = initialWeights(builtInForm)
    const ends = (name: string) => [0, -1].map((at) => drawn.get(name)?.at(at)?.toFixed(6))
    expect(ends('model.layers.0.self_attn.qkv_proj.weight')[0]).toBe('0.123676')
    expect(ends('lm_head.weight')[1]).toBe('0.124923')
  })

  it('are named when one is asked for that is none', async () => {
    expect(await main(['--family', 'gpt'])).toBe(2)
    expect(await main(['--family', 'llama', '--only', 'safety'])).toBe(2)
  })
})
