import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Recipe } from './recipe.ts'
import { readRecipeYaml, writeRecipeYaml } from './yaml.ts'

const read = (text: string) => readRecipeYaml(text).recipe

describe('reading', () => {
  it('takes every key of the schema', () => {
    const text = `
slices:
  - sources:
      - model: a@main
        layer_range: [0, 2]
        parameters: {weight: [1, 0.5]}
  - base_model: c
    sources:
      - model: {model: {path: /models/b@2, revision: r}, lora: {path: l}}
        layer_range: [1, 3]
    parameters:
      density: [{filter: mlp, value: 0.5}, {value: [0, 1]}]
`
    const rest = `
merge_method: ties
base_model: c+d@e
parameters:
  normalize: false
  variant: paper
dtype: float32
out_dtype: bfloat16
tokenizer_source: a@main
chat_template: "{% for message in messages %}{{ message }}{% endfor %}"
alignmerge: {seed: 3, models: {aligned: a}}
`
    expect(read(text + rest)).toEqual({
      method: 'ties',
      base: { path: 'c', lora: { path: 'd', revision: 'e' } },
      slices: [
        {
          sources: [
            {
              model: { path: 'a', revision: 'main' },
              layerRange: [0, 2],
              parameters: { weight: [1, 0.5] },
            },
          ],
          parameters: {},
        },
        {
          base: { path: 'c' },
          sources: [
            {
              model: { path: '/models/b@2', revision: 'r', lora: { path: 'l' } },
              layerRange: [1, 3],
              parameters: {},
            },
          ],
          parameters: { density: [{ filter: 'mlp', value: 0.5 }, { value: [0, 1] }] },
        },
      ],
      parameters: { normalize: false, variant: 'paper' },
      dtype: 'float32',
      outDtype: 'bfloat16',
      tokenizerFrom: { path: 'a', revision: 'main' },
      chatTemplate: '{% for message in messages %}{{ message }}{% endfor %}',
      extension: { seed: 3, models: { aligned: { path: 'a' } } },
    } satisfies Recipe)
  })

  it.each([
    [
      'model references in mappings of words',
      'models: [{model: {model: a@r, lora: l}}]\nmerge_method: linear',
      {
        method: 'linear',
        models: [{ model: { path: 'a', revision: 'r', lora: { path: 'l' } }, parameters: {} }],
        parameters: {},
      },
    ],
    [
      'keys that are there and empty',
      'models:\n- model: a\n  parameters:\nmerge_method: linear\nparameters:\nbase_model:\nslices: null\ndtype: ~',
      {
        method: 'linear',
        models: [{ model: { path: 'a' }, parameters: {} }],
        parameters: {},
      },
    ],
    [
      'tokenizer with a source alone',
      'models: [{model: a}]\nmerge_method: linear\ntokenizer: {source: base}',
      {
        method: 'linear',
        models: [{ model: { path: 'a' }, parameters: {} }],
        parameters: {},
        tokenizerFrom: 'base',
      },
    ],
    [
      'the words PyYAML takes for switches',
      'models: [{model: a}]\nmerge_method: linear\nparameters: {a: yes, b: No, c: on, d: OFF, e: "yes", f: y}',
      {
        method: 'linear',
        models: [{ model: { path: 'a' }, parameters: {} }],
        parameters: { a: true, b: false, c: true, d: false, e: 'yes', f: 'y' },
      },
    ],
    [
      'anchors, aliases and merge keys',
      'models: [{model: a, parameters: &p {weight: 1, density: 2}}, {model: b, parameters: {<<: *p, weight: 3}}, {model: c, parameters: {<<: [{x: 1}, *p]}}]\nmerge_method: linear',
      {
        method: 'linear',
        models: [
          { model: { path: 'a' }, parameters: { weight: 1, density: 2 } },
          { model: { path: 'b' }, parameters: { weight: 3, density: 2 } },
          { model: { path: 'c' }, parameters: { x: 1, weight: 1, density: 2 } },
        ],
        parameters: {},
      },
    ],
    [
      'windows line ends, a byte order mark and document marks',
      '\ufeff---\r\nmodels:\r\n- model: a\r\nmerge_method: linear\r\n---\r\n',
      {
        method: 'linear',
        models: [{ model: { path: 'a' }, parameters: {} }],
        parameters: {},
      },
    ],
    [
      'auto for the chat template',
      'models: [{model: a}]\nmerge_method: linear\nchat_template: auto',
      {
        method: 'linear',
        models: [{ model: { path: 'a' }, parameters: {} }],
        parameters: {},
        chatTemplate: 'auto',
      },
    ],
  ] as [string, string, Recipe][])('takes %s', (_, text, recipe) => {
    expect(read(text)).toEqual(recipe)
  })

  it('remembers the line of every place', () => {
    const { lines } = readRecipeYaml(
      'models:\n- model: a\n  parameters:\n\n    weight:\n    - value: 3\nmerge_method: linear\n',
    )
    expect(Object.fromEntries(lines)).toEqual({
      models: 1,
      'models[0]': 2,
      'models[0].model': 2,
      'models[0].parameters': 3,
      'models[0].parameters.weight': 5,
      'models[0].parameters.weight[0].value': 6,
      merge_method: 7,
    })
  })
})

describe('writing', () => {
  const whole: Recipe = {
    method: 'ties',
    base: { path: '/a@b', revision: '1e5' },
    models: [
      { model: { path: 'y' }, parameters: { density: 1e-7, weight: [1, 2.5e-9, -0, 1e21], word: 'no' } },
      {
        model: { path: 'x', lora: { path: 'l+m' } },
        parameters: {
          a: '010',
          b: 'on',
          c: '~',
          d: '1:30',
          e: 'a: b # c',
          f: ' x ',
          g: '- x',
          h: '*a',
          i: '2001-01-01',
        },
      },
    ],
    parameters: {
      t: [{ filter: 'self_attn', value: [0, 0.5] }, { filter: '*', value: ['x', 'no'] }, { value: true }],
    },
    dtype: 'float16',
    outDtype: 'float32',
    tokenizerFrom: { path: 'a+b@c' },
    chatTemplate: '{% for m in messages %}\n  {{ m }}\n{% endfor %}',
    extension: { seed: 4294967295, models: { aligned: { path: 'no' } } },
  }

  it('reads back as the same recipe', () => {
    expect(read(writeRecipeYaml(whole))).toEqual(whole)
  })

  it('reads the same under YAML 1.1, which mergekit’s parser follows', () => {
    const plain = parse(writeRecipeYaml(whole), { version: '1.1' })
    expect(plain.models[1].parameters).toEqual(whole.models![1].parameters)
    expect(plain.models[0]).toEqual({ model: 'y', parameters: whole.models![0].parameters })
    expect(plain.parameters).toEqual(whole.parameters)
  })

  it('writes floats with point and signed exponent, which PyYAML needs', () => {
    const text = writeRecipeYaml(whole)
    expect(text).toContain('density: 1.0e-7\n')
    expect(text).toContain('weight: [1, 2.5e-9, -0, 1.0e+21]\n')
  })

  it('writes a value that stands in two places twice, without anchors', () => {
    const parameters = { weight: [1, 2] }
    const models = ['a', 'b'].map((path) => ({ model: { path }, parameters }))
    expect(writeRecipeYaml({ method: 'linear', models, parameters: {} })).not.toMatch(/[&*]/)
  })

  it('leaves out what is not there', () => {
    const recipe: Recipe = {
      method: 'linear',
      models: [{ model: { path: 'a' }, parameters: {} }],
      parameters: {},
    }
    expect(writeRecipeYaml(recipe)).toBe('models:\n  - model: a\nmerge_method: linear\n')
  })

  it('says above the recipe what mergekit would not do', () => {
    const recipe: Recipe = {
      method: 'ties',
      models: [{ model: { path: 'a' }, parameters: {} }],
      parameters: {},
    }
    const first = (more: Partial<Recipe>) => writeRecipeYaml({ ...recipe, ...more }).split('\n')[0]
    expect(first({})).toBe('models:')
    expect(first({ method: 'tsvm' })).toBe(
      '# mergekit does not know the method tsvm: this recipe is for AlignMerge Studio',
    )
    expect(first({ parameters: { variant: 'paper', lambda: 1 }, extension: { seed: 1 } })).toBe(
      '# mergekit does not read, and ignores: variant, the key alignmerge',
    )
  })
})
