// Every recipe text that is refused on reading, with the whole message.

import { describe, expect, it } from 'vitest'
import { EngineError } from '../../errors.ts'
import { readRecipeYaml } from './yaml.ts'

const TOP =
  'expected merge_method, base_model, models, slices, parameters, dtype, out_dtype, tokenizer_source, tokenizer, chat_template, alignmerge'
/** A good recipe of two lines; the case stands below it. */
const GOOD = 'models: [{model: a}]\nmerge_method: linear\n'
const REFERENCE = 'expected path[@revision][+lora[@revision]]'

const CASES: [string, string, string][] = [
  // structure
  ['nothing', '', 'the recipe is empty'],
  ['a comment', '# linear', 'the recipe is empty'],
  ['a word', 'linear', 'the recipe: line 1: expected a mapping, found "linear"'],
  ['a list', '- a', 'the recipe: line 1: expected a mapping, found a list'],
  [
    'no YAML',
    'models: [a',
    'the recipe: line 1: not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  ['a tab', 'models:\n\t- a', 'the recipe: line 2: not YAML: Tabs are not allowed as indentation'],
  ['an unknown tag', 'models: !x a', 'the recipe: line 1: not YAML: Unresolved tag: !x'],
  ['a key twice', 'merge_method: a\nmerge_method: b', 'the recipe: line 2: merge_method is given twice'],
  ['a key that is no word', '? [a]\n: b', 'the recipe: line 1: a key must be a word'],
  ['a merge key of words', '<<: a', 'the recipe: line 1: << needs a mapping'],
  [
    'two documents',
    `${GOOD}---\n${GOOD}`,
    'the recipe: line 3: more than one document; several merges in one file (mergekit-multi) are not supported, one file per merge',
  ],
  // keys
  ['no method', 'models: [{model: a}]', 'the recipe: merge_method is missing'],
  [
    'a method that is no word',
    'models: [{model: a}]\nmerge_method: [a]',
    'the recipe: line 2, merge_method: expected a word, found a list',
  ],
  [
    'no models',
    'merge_method: linear',
    'the recipe: exactly one of models and slices is needed, found neither',
  ],
  [
    'models and slices',
    `${GOOD}slices: [{sources: [{model: a, layer_range: [0, 1]}]}]`,
    'the recipe: exactly one of models and slices is needed, found both',
  ],
  ['an unknown key', `${GOOD}colour: red`, `the recipe: line 3, colour: unknown key; ${TOP}`],
  [
    'a misspelt key',
    `${GOOD}base-model: a`,
    `the recipe: line 3, base-model: unknown key, did you mean base_model?; ${TOP}`,
  ],
  [
    'modules',
    'merge_method: linear\nmodules: {text: {models: [{model: a}]}}',
    'the recipe: line 2, modules: modules (models of several modules, such as vision) are not supported',
  ],
  [
    'a merge of several',
    `${GOOD}name: first`,
    'the recipe: line 3, name: several merges in one file (mergekit-multi) are not supported; one file per merge',
  ],
  [
    'an output path',
    `${GOOD}out_path: ./x`,
    'the recipe: line 3, out_path: several merges in one file (mergekit-multi) are not supported; name the output on the command line',
  ],
  [
    'a mixture of experts',
    `${GOOD}gate_mode: hidden`,
    'the recipe: line 3, gate_mode: this is a mergekit-moe recipe; mixtures of experts are not supported',
  ],
  [
    'an evolution',
    `${GOOD}genome: {}`,
    'the recipe: line 3, genome: this is a mergekit-evolve recipe; not supported',
  ],
  // dtypes, tokenizer, template
  [
    'an unknown dtype',
    `${GOOD}dtype: fp16`,
    'the recipe: line 3, dtype: "fp16": expected float32, float16, bfloat16',
  ],
  [
    'a dtype we do not write',
    `${GOOD}out_dtype: float8_e4m3fn`,
    'the recipe: line 3, out_dtype: "float8_e4m3fn": expected float32, float16, bfloat16',
  ],
  [
    'tokenizer keys',
    `${GOOD}tokenizer: {source: union, tokens: [], pad_to_multiple_of: 0.5, extra: 1}`,
    'the recipe has 3 problems:\n- line 3, tokenizer.extra: unknown key; expected source, tokens, pad_to_multiple_of\n- line 3, tokenizer.pad_to_multiple_of: expected a whole number from 1 to 65536, found 0.5\n- line 3, tokenizer.tokens: expected a mapping from tokens, found a list',
  ],
  [
    'rules of tokens',
    `${GOOD}tokenizer: {tokens: {a: {force: true}, b: {source: {kind: mean}}, c: {source: {kind: model_token, model: x, token: t, token_id: 1}}}}`,
    'the recipe has 3 problems:\n- line 3, tokenizer.tokens.a: source is missing\n- line 3, tokenizer.tokens.b.source: kind mean: expected model_token or zero\n- line 3, tokenizer.tokens.c.source: expected either token, a text, or token_id, a whole number',
  ],
  [
    'a tokenizer that is a word',
    `${GOOD}tokenizer: base`,
    'the recipe: line 3, tokenizer: expected a mapping, found "base"',
  ],
  [
    'two tokenizers',
    `${GOOD}tokenizer_source: base\ntokenizer: {source: base}`,
    'the recipe: line 4, tokenizer: tokenizer_source and tokenizer cannot both be given',
  ],
  [
    'a template by name',
    `${GOOD}chat_template: chatml`,
    'the recipe: line 3, chat_template: chatml: templates by name are not supported; give the Jinja text or auto',
  ],
  [
    'a template that is none',
    `${GOOD}chat_template: hello`,
    'the recipe: line 3, chat_template: expected auto or the text of a Jinja template, found "hello"',
  ],
  // models
  [
    'models that are no list',
    'merge_method: linear\nmodels: a',
    'the recipe: line 2, models: expected a list of at least one, found "a"',
  ],
  [
    'an empty list',
    'merge_method: linear\nmodels: []',
    'the recipe: line 2, models: expected a list of at least one, found a list',
  ],
  [
    'a model as a word',
    'merge_method: linear\nmodels: [a]',
    'the recipe: line 2, models[0]: expected a mapping, found "a"',
  ],
  [
    'an entry without model',
    'merge_method: linear\nmodels: [{parameters: {weight: 1}}]',
    'the recipe: line 2, models[0]: model is missing',
  ],
  [
    'an entry with an unknown key',
    'merge_method: linear\nmodels: [{model: a, colour: 1}]',
    'the recipe: line 2, models[0].colour: unknown key; expected model, parameters',
  ],
  [
    'a weight beside its parameters',
    'merge_method: linear\nmodels: [{model: a, weight: 1}]',
    'the recipe: line 2, models[0].weight: belongs into parameters',
  ],
  [
    'layers of a whole model',
    'merge_method: linear\nmodels: [{model: a, layer_range: [0, 1]}]',
    'the recipe: line 2, models[0].layer_range: layers are chosen in slices; models are merged whole',
  ],
  [
    'a seed where others have it',
    `${GOOD}random_seed: 1`,
    'the recipe: line 3, random_seed: mergekit takes its seed from the command line; here it is alignmerge: {seed: N}',
  ],
  [
    'a switch of old',
    `${GOOD}embed_slerp: true`,
    'the recipe: line 3, embed_slerp: mergekit has dropped embed_slerp; remove it',
  ],
  [
    'a model that is a number',
    'merge_method: linear\nmodels: [{model: 7}]',
    'the recipe: line 2, models[0].model: expected a model, found 7',
  ],
  [
    'a model that is nothing',
    'merge_method: linear\nmodels: [{model: }]',
    'the recipe: line 2, models[0].model: expected a model, found nothing',
  ],
  [
    'two revisions',
    'merge_method: linear\nmodels: [{model: a@b@c}]',
    `the recipe: line 2, models[0].model: model "a@b@c": more than one @ in a part; ${REFERENCE}`,
  ],
  [
    'two loras',
    'merge_method: linear\nmodels: [{model: a+b+c}]',
    `the recipe: line 2, models[0].model: model "a+b+c": more than one +; ${REFERENCE}`,
  ],
  [
    'another architecture',
    'merge_method: linear\nmodels: [{model: {model: a, override_architecture: X}}]',
    'the recipe: line 2, models[0].model.override_architecture: override_architecture is not supported; the architecture is that of config.json',
  ],
  [
    'a reference without model',
    'merge_method: linear\nmodels: [{model: {lora: a}}]',
    'the recipe: line 2, models[0].model: model is missing',
  ],
  [
    'a part without path',
    'merge_method: linear\nmodels: [{model: {model: {revision: a}}}]',
    'the recipe: line 2, models[0].model.model: path is missing',
  ],
  [
    'a part with a +',
    'merge_method: linear\nmodels: [{model: {model: a+b}}]',
    'the recipe: line 2, models[0].model.model: a + belongs into the whole reference, not into a part',
  ],
  [
    'a path that is a number',
    'merge_method: linear\nmodels: [{model: {model: {path: 3}}}]',
    'the recipe: line 2, models[0].model.model.path: expected a word, found 3',
  ],
]

describe('refused on reading', () => {
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

  it('everything at once, in the order of the file', () => {
    const text = `merge_method: linear
models:
- model: a@b@c
  parameters:
    weight: .inf
- model: b
  colour: red
dtype: half
modules: {}
`
    expect(() => readRecipeYaml(text)).toThrow(
      new EngineError(
        'file-malformed',
        `the recipe has 5 problems:
- line 3, models[0].model: model "a@b@c": more than one @ in a part; ${REFERENCE}
- line 5, models[0].parameters.weight: expected a finite number, found Infinity
- line 7, models[1].colour: unknown key; expected model, parameters
- line 8, dtype: "half": expected float32, float16, bfloat16
- line 9, modules: modules (models of several modules, such as vision) are not supported`,
      ),
    )
  })

  it('counts what it does not list', () => {
    const text = `${GOOD}${Array.from({ length: 100 }, (_, i) => `key_number_${i}: 1`).join('\n')}`
    expect(() => readRecipeYaml(text)).toThrow(/^the recipe has 100 problems:\n(- .*\n){40}- and 60 more$/)
  })
})
