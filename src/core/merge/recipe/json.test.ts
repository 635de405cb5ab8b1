import { describe, expect, it } from 'vitest'
import { EngineError } from '../../errors.ts'
import { readRecipeJson, recipeOfJson, recipeToJson, writeRecipeJson } from './json.ts'
import type { Recipe } from './recipe.ts'

const recipe: Recipe = {
  method: 'ties',
  base: { path: '/a@b', revision: 'r' },
  slices: [
    {
      sources: [
        { model: { path: 'a', lora: { path: 'l' } }, layerRange: [0, 2], parameters: { weight: [0, 1] } },
      ],
      base: { path: 'c' },
      parameters: { t: [{ filter: 'mlp', value: 1 }, { value: 'yes' }] },
    },
  ],
  parameters: { normalize: false },
  dtype: 'float32',
  outDtype: 'float16',
  tokenizerFrom: { path: 'a' },
  chatTemplate: 'auto',
  extension: { seed: 7, models: { aligned: { path: 'x+y' } } },
}

describe('our JSON', () => {
  it('is the recipe with its version, models as text', () => {
    expect(recipeToJson(recipe)).toEqual({
      format: 'alignmerge-recipe',
      version: 1,
      method: 'ties',
      base: { model: { path: '/a@b', revision: 'r' } },
      slices: [
        {
          sources: [{ model: 'a+l', layerRange: [0, 2], parameters: { weight: [0, 1] } }],
          base: 'c',
          parameters: { t: [{ filter: 'mlp', value: 1 }, { value: 'yes' }] },
        },
      ],
      parameters: { normalize: false },
      dtype: 'float32',
      outDtype: 'float16',
      tokenizerFrom: 'a',
      chatTemplate: 'auto',
      extension: { seed: 7, models: { aligned: { model: { path: 'x+y' } } } },
    })
  })

  it('reads back as the same recipe', () => {
    expect(readRecipeJson(writeRecipeJson(recipe))).toEqual(recipe)
    const models: Recipe = {
      method: 'linear',
      models: [{ model: { path: 'a' }, parameters: {} }],
      parameters: {},
      tokenizerFrom: 'base',
    }
    expect(readRecipeJson(writeRecipeJson(models))).toEqual(models)
  })

  const file = { format: 'alignmerge-recipe', version: 1, method: 'linear', models: [{ model: 'a' }] }
  it.each([
    ['[]', 'the recipe: expected format alignmerge-recipe, found undefined'],
    ['null', 'the recipe: expected format alignmerge-recipe, found undefined'],
    ['3', 'the recipe: expected format alignmerge-recipe, found undefined'],
    ['{"format":"other"}', 'the recipe: expected format alignmerge-recipe, found other'],
    [{ ...file, version: 2 }, 'the recipe: version 2; this studio reads version 1'],
    [{ ...file, version: '1' }, 'the recipe: version 1; this studio reads version 1'],
    [
      { ...file, merge_method: 'x' },
      'the recipe: merge_method: unknown key; expected format, version, method, base, models, slices, parameters, dtype, outDtype, tokenizerFrom, tokenizer, chatTemplate, extension',
    ],
    [{ ...file, method: 3 }, 'the recipe: method: expected a word, found 3'],
    [
      { ...file, tokenizerFrom: 'base', tokenizer: { source: 'base' } },
      'the recipe: tokenizer: tokenizerFrom and tokenizer cannot both be given',
    ],
    [{ ...file, dtype: 'f32' }, 'the recipe: dtype: "f32": expected float32, float16, bfloat16'],
    [
      '{"format":"alignmerge-recipe","version":1,"method":"linear","models":[{"model":"a","parameters":{"__proto__":1}}]}',
      'the recipe: models[0].parameters.__proto__: expected the name of a parameter',
    ],
  ])('%j is refused', (value, message) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    expect(() => readRecipeJson(text)).toThrow(new EngineError('file-malformed', message))
  })

  it('says what is no JSON', () => {
    expect(() => readRecipeJson('{')).toThrow(/^the recipe is not JSON: /)
    expect(() => recipeOfJson({ ...file, parameters: { x: () => 1 } })).toThrow(
      new EngineError('file-malformed', 'the recipe: a function is no JSON value'),
    )
  })

  it('refuses depth and length', () => {
    let deep: unknown = 1
    for (let i = 0; i < 1000; i++) deep = [deep]
    expect(() => recipeOfJson({ ...file, parameters: { x: deep } })).toThrow(
      new EngineError('file-malformed', 'the recipe: more than 24 levels deep'),
    )
    expect(() => readRecipeJson(' '.repeat(65537))).toThrow(
      new EngineError('file-malformed', 'the recipe: 65537 characters; expected at most 65536'),
    )
    expect(() => recipeOfJson({ ...file, parameters: { x: Array(100_001).fill(0) } })).toThrow(
      new EngineError('file-malformed', 'the recipe: more than 100000 values'),
    )
  })
})
