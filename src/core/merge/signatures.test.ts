import { describe, expect, it } from 'vitest'
import type { MethodDeclaration } from './declaration.ts'
import { DECLARATIONS } from './methods/declarations.ts'
import { planMerge } from './recipe/plan.ts'
import { ZOO } from './recipe/testMethods.ts'
import { readRecipeYaml } from './recipe/yaml.ts'
import { signatureOf } from './signatures.ts'

const examples = Object.entries(
  import.meta.glob<string>('./recipe/examples/*.yml', { query: '?raw', import: 'default', eager: true }),
)

const more = { label: '', brief: '', source: 'ours' } as const
const declaration: MethodDeclaration = {
  id: 'any',
  label: 'Any',
  group: 'safety',
  brief: '',
  source: { text: '' },
  provenance: 'ours',
  base: 'required',
  experts: { min: 1, max: 3 },
  material: ['fisher', 'aligned', 'unaligned'],
  parameters: [
    {
      ...more,
      kind: 'number',
      id: 'weight',
      scope: 'model',
      isRequired: true,
      min: 0,
      max: 2,
      default: 1,
      step: 1,
    },
    {
      ...more,
      kind: 'number',
      id: 'steps',
      scope: 'global',
      isInteger: true,
      min: 1,
      max: 9,
      default: 4,
      step: 1,
    },
    { ...more, kind: 'switch', id: 'normalize', scope: 'global', default: true },
    {
      ...more,
      kind: 'choice',
      id: 'variant',
      scope: 'global',
      default: 'a',
      options: [
        { value: 'a', label: '', brief: '' },
        { value: 'b', label: '', brief: '' },
      ],
    },
  ],
}

describe('signatureOf', () => {
  it('keeps what a recipe is checked by', () => {
    expect(signatureOf(declaration)).toEqual({
      id: 'any',
      base: 'required',
      experts: { min: 1, max: 3 },
      parameters: [
        { id: 'weight', scope: 'model', kind: 'number', default: 1, required: true, min: 0, max: 2 },
        { id: 'steps', scope: 'global', kind: 'number', default: 4, isInteger: true, min: 1, max: 9 },
        { id: 'normalize', scope: 'global', kind: 'switch', default: true },
        { id: 'variant', scope: 'global', kind: 'choice', default: 'a', options: ['a', 'b'] },
      ],
      roles: [{ id: 'aligned', required: true }, { id: 'unaligned', required: true }, { id: 'safe' }],
    })
  })

  it('has no roles where no other model is needed', () => {
    expect(signatureOf({ ...declaration, material: ['fisher'] })).not.toHaveProperty('roles')
  })
})

describe('the examples', () => {
  const signatures = DECLARATIONS.map(signatureOf)
  it.each(examples)('%s plans with the method’s own declaration', (_, text) => {
    const { recipe, lines } = readRecipeYaml(text)
    expect(planMerge(recipe, ZOO, signatures, { lines }).tensors.length).toBeGreaterThan(0)
  })
})
