// Configs of files that others wrote: what they leave out, what they store otherwise than config.json.

import { describe, expect, it } from 'vitest'
import { expectFailure } from '../../../../testing/tinyCheckpoint.ts'
import { readConfig } from '../../../model/families/registry.ts'
import { rotaryFrequencies } from '../../../model/rotary.ts'
import { readGgufConfig } from './config.ts'
import { shortFloat } from './floats.ts'
import { fitLlama3, llama3Divisors, type RopeTensors } from './ropeScaling.ts'
import type { GgufTensor, GgufValue } from './types.ts'

const f32 = Math.fround

/** Metadata of a model of `architecture` as its converter writes it, keys without the architecture's name. */
function fileOf(
  architecture: string,
  keys: Record<string, GgufValue>,
  tensors: string[] = ['output.weight'],
) {
  const entry = (name: string): [string, GgufTensor] => [
    name,
    { name, dimensions: [64, 100], typeName: 'F16', encoding: 'f16', offset: 0, byteLength: 0 },
  ]
  const usual = {
    embedding_length: 4096,
    block_count: 32,
    context_length: 131072,
    feed_forward_length: 14336,
    'attention.head_count': 32,
    'attention.head_count_kv': 8,
    'attention.layer_norm_rms_epsilon': f32(1e-5),
    'rope.freq_base': f32(500000),
    'rope.dimension_count': 128,
  }
  const metadata = new Map<string, GgufValue>([['general.architecture', architecture]])
  for (const [key, value] of Object.entries({ ...usual, ...keys }))
    metadata.set(key.startsWith('tokenizer.') ? key : `${architecture}.${key}`, value)
  return { file: 'x.gguf', metadata, tensors: new Map(['token_embd.weight', ...tensors].map(entry)) }
}

const configOf = (...args: Parameters<typeof fileOf>) => readGgufConfig(fileOf(...args), {})

describe('shortFloat', () => {
  it.each([
    [1e-5, 1e-5],
    [1e-6, 1e-6],
    [500000, 500000],
    [1.0800000429153442, 1.08],
    [1 / 3, 0.33333334],
    [16777217, 16777216],
    [-2.5e-7, -2.5e-7],
    [0, 0],
  ])('of %d is %d', (value, expected) => {
    expect(shortFloat(f32(value))).toBe(expected)
  })
})

describe('llama3 divisors', () => {
  const published = { factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 8192 }
  const tensor = (scaling: typeof published, pairs = 64) =>
    Float32Array.from(llama3Divisors(scaling, 500000, pairs))

  it('are what the engine divides angles by', () => {
    const rotary = { theta: 500000, size: 128 }
    const plain = rotaryFrequencies({ ...rotary, scaling: { kind: 'default' } }, 10)
    const scaled = rotaryFrequencies({ ...rotary, scaling: { kind: 'llama3', ...published } }, 10)
    llama3Divisors(published, 500000, 64).forEach((divisor, i) => {
      expect(plain[i] / scaled[i]).toBeCloseTo(divisor, 9)
    })
  })

  it.each([
    published,
    { ...published, factor: 32 },
    { ...published, highFrequencyFactor: 3.5, originalMaxPositions: 4096 },
  ])('tell what they were made from: %o', (scaling) => {
    expect(fitLlama3(tensor(scaling), 500000)).toEqual(scaling)
    expect(readGgufConfig(fileOf('llama', {}), { frequencies: tensor(scaling) }).rope_scaling).toEqual({
      rope_type: 'llama3',
      factor: scaling.factor,
      low_freq_factor: 1,
      high_freq_factor: scaling.highFrequencyFactor,
      original_max_position_embeddings: scaling.originalMaxPositions,
    })
  })

  it('of any other making give the same angles', () => {
    const frequencies = Float32Array.from({ length: 64 }, (_, i) => 1 + ((i * 7) % 5) / 4)
    const config = readConfig(readGgufConfig(fileOf('llama', {}), { frequencies }))
    const plain = rotaryFrequencies({ ...config.rotary, scaling: { kind: 'default' } }, 10)
    for (const length of [10, 200000])
      rotaryFrequencies(config.rotary, length).forEach((frequency, i) => {
        expect(plain[i] / frequency / frequencies[i]).toBeCloseTo(1, 6)
      })
    expect(config.rotary.scaling).toMatchObject({ attentionFactor: 1 })
  })

  it('of one are none, of another number are refused', async () => {
    const config = readGgufConfig(fileOf('llama', {}), { frequencies: new Float32Array(64).fill(1) })
    expect(config).not.toHaveProperty('rope_scaling')
    const wrong: RopeTensors = { frequencies: new Float32Array(63).fill(1) }
    await expectFailure(() => readGgufConfig(fileOf('llama', {}), wrong), 'file-malformed', {
      file: 'x.gguf',
    })
  })
})

describe('configs of other writers', () => {
  it('llama: sizes, floats as decimals, ids, biases by their tensors', () => {
    const config = configOf(
      'llama',
      {
        'tokenizer.ggml.bos_token_id': 1,
        'tokenizer.ggml.eos_token_id': 2,
        'tokenizer.ggml.eot_token_id': 32007,
        'tokenizer.ggml.eom_token_id': 32010,
      },
      ['blk.0.attn_q.bias'],
    )
    expect(config).toMatchObject({
      architectures: ['LlamaForCausalLM'],
      vocab_size: 100,
      head_dim: 128,
      rms_norm_eps: 1e-5,
      rope_theta: 500000,
      tie_word_embeddings: true,
      bos_token_id: 1,
      eos_token_id: [2, 32007, 32010],
      attention_bias: true,
      mlp_bias: false,
    })
  })

  it('mistral is told by its window, by a config beside the file, or not at all', () => {
    expect(configOf('llama', {}).model_type).toBe('llama')
    expect(configOf('llama', { 'attention.sliding_window': 4096 })).toMatchObject({
      model_type: 'mistral',
      sliding_window: 4096,
    })
    const beside = readGgufConfig(fileOf('llama', {}), {}, { model_type: 'mistral' })
    expect(beside).toMatchObject({ architectures: ['MistralForCausalLM'], sliding_window: null })
  })

  it('phi3: longrope with the lengths’ own factor or another, partial rotary, window 0 for none', () => {
    const keys = {
      'rope.dimension_count': 96,
      'rope.scaling.original_context_length': 4096,
      'rope.scaling.attn_factor': f32(Math.sqrt(1 + Math.log(32) / Math.log(4096))),
      'attention.sliding_window': 0,
    }
    const factors = { long: new Float32Array(48).fill(f32(1.08)), short: new Float32Array(48).fill(1) }
    const config = readGgufConfig(fileOf('phi3', keys), factors)
    expect(config).toMatchObject({
      original_max_position_embeddings: 4096,
      partial_rotary_factor: 0.75,
      sliding_window: null,
    })
    expect(config.rope_scaling).toEqual({
      type: 'longrope',
      short_factor: Array(48).fill(1),
      long_factor: Array(48).fill(1.08),
    })
    const other = readGgufConfig(fileOf('phi3', { ...keys, 'rope.scaling.attn_factor': 1.5 }), factors)
    expect(other.rope_scaling).toMatchObject({ attention_factor: 1.5 })
  })

  it('yarn and linear scaling', () => {
    const yarn = {
      'rope.scaling.type': 'yarn',
      'rope.scaling.factor': 4,
      'rope.scaling.original_context_length': 32768,
    }
    expect(configOf('qwen2', yarn).rope_scaling).toEqual({
      rope_type: 'yarn',
      factor: 4,
      original_max_position_embeddings: 32768,
    })
    const linear = { 'rope.scaling.type': 'linear', 'rope.scaling.factor': 2.5 }
    expect(configOf('llama', linear).rope_scaling).toEqual({ rope_type: 'linear', factor: 2.5 })
  })

  it('gemma2: scale of scores by head size, in 27B by hidden size; caps; a period of windows', () => {
    const keys = {
      'attention.key_length': 256,
      'attention.value_length': 256,
      'rope.dimension_count': 256,
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
      'attention.sliding_window': 4096,
    }
    expect(configOf('gemma2', keys, [])).toMatchObject({
      query_pre_attn_scalar: 256,
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
      sliding_window: 4096,
      tie_word_embeddings: true,
    })
    expect(configOf('gemma2', { ...keys, block_count: 46 }, []).query_pre_attn_scalar).toBe(128)
    expect(
      configOf('gemma2', { ...keys, 'attention.scale': f32(144 ** -0.5) }, []).query_pre_attn_scalar,
    ).toBe(144)
    const types = configOf(
      'gemma2',
      { ...keys, block_count: 4, 'attention.sliding_window_pattern': 2 },
      [],
    ).layer_types
    expect(types).toEqual(['sliding_attention', 'full_attention', 'sliding_attention', 'full_attention'])
  })

  it('an array that says the same for every layer is one number', async () => {
    expect(configOf('llama', { feed_forward_length: new Int32Array(32).fill(77) }).intermediate_size).toBe(77)
    const mixed = Int32Array.of(...Array(31).fill(77), 78)
    await expectFailure(() => configOf('llama', { feed_forward_length: mixed }), 'file-malformed')
  })

  it.each([
    ['another architecture', 'mamba', {}, 'file-unsupported', 'mamba'],
    ['experts', 'llama', { expert_count: 8 }, 'file-unsupported', '8 experts'],
    ['a logit scale', 'llama', { logit_scale: 0.5 }, 'file-unsupported', 'llama.logit_scale'],
    ['values of another length', 'llama', { 'attention.value_length': 64 }, 'file-malformed', 'value_length'],
    ['a text for a number', 'llama', { context_length: 'long' }, 'file-malformed', 'llama.context_length'],
    [
      'a scaling of another kind',
      'llama',
      { 'rope.scaling.type': 'su', 'rope.scaling.factor': 2 },
      'file-malformed',
      'rope.scaling.type',
    ],
  ] as const)('%s is refused by its key', async (_name, architecture, keys, code, text) => {
    const error = await expectFailure(() => configOf(architecture, keys), code, { file: 'x.gguf' })
    expect(error.message).toContain(text)
  })
})
