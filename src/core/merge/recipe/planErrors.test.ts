// Every recipe that reads well and cannot be merged, with the whole message.

import { describe, expect, it } from 'vitest'
import { EngineError } from '../../errors.ts'
import type { PlanInput } from './inputTensors.ts'
import { planMerge } from './plan.ts'
import { TEST_METHODS, ZOO, zooInput } from './testMethods.ts'
import { readRecipeYaml } from './yaml.ts'

const KNOWN = TEST_METHODS.map(({ id }) => id).join(', ')
const OPEN = 'open are anchor, task-sort, task-reverse, safety, uncensored, anchor+task-sort-lora'
/** Two experts under a method; the case stands below. */
const two = (method: string, more = '') =>
  `models: [{model: task-sort}, {model: safety}]\nmerge_method: ${method}\n${more}`
const slice = (...sources: string[]) =>
  `slices: [{sources: [${sources.map((source) => `{${source}}`).join(', ')}]}]\nmerge_method: linear\nparameters: {weight: 1}`

const CASES: [string, string, string, PlanInput[]?][] = [
  // method
  [
    'an unknown method',
    two('frankenmerge'),
    `line 2, merge_method: "frankenmerge": unknown; known are ${KNOWN}`,
  ],
  [
    'a misspelt method',
    two('linaer'),
    `line 2, merge_method: "linaer": unknown, did you mean linear?; known are ${KNOWN}`,
  ],
  [
    'a method with dashes',
    two('dare-ties'),
    `line 2, merge_method: "dare-ties": unknown, did you mean dare_ties (underscores, not dashes)?; known are ${KNOWN}`,
  ],
  // parameters
  [
    'an unknown parameter',
    two('linear', 'parameters: {weight: 1, colour: 2}'),
    'line 3, parameters.colour: linear has no parameter of this name; it has weight, normalize',
  ],
  [
    'a misspelt parameter',
    two('linear', 'parameters: {weight: 1, normalise: true}'),
    'line 3, parameters.normalise: linear has no parameter of this name, did you mean normalize?; it has weight, normalize',
  ],
  [
    'a parameter of a method without any',
    'models: [{model: safety}]\nmerge_method: arcee_fusion\nbase_model: anchor\nparameters: {t: 1}',
    'line 4, parameters.t: arcee_fusion has no parameter of this name; it has none',
  ],
  [
    'int8_mask where mergekit has none',
    two('linear', 'parameters: {weight: 1, int8_mask: true}'),
    'line 3, parameters.int8_mask: linear has no parameter of this name; it has weight, normalize',
  ],
  [
    'a global parameter at a model',
    'models: [{model: safety, parameters: {weight: 1, normalize: false}}]\nmerge_method: linear',
    'line 1, models[0].parameters.normalize: normalize belongs to the whole merge; move it into parameters of the recipe or of a slice',
  ],
  [
    'too large',
    two('ties', 'base_model: anchor\nparameters: {weight: 1, density: 1.4}'),
    'line 4, parameters.density: 1.4 is outside 0 … 1',
  ],
  [
    'too small inside a gradient',
    two('ties', 'base_model: anchor\nparameters: {weight: 1, density: [1, -0.1]}'),
    'line 4, parameters.density[1]: -0.1 is outside 0 … 1',
  ],
  [
    'too small inside a filter',
    two(
      'ties',
      'base_model: anchor\nparameters: {weight: 1, density: [{filter: mlp, value: [0.5, 2]}, {value: 1}]}',
    ),
    'line 4, parameters.density[0].value[1]: 2 is outside 0 … 1',
  ],
  [
    'too small without upper end',
    'models: [{model: safety}]\nmerge_method: nearswap\nbase_model: anchor\nparameters: {t: -1}',
    'line 4, parameters.t: -1 is outside ≥ 0',
  ],
  [
    'a word for a number',
    two('linear', 'parameters: {weight: heavy}'),
    'line 3, parameters.weight: expected a number, found "heavy"',
  ],
  [
    'a switch for a number',
    two('linear', 'parameters: {weight: true}'),
    'line 3, parameters.weight: expected a number, found true',
  ],
  [
    'a number for a switch',
    two('linear', 'parameters: {weight: 1, normalize: 0.5}'),
    'line 3, parameters.normalize: expected true or false, found 0.5',
  ],
  [
    'a word for a switch',
    two('linear', 'parameters: {weight: 1, normalize: maybe}'),
    'line 3, parameters.normalize: expected true or false, found "maybe"',
  ],
  [
    'an unknown choice',
    two('ties', 'base_model: anchor\nparameters: {weight: 1, variant: mine}'),
    'line 4, parameters.variant: expected mergekit or paper, found "mine"',
  ],
  [
    'half of a whole number',
    two('karcher', 'parameters: {max_iter: 2.5}'),
    'line 3, parameters.max_iter: expected a whole number, found 2.5',
  ],
  [
    'no weight',
    'models: [{model: safety}, {model: task-sort, parameters: {weight: 1}}]\nmerge_method: linear',
    'line 1, models[0]: weight is missing for model.embed_tokens.weight and 26 more tensors; linear needs it',
  ],
  [
    'no weight where no filter fits',
    'models: [{model: safety}]\nmerge_method: linear\nparameters: {weight: [{filter: embed, value: 1}, {filter: layers, value: 1}, {filter: norm, value: 1}]}',
    'line 1, models[0]: weight is missing for lm_head.weight; linear needs it',
  ],
  [
    'no t',
    'models: [{model: safety}]\nmerge_method: slerp\nbase_model: anchor',
    'parameters: t is missing for model.embed_tokens.weight and 26 more tensors; slerp needs it',
  ],
  // models
  [
    'an unknown model',
    'models: [{model: safty}]\nmerge_method: linear\nparameters: {weight: 1}',
    `line 1, models[0]: safty is not open, did you mean safety?; ${OPEN}`,
  ],
  [
    'an unknown revision',
    'models: [{model: anchor@old}]\nmerge_method: linear\nparameters: {weight: 1}',
    `line 1, models[0]: anchor@old is not open, did you mean anchor?; ${OPEN}`,
  ],
  [
    'an unknown base',
    two('ties', 'base_model: nobody\nparameters: {weight: 1}'),
    `line 3, base_model: nobody is not open; ${OPEN}`,
  ],
  ['nothing open', 'models: [{model: a}]\nmerge_method: linear', 'line 1, models[0]: a is not open', []],
  [
    'an unknown tokenizer',
    two('linear', 'tokenizer_source: nobody\nparameters: {weight: 1}'),
    `line 3, tokenizer_source: nobody is not open; ${OPEN}`,
  ],
  [
    'the tokenizer of no base',
    two('linear', 'tokenizer_source: base\nparameters: {weight: 1}'),
    'line 3, tokenizer_source: base, but the recipe has no base_model',
  ],
  [
    'a model twice',
    'models: [{model: safety}, {model: safety}]\nmerge_method: linear\nparameters: {weight: 1}',
    'line 1, models[1]: safety is listed twice; mergekit would keep one of the two, so give it one weight',
  ],
  ['no base', two('ties', 'parameters: {weight: 1}'), 'ties needs a base_model'],
  [
    'a base that is not wanted',
    two('linear', 'base_model: anchor\nparameters: {weight: 1}'),
    'line 3, base_model: linear has no base: mergekit would add anchor to the inputs without parameters; list it among the models or leave it out',
  ],
  [
    'too few models',
    'models: [{model: safety}]\nmerge_method: model_stock\nbase_model: anchor',
    'line 1, models: model_stock merges 2 to 8 models besides the base, found 1',
  ],
  [
    'too many models',
    two('slerp', 'base_model: anchor\nparameters: {t: 0.5}'),
    'line 1, models: slerp merges exactly 1 model besides the base, found 2',
  ],
  [
    'the base alone',
    'models: [{model: anchor}]\nmerge_method: arcee_fusion\nbase_model: anchor',
    'line 1, models: arcee_fusion merges exactly 1 model besides the base, found 0',
  ],
  [
    'two sources in a stack',
    `${slice('model: anchor, layer_range: [0, 1]', 'model: safety, layer_range: [0, 1]').replace('linear\nparameters: {weight: 1}', 'passthrough')}`,
    'line 1, slices[0]: passthrough merges exactly 1 model besides the base, found 2',
  ],
  // slices
  [
    'a range past the end',
    slice('model: anchor, layer_range: [2, 5]'),
    'line 1, slices[0].sources[0].layer_range: [2, 5) of anchor, which has 4 layers',
  ],
  [
    'ranges of other lengths',
    slice('model: anchor, layer_range: [0, 2]', 'model: safety, layer_range: [0, 3]'),
    'line 1, slices[0]: all sources need the same number of layers, found anchor 2, safety 3',
  ],
  [
    'an unknown base of a slice',
    `slices: [{base_model: nobody, sources: [{model: anchor, layer_range: [0, 1]}]}]\nmerge_method: linear\nparameters: {weight: 1}`,
    `line 1, slices[0].base_model: nobody is not open; ${OPEN}`,
  ],
  [
    'a base that is no source',
    `slices: [{sources: [{model: safety, layer_range: [0, 1]}]}]\nmerge_method: ties\nbase_model: anchor\nparameters: {weight: 1}`,
    'line 1, slices[0]: the base anchor is not among the sources, so its layers are not known; add it as a source',
  ],
  // shapes
  [
    'other numbers of layers',
    two('linear', 'parameters: {weight: 1}'),
    'line 1, models: all sources need the same number of layers, found task-sort 4, safety 3',
    [zooInput('task-sort'), zooInput('safety', { layers: 3 })],
  ],
  [
    'another vocabulary',
    two('linear', 'parameters: {weight: 1}'),
    `the recipe has 2 problems:
- model.embed_tokens.weight is [912,64] in task-sort and [920,64] in safety; mergekit would cut all to the common rows, or to the base’s, and lose tokens; refused: say whose vocabulary the result has, tokenizer_source: union, base or a model
- lm_head.weight is [912,64] in task-sort and [920,64] in safety; mergekit would cut all to the common rows, or to the base’s, and lose tokens; refused: say whose vocabulary the result has, tokenizer_source: union, base or a model`,
    [zooInput('task-sort'), zooInput('safety', { vocabulary: 920 })],
  ],
  [
    'a head in one model alone',
    two('linear', 'parameters: {weight: 1}'),
    'safety has no lm_head.weight, which task-sort has',
    [zooInput('task-sort'), zooInput('safety', { isTied: true })],
  ],
  [
    'a head in the other alone',
    two('linear', 'parameters: {weight: 1}'),
    'task-sort has no lm_head.weight, which safety has',
    [zooInput('task-sort', { isTied: true }), zooInput('safety')],
  ],
  // roles
  [
    'a role that is needed',
    'models: [{model: safety, parameters: {weight: 1}}]\nmerge_method: mergealign\nbase_model: anchor',
    'alignmerge.models: mergealign needs a model in the role aligned',
  ],
  [
    'a role of another method',
    two('linear', 'parameters: {weight: 1}\nalignmerge: {models: {aligned: safety}}'),
    'line 4, alignmerge.models.aligned: linear has no such role; it has none',
  ],
  [
    'a misspelt role',
    'models: [{model: task-sort, parameters: {weight: 1}}]\nmerge_method: mergealign\nbase_model: anchor\nalignmerge: {models: {alligned: safety}}',
    `the recipe has 2 problems:
- line 4, alignmerge.models.alligned: mergealign has no such role, did you mean aligned?; it has aligned
- line 4, alignmerge.models: mergealign needs a model in the role aligned`,
  ],
  [
    'an unknown model in a role',
    'models: [{model: task-sort, parameters: {weight: 1}}]\nmerge_method: mergealign\nbase_model: anchor\nalignmerge: {models: {aligned: nobody}}',
    `line 4, alignmerge.models.aligned: nobody is not open; ${OPEN}`,
  ],
  [
    'a role of another shape',
    'models: [{model: task-sort, parameters: {weight: 1}}]\nmerge_method: mergealign\nbase_model: anchor\nalignmerge: {models: {aligned: wide}}',
    'line 4, alignmerge.models: wide has [912,72] for model.embed_tokens.weight [912,64] and 26 more',
    [...ZOO, zooInput('wide', { hidden: 72 })],
  ],
]

describe('refused on planning', () => {
  it.each(CASES)('%s', (_, text, message, inputs = ZOO) => {
    const { recipe, lines } = readRecipeYaml(text)
    let error: unknown
    try {
      planMerge(recipe, inputs, TEST_METHODS, { lines })
    } catch (thrown) {
      error = thrown
    }
    const whole = message.startsWith('the recipe has') ? message : `the recipe: ${message}`
    expect((error as Error | undefined)?.message).toBe(whole)
    expect(error).toBeInstanceOf(EngineError)
    expect((error as EngineError).code).toBe('request-invalid')
  })

  it('everything at once', () => {
    const { recipe, lines } = readRecipeYaml(`models:
- model: safty
- model: task-sort
  parameters:
    density: 2
- model: task-sort
merge_method: ties
base_model: ancor
`)
    expect(() => planMerge(recipe, ZOO, TEST_METHODS, { lines })).toThrow(
      new EngineError(
        'request-invalid',
        `the recipe has 4 problems:
- line 2, models[0]: safty is not open, did you mean safety?; ${OPEN}
- line 5, models[1].parameters.density: 2 is outside 0 … 1
- line 6, models[2]: task-sort is listed twice; mergekit would keep one of the two, so give it one weight
- line 8, base_model: ancor is not open, did you mean anchor?; ${OPEN}`,
      ),
    )
  })

  it('a tensor of another shape inside the layers', () => {
    const narrow = zooInput('safety', { kvHeads: 2 })
    const { recipe } = readRecipeYaml(two('linear', 'parameters: {weight: 1}'))
    const shapes = (layer: number) =>
      `model.layers.${layer}.self_attn.qkv_proj.weight is [192,64] in task-sort and [128,64] in safety; mergekit would skip the tensor with a warning; refused`
    expect(() => planMerge(recipe, [zooInput('task-sort'), narrow], TEST_METHODS)).toThrow(
      new EngineError(
        'request-invalid',
        `the recipe has 4 problems:\n${[0, 1, 2, 3].map((layer) => `- ${shapes(layer)}`).join('\n')}`,
      ),
    )
  })

  it('a model whose layers are named otherwise', () => {
    const odd = { name: 'gpt', layerCount: 2, dtype: 'float32' as const, tensors: new Map([['h.0.w', [2]]]) }
    const { recipe } = readRecipeYaml('models: [{model: gpt}]\nmerge_method: linear\nparameters: {weight: 1}')
    expect(() => planMerge(recipe, [odd], TEST_METHODS)).toThrow(
      /gpt has no tensors named model\.layers\.0\.…/,
    )
  })

  it('recipes that were not read from a file', () => {
    const models = [{ model: { path: 'anchor' }, parameters: { weight: 1 } }]
    const source = { model: { path: 'anchor' }, layerRange: [1, 1] as const, parameters: { weight: 1 } }
    const make = (recipe: object) => () =>
      planMerge({ method: 'linear', parameters: {}, ...recipe }, ZOO, TEST_METHODS)
    expect(make({})).toThrow('the recipe: neither models nor slices are given')
    expect(make({ slices: [] })).toThrow('the recipe: slices: no slice')
    expect(make({ models: [] })).toThrow(
      'the recipe: models: linear merges 1 to 8 models besides the base, found 0',
    )
    expect(make({ slices: [{ sources: [], parameters: {} }] })).toThrow(
      'the recipe: slices[0]: linear merges 1 to 8 models besides the base, found 0',
    )
    expect(make({ models, slices: [{ sources: [source], parameters: {} }] })).toThrow(
      'the recipe: exactly one of models and slices is needed, found both',
    )
    expect(make({ slices: [{ sources: [source], parameters: {} }] })).toThrow(
      'the recipe: slices[0].sources[0].layer_range: [1, 1) holds no layer',
    )
  })
})
