// The vocabulary of the result in mergekit's two spellings, there and back.

import { describe, expect, it } from 'vitest'
import { readRecipeJson, writeRecipeJson } from './json.ts'
import { type Recipe, referencedModels } from './recipe.ts'
import { readRecipeYaml, writeRecipeYaml } from './yaml.ts'

const read = (text: string): Recipe =>
  readRecipeYaml(`merge_method: linear\nmodels: [{model: a}, {model: b}]\nparameters: {weight: 1}\n${text}`)
    .recipe

describe('tokenizers', () => {
  it('of all models, in the older and the newer spelling', () => {
    expect(read('tokenizer_source: union').tokenizerFrom).toBe('union')
    expect(read('tokenizer: {}').tokenizerFrom).toBe('union')
    expect(read('tokenizer: {source: b}').tokenizerFrom).toEqual({ path: 'b' })
  })

  it('with a source for single tokens, written and read again', () => {
    const recipe = read(`tokenizer:
  source: union
  pad_to_multiple_of: 64
  tokens:
    <|im_start|>: {source: b, force: true}
    "<|x|>": {source: {kind: model_token, model: c@main, token_id: 7}}
    "<|y|>": {source: {kind: model_token, model: a, token: "<s>"}}
    "<|z|>": {source: {kind: zero}, force: false}`)
    expect(recipe).toMatchObject({
      tokenizerFrom: 'union',
      padToMultipleOf: 64,
      tokenRules: {
        '<|im_start|>': { source: { kind: 'model', model: { path: 'b' } }, force: true },
        '<|x|>': {
          source: { kind: 'token', model: { path: 'c', revision: 'main' }, token: 7 },
          force: false,
        },
        '<|y|>': { source: { kind: 'token', model: { path: 'a' }, token: '<s>' }, force: false },
        '<|z|>': { source: { kind: 'zero' }, force: false },
      },
    })
    expect(readRecipeYaml(writeRecipeYaml(recipe)).recipe).toEqual(recipe)
    expect(readRecipeJson(writeRecipeJson(recipe))).toEqual(recipe)
    expect(referencedModels(recipe).map(({ path }) => path)).toEqual(['a', 'b', 'c'])
  })
})
