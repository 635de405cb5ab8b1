import { describe, expect, it } from 'vitest'
import { type MergePlan, type PlanTensor, planMerge } from './plan.ts'
import { TEST_METHODS, ZOO, zooInput } from './testMethods.ts'
import { readRecipeYaml } from './yaml.ts'

function plan(text: string, inputs = ZOO): MergePlan {
  const { recipe, lines } = readRecipeYaml(text)
  return planMerge(recipe, inputs, TEST_METHODS, { lines })
}

const find = (made: MergePlan, name: string): PlanTensor =>
  made.tensors.find((tensor) => tensor.name === name)!
/** One parameter of source k at the same tensor of every layer. */
const byLayer = (made: MergePlan, rest: string, id: string, k = 0) =>
  made.tensors
    .filter(({ name, layer }) => layer !== undefined && name.endsWith(rest))
    .map(({ sources }) => sources[k].parameters[id])

const DOWN = 'mlp.down_proj.weight'
const QKV = 'self_attn.qkv_proj.weight'

describe('a list of models', () => {
  const made = plan(`
models:
- {model: task-sort, parameters: {weight: 0.3}}
- {model: task-reverse, parameters: {weight: 0.7, density: 0.5}}
merge_method: ties
base_model: anchor
parameters: {density: 0.8, int8_mask: true}
dtype: float32
out_dtype: float16
`)

  it('has every tensor once, in file order, with shape and layer', () => {
    expect(made.tensors.map(({ name }) => name)).toEqual([...ZOO[0].tensors.keys()])
    expect(find(made, `model.layers.3.${DOWN}`)).toEqual({
      name: `model.layers.3.${DOWN}`,
      shape: [64, 160],
      layer: 3,
      sources: [
        { model: 'task-sort', tensor: `model.layers.3.${DOWN}`, parameters: { weight: 0.3, density: 0.8 } },
        {
          model: 'task-reverse',
          tensor: `model.layers.3.${DOWN}`,
          parameters: { weight: 0.7, density: 0.5 },
        },
      ],
      base: { model: 'anchor', tensor: `model.layers.3.${DOWN}` },
      parameters: { normalize: false, rescale: false, lambda: 1, variant: 'mergekit' },
    })
    expect(find(made, 'lm_head.weight')).not.toHaveProperty('layer')
  })

  it('knows types, base, config, tokenizer and what has no effect', () => {
    expect({ ...made, tensors: [] }).toEqual({
      method: 'ties',
      layerCount: 4,
      tensors: [],
      dtype: 'float32',
      outDtype: 'float16',
      configFrom: 'anchor',
      tokenizerFrom: 'anchor',
      baseModel: 'anchor',
      seed: 0,
      roles: {},
      models: ['task-sort', 'task-reverse', 'anchor'],
      notes: [
        'int8_mask has no effect in ties: only the storage type of mergekit’s sign mask; the result is the same',
      ],
    })
  })

  it('is plain data', () => {
    expect(JSON.parse(JSON.stringify(made))).toEqual(made)
  })
})

describe('the base', () => {
  const ties = (models: string) =>
    plan(`models: ${models}\nmerge_method: ties\nbase_model: anchor\nparameters: {weight: 1}`)

  it('is the same whether it is listed or not', () => {
    const listed = ties('[{model: anchor}, {model: safety}]')
    expect(listed).toEqual(ties('[{model: safety}]'))
    expect(listed.tensors[0].sources.map(({ model }) => model)).toEqual(['safety'])
  })

  it('has its own parameters named in a note', () => {
    expect(ties('[{model: anchor, parameters: {weight: 1, density: 1}}, {model: safety}]').notes).toEqual([
      'anchor is the base: its own weight, density is not used, as in mergekit',
    ])
  })

  it('of a method without one is an ordinary model, and gives config and tokenizer', () => {
    const made = plan(
      'models: [{model: safety}, {model: anchor}]\nmerge_method: linear\nbase_model: anchor\nparameters: {weight: 1}',
    )
    expect(made.tensors[0].sources.map(({ model }) => model)).toEqual(['safety', 'anchor'])
    expect(made.tensors[0]).not.toHaveProperty('base')
    expect(made.configFrom).toBe('anchor')
  })

  it('may be left out where the method allows it', () => {
    const text =
      'models: [{model: safety}, {model: task-sort}]\nmerge_method: nuslerp\nparameters: {weight: 1}'
    expect(plan(text).tensors[0]).not.toHaveProperty('base')
    expect(plan(text).configFrom).toBe('safety')
    expect(plan(`${text}\nbase_model: anchor`).tensors[0].base).toEqual({
      model: 'anchor',
      tensor: 'model.embed_tokens.weight',
    })
  })
})

describe('parameters by layer and tensor', () => {
  const slerp = (t: string) =>
    plan(`
slices:
- sources: [{model: anchor, layer_range: [0, 4]}, {model: task-sort, layer_range: [0, 4]}]
merge_method: slerp
base_model: anchor
parameters: {t: ${t}}
`)
  const ts = (made: MergePlan, rest: string) =>
    made.tensors
      .filter(({ name, layer }) => layer !== undefined && name.endsWith(rest))
      .map((x) => x.parameters.t)

  it('gradients run over the layers; embedding, norm and head take the first value', () => {
    const made = slerp('[0.2, 0.8]')
    const expected = [0.2, 0.4, 0.6, 0.8]
    expect(ts(made, DOWN)).toEqual(expected.map((value) => expect.closeTo(value, 14)))
    for (const name of ['model.embed_tokens.weight', 'model.norm.weight', 'lm_head.weight'])
      expect(find(made, name).parameters.t).toBe(0.2)
  })

  it('filters choose by name', () => {
    const made = slerp('[{filter: self_attn, value: [0, 0.3]}, {filter: mlp, value: [1, 0.4]}, {value: 0.5}]')
    expect(ts(made, QKV)).toEqual([0, expect.closeTo(0.1, 14), expect.closeTo(0.2, 14), 0.3])
    expect(ts(made, DOWN)).toEqual([1, expect.closeTo(0.8, 14), expect.closeTo(0.6, 14), 0.4])
    expect(ts(made, 'input_layernorm.weight')).toEqual([0.5, 0.5, 0.5, 0.5])
    expect(find(made, 'lm_head.weight').parameters.t).toBe(0.5)
  })

  it('source before slice before merge, falling through filters that do not fit', () => {
    const made = plan(`
slices:
- sources:
  - {model: anchor, layer_range: [0, 2], parameters: {weight: [{filter: mlp, value: 1}]}}
  - {model: safety, layer_range: [0, 2]}
  parameters: {weight: [{filter: self_attn, value: 2}]}
- sources: [{model: anchor, layer_range: [2, 4]}, {model: safety, layer_range: [2, 4]}]
merge_method: linear
parameters: {weight: 3, normalize: 0}
`)
    expect(byLayer(made, DOWN, 'weight')).toEqual([1, 1, 3, 3])
    expect(byLayer(made, QKV, 'weight')).toEqual([2, 2, 3, 3])
    expect(byLayer(made, DOWN, 'weight', 1)).toEqual([3, 3, 3, 3])
    expect(find(made, 'model.norm.weight').sources[0].parameters.weight).toBe(3)
    expect(made.tensors[0].parameters).toEqual({ normalize: false })
  })

  it('switches and whole numbers are stepped through', () => {
    const made = plan(
      'models: [{model: anchor}, {model: safety}]\nmerge_method: karcher\nparameters: {max_iter: [10, 21]}',
    )
    expect(made.tensors.filter(({ layer }) => layer !== undefined).map((x) => x.parameters.max_iter)).toEqual(
      [...Array(18).fill(10), ...Array(6).fill(21)],
    )
    const flags = plan(
      'models: [{model: anchor}]\nmerge_method: linear\nparameters: {weight: 1, normalize: [0, 1]}',
    )
    expect(find(flags, `model.layers.2.${DOWN}`).parameters.normalize).toBe(false)
    expect(find(flags, `model.layers.3.${DOWN}`).parameters.normalize).toBe(true)
  })

  it('a parameter without default stays out until it is given', () => {
    const stack = (more: string) =>
      plan(`slices: [{sources: [{model: anchor, layer_range: [0, 1]${more}}]}]\nmerge_method: passthrough`)
    expect(stack('').tensors[0].sources[0].parameters).toEqual({})
    expect(stack(', parameters: {scale: 2}').tensors[0].sources[0].parameters).toEqual({ scale: 2 })
  })

  it('a filter that fits no tensor is named in a note', () => {
    expect(slerp('[{filter: mpl, value: 1}, {value: 0}]').notes).toEqual([
      'parameters.t: filter "mpl" is part of no tensor’s name',
    ])
  })
})

describe('stacks', () => {
  const made = plan(`
slices:
- sources: [{model: anchor, layer_range: [0, 3], parameters: {scale: [1, 2]}}]
- sources: [{model: task-sort, layer_range: [1, 2], parameters: {scale: [1, 2]}}]
- sources: [{model: safety, layer_range: [2, 4], parameters: {scale: [{filter: layers.3, value: 5}, {value: 6}]}}]
merge_method: passthrough
`)
  it('take layer i of the result from layer j of the source', () => {
    expect(made.layerCount).toBe(6)
    expect(
      made.tensors
        .filter(({ name }) => name.endsWith(DOWN))
        .map(({ name, layer, sources }) => [name, layer, sources[0].model, sources[0].tensor]),
    ).toEqual([
      [`model.layers.0.${DOWN}`, 0, 'anchor', `model.layers.0.${DOWN}`],
      [`model.layers.1.${DOWN}`, 1, 'anchor', `model.layers.1.${DOWN}`],
      [`model.layers.2.${DOWN}`, 2, 'anchor', `model.layers.2.${DOWN}`],
      [`model.layers.3.${DOWN}`, 3, 'task-sort', `model.layers.1.${DOWN}`],
      [`model.layers.4.${DOWN}`, 4, 'safety', `model.layers.2.${DOWN}`],
      [`model.layers.5.${DOWN}`, 5, 'safety', `model.layers.3.${DOWN}`],
    ])
    expect(made.tensors).toHaveLength(3 + 6 * 6)
  })

  it('take the embedding from the first slice, norm and head from the last', () => {
    expect(find(made, 'model.embed_tokens.weight').sources[0].model).toBe('anchor')
    expect(find(made, 'model.norm.weight').sources[0].model).toBe('safety')
    expect(find(made, 'lm_head.weight').sources[0].model).toBe('safety')
    expect(made.tensors.map(({ name }) => name).filter((name) => !name.includes('layers'))).toEqual([
      'model.embed_tokens.weight',
      'model.norm.weight',
      'lm_head.weight',
    ])
  })

  it('evaluate gradients inside each slice, at t = 1 in a slice of one layer, filters by the source’s name', () => {
    expect(byLayer(made, DOWN, 'scale')).toEqual([1, 1.5, 2, 2, 6, 5])
    expect(find(made, 'model.norm.weight').sources[0].parameters.scale).toBe(6)
  })

  it('may change the base from slice to slice', () => {
    const two = plan(`
slices:
- sources: [{model: anchor, layer_range: [0, 2]}, {model: safety, layer_range: [1, 3]}]
- base_model: task-sort
  sources: [{model: task-sort, layer_range: [0, 1]}, {model: anchor, layer_range: [3, 4]}]
merge_method: task_arithmetic
base_model: anchor
parameters: {weight: 1}
`)
    const at = ({ base, sources }: PlanTensor) => [base, sources.map(({ model, tensor }) => [model, tensor])]
    expect(at(find(two, `model.layers.1.${DOWN}`))).toEqual([
      { model: 'anchor', tensor: `model.layers.1.${DOWN}` },
      [['safety', `model.layers.2.${DOWN}`]],
    ])
    expect(at(find(two, `model.layers.2.${DOWN}`))).toEqual([
      { model: 'task-sort', tensor: `model.layers.0.${DOWN}` },
      [['anchor', `model.layers.3.${DOWN}`]],
    ])
    expect(find(two, 'lm_head.weight').base!.model).toBe('task-sort')
    expect(find(two, 'model.embed_tokens.weight').base!.model).toBe('anchor')
    expect(two.baseModel).toBe('anchor')
  })
})

describe('the rest of a plan', () => {
  const linear =
    'models: [{model: task-sort}, {model: safety}]\nmerge_method: linear\nparameters: {weight: 1}\n'

  it('tied embeddings have no head', () => {
    const tied = ['task-sort', 'safety'].map((name) => zooInput(name, { isTied: true }))
    expect(plan(linear, tied).tensors.map(({ name }) => name)).not.toContain('lm_head.weight')
  })

  it('buffers of older exports are no tensors', () => {
    const old = ['task-sort', 'safety'].map((name, i) => {
      const input = zooInput(name)
      const extra: [string, number[]][] =
        i === 0 ? [['model.layers.0.self_attn.rotary_emb.inv_freq', [8]]] : []
      return { ...input, tensors: new Map([...input.tensors, ...extra]) }
    })
    expect(plan(linear, old).tensors).toHaveLength(27)
  })

  it('output type: out_dtype, dtype, or that of the base', () => {
    expect(plan(linear).outDtype).toBe('bfloat16')
    expect(plan(linear)).not.toHaveProperty('dtype')
    expect(plan(`${linear}dtype: float16`).outDtype).toBe('float16')
    expect(plan(`${linear}dtype: float16\nout_dtype: float32`)).toMatchObject({
      dtype: 'float16',
      outDtype: 'float32',
    })
  })

  it('tokenizer: the one named, else the base’s, else the first model’s', () => {
    expect(plan(linear).tokenizerFrom).toBe('task-sort')
    expect(plan(`${linear}tokenizer_source: uncensored`).tokenizerFrom).toBe('uncensored')
    expect(plan(`${linear}base_model: safety\ntokenizer_source: base`).tokenizerFrom).toBe('safety')
    expect(plan(`${linear}base_model: safety`).tokenizerFrom).toBe('safety')
    expect(plan(`${linear}chat_template: auto`).chatTemplate).toBe('auto')
  })

  it('roles and seed come from the extension', () => {
    const made = plan(`
models: [{model: task-sort, parameters: {weight: 1}}]
merge_method: mergealign
base_model: anchor
alignmerge: {seed: 9, models: {aligned: safety}}
`)
    expect(made).toMatchObject({
      seed: 9,
      roles: { aligned: 'safety' },
      models: ['task-sort', 'anchor', 'safety'],
    })
  })

  it('models are known by their whole reference', () => {
    const made = plan('models: [{model: a@1}, {model: a+l}]\nmerge_method: linear\nparameters: {weight: 1}', [
      zooInput('a@1'),
      zooInput('a+l'),
    ])
    expect(made.models).toEqual(['a@1', 'a+l'])
  })
})
