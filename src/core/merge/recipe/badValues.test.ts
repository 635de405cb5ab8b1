// Slices, values and the extension of recipes that are refused on reading, with the whole message.

import { describe, expect, it } from 'vitest'
import { EngineError } from '../../errors.ts'
import { readRecipeYaml } from './yaml.ts'

/** A good recipe of two lines; the case stands below it. */
const GOOD = 'models: [{model: a}]\nmerge_method: linear\n'
/** One of a model, whose parameters are the case. */
const parameters = (text: string) => `merge_method: linear\nmodels:\n- model: a\n  parameters: {${text}}\n`
const slices = (text: string) => `merge_method: linear\nslices:\n- ${text}\n`

const CASES: [string, string, string][] = [
  // slices
  ['a slice without sources', slices('parameters: {}'), 'the recipe: line 3, slices[0]: sources is missing'],
  [
    'a source without range',
    slices('sources: [{model: a}]'),
    'the recipe: line 3, slices[0].sources[0]: layer_range is missing: [first, end)',
  ],
  [
    'a range of one number',
    slices('sources: [{model: a, layer_range: [0]}]'),
    'the recipe: line 3, slices[0].sources[0].layer_range: expected [first, end) as two whole numbers from 0, found [0]',
  ],
  [
    'a range of halves',
    slices('sources: [{model: a, layer_range: [0, 1.5]}]'),
    'the recipe: line 3, slices[0].sources[0].layer_range: expected [first, end) as two whole numbers from 0, found [0,1.5]',
  ],
  [
    'a range below 0',
    slices('sources: [{model: a, layer_range: [-1, 2]}]'),
    'the recipe: line 3, slices[0].sources[0].layer_range: expected [first, end) as two whole numbers from 0, found [-1,2]',
  ],
  [
    'a range as a word',
    slices('sources: [{model: a, layer_range: 0-4}]'),
    'the recipe: line 3, slices[0].sources[0].layer_range: expected [first, end) as two whole numbers from 0, found "0-4"',
  ],
  [
    'a range without layers',
    slices('sources: [{model: a, layer_range: [2, 2]}]'),
    'the recipe: line 3, slices[0].sources[0].layer_range: [2, 2) holds no layer',
  ],
  [
    'a range backwards',
    slices('sources: [{model: a, layer_range: [3, 1]}]'),
    'the recipe: line 3, slices[0].sources[0].layer_range: [3, 1) holds no layer',
  ],
  [
    'a residual weight',
    slices('sources: [{model: a, layer_range: [0, 1]}]\n  residual_weight: 0.5'),
    'the recipe: line 4, slices[0].residual_weight: mergekit reads residual_weight and uses it nowhere; remove it',
  ],
  [
    'an unknown key in a slice',
    slices('sources: [{model: a, layer_range: [0, 1]}]\n  dtype: float32'),
    'the recipe: line 4, slices[0].dtype: unknown key; expected sources, base_model, parameters',
  ],
  [
    'an unknown key in a source',
    slices('sources: [{model: a, layers: [0, 1], layer_range: [0, 1]}]'),
    'the recipe: line 3, slices[0].sources[0].layers: unknown key; expected model, parameters, layer_range',
  ],
  // values
  [
    'parameters that are a list',
    `${GOOD}parameters: [1]`,
    'the recipe: line 3, parameters: expected parameters by name, found a list',
  ],
  [
    'a value that is nothing',
    parameters('weight: '),
    'the recipe: line 4, models[0].parameters.weight: expected a number, a word, or true or false, found nothing',
  ],
  [
    'an infinite value',
    parameters('weight: -.inf'),
    'the recipe: line 4, models[0].parameters.weight: expected a finite number, found -Infinity',
  ],
  [
    'a value that is no number',
    parameters('weight: [1, .nan]'),
    'the recipe: line 4, models[0].parameters.weight[1]: expected a finite number, found NaN',
  ],
  [
    'an empty gradient',
    parameters('weight: []'),
    'the recipe: line 4, models[0].parameters.weight: a gradient needs at least one value',
  ],
  [
    'a mixed gradient',
    parameters('weight: [1, a]'),
    'the recipe: line 4, models[0].parameters.weight: a gradient needs values of one kind, found [1,"a"]',
  ],
  [
    'a gradient of gradients',
    parameters('weight: [[1]]'),
    'the recipe: line 4, models[0].parameters.weight[0]: expected a number, a word, or true or false, found a list',
  ],
  [
    'a filter outside a list',
    parameters('weight: {filter: mlp, value: 1}'),
    'the recipe: line 4, models[0].parameters.weight: expected a value or a list of {filter, value}, found a mapping',
  ],
  [
    'a filter without value',
    parameters('weight: [{filter: mlp}]'),
    'the recipe: line 4, models[0].parameters.weight[0]: value is missing',
  ],
  [
    'a filter that is a number',
    parameters('weight: [{filter: 3, value: 1}]'),
    'the recipe: line 4, models[0].parameters.weight[0].filter: expected a part of tensor names, found 3',
  ],
  [
    'an empty filter',
    parameters('weight: [{filter: "", value: 1}]'),
    'the recipe: line 4, models[0].parameters.weight[0].filter: expected a part of tensor names, found ""',
  ],
  [
    'a pattern',
    parameters('weight: [{pattern: mlp, value: 1}]'),
    'the recipe: line 4, models[0].parameters.weight[0].pattern: an old key of mergekit; it is called filter now',
  ],
  [
    'filters among numbers',
    parameters('weight: [1, {value: 1}]'),
    'the recipe: line 4, models[0].parameters.weight[0]: expected a mapping, found 1',
  ],
  [
    'filters in filters',
    parameters('weight: [{value: [{value: 1}]}]'),
    'the recipe: line 4, models[0].parameters.weight[0].value[0]: expected a number, a word, or true or false, found a mapping',
  ],
  [
    'a parameter of no name',
    parameters('"a b": 1'),
    'the recipe: line 4, models[0].parameters.a b: expected the name of a parameter',
  ],
  // extension
  [
    'an unknown extension',
    `${GOOD}alignmerge: {probes: x}`,
    'the recipe: line 3, alignmerge.probes: unknown key; expected seed, models',
  ],
  [
    'a seed below 0',
    `${GOOD}alignmerge: {seed: -1}`,
    'the recipe: line 3, alignmerge.seed: expected a whole number below 2^32, found -1',
  ],
  [
    'a seed of 33 bits',
    `${GOOD}alignmerge: {seed: 4294967296}`,
    'the recipe: line 3, alignmerge.seed: expected a whole number below 2^32, found 4294967296',
  ],
  [
    'roles that are a list',
    `${GOOD}alignmerge: {models: [a]}`,
    'the recipe: line 3, alignmerge.models: expected a mapping from roles to models, found a list',
  ],
  [
    'a role of two words',
    `${GOOD}alignmerge: {models: {"a b": x}}`,
    'the recipe: line 3, alignmerge.models.a b: expected a role as one word',
  ],
]

describe('slices and values refused on reading', () => {
  it.each(CASES)('%s', (_, text, message) => {
    let error: unknown
    try {
      readRecipeYaml(text)
    } catch (thrown) {
      error = thrown
    }
    expect((error as Error | undefined)?.message).toBe(message)
    expect(error).toBeInstanceOf(EngineError)
    expect((error as EngineError).code).toBe('file-malformed')
  })
})
