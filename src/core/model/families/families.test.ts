// What published checkpoints' config.json files say, and what the engine makes of it: parameter counts as published,
// every switch where it differs from the default, and refusals by the key's name of what is not computed.

import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { expectFailure } from '../../../testing/tinyCheckpoint.ts'
import type { ModelConfig, RawConfig } from '../config.ts'
import { rotaryAmplitude, rotaryFrequencies } from '../rotary.ts'
import { listWeights } from './decoder.ts'
import { FAMILIES, readConfig } from './registry.ts'

const factors = (count: number, first: number) => Array.from({ length: count }, (_, i) => first + i / 100)

const phi3 = {
  architectures: ['Phi3ForCausalLM'],
  model_type: 'phi3',
  attention_bias: false,
  hidden_act: 'silu',
  hidden_size: 3072,
  intermediate_size: 8192,
  max_position_embeddings: 4096,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 32,
  original_max_position_embeddings: 4096,
  rms_norm_eps: 1e-5,
  rope_scaling: null,
  rope_theta: 10000,
  sliding_window: 2047,
  tie_word_embeddings: false,
  vocab_size: 32064,
}
const phi35 = {
  ...phi3,
  max_position_embeddings: 131072,
  sliding_window: 262144,
  rope_scaling: { type: 'longrope', short_factor: factors(48, 1), long_factor: factors(48, 2) },
}
const phi4mini = {
  ...phi35,
  vocab_size: 200064,
  num_attention_heads: 24,
  num_key_value_heads: 8,
  partial_rotary_factor: 0.75,
  tie_word_embeddings: true,
  full_attn_mod: 1,
  interpolate_factor: 1,
  lm_head_bias: false,
  mlp_bias: false,
}
const llama2 = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_act: 'silu',
  hidden_size: 4096,
  intermediate_size: 11008,
  max_position_embeddings: 4096,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 32,
  pretraining_tp: 2,
  rms_norm_eps: 1e-5,
  rope_scaling: null,
  tie_word_embeddings: false,
  vocab_size: 32000,
}
const llama31 = {
  ...llama2,
  attention_bias: false,
  mlp_bias: false,
  intermediate_size: 14336,
  max_position_embeddings: 131072,
  num_key_value_heads: 8,
  rope_theta: 500000,
  vocab_size: 128256,
  rope_scaling: {
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
    rope_type: 'llama3',
  },
}
const llama32 = {
  ...llama31,
  head_dim: 64,
  hidden_size: 2048,
  intermediate_size: 8192,
  num_hidden_layers: 16,
  tie_word_embeddings: true,
  rope_scaling: { ...llama31.rope_scaling, factor: 32 },
}
const mistral1 = {
  architectures: ['MistralForCausalLM'],
  model_type: 'mistral',
  hidden_act: 'silu',
  hidden_size: 4096,
  intermediate_size: 14336,
  max_position_embeddings: 32768,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  sliding_window: 4096,
  tie_word_embeddings: false,
  vocab_size: 32000,
}
const mistral3 = { ...mistral1, rope_theta: 1000000, sliding_window: null, vocab_size: 32768 }
const nemo = {
  ...mistral3,
  head_dim: 128,
  hidden_size: 5120,
  max_position_embeddings: 1024000,
  num_hidden_layers: 40,
  vocab_size: 131072,
}
const qwen25 = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  hidden_act: 'silu',
  hidden_size: 3584,
  intermediate_size: 18944,
  max_position_embeddings: 32768,
  max_window_layers: 28,
  num_attention_heads: 28,
  num_hidden_layers: 28,
  num_key_value_heads: 4,
  rms_norm_eps: 1e-6,
  rope_theta: 1000000,
  sliding_window: 131072,
  tie_word_embeddings: false,
  use_mrope: false,
  use_sliding_window: false,
  vocab_size: 152064,
}
const qwen25small = {
  ...qwen25,
  hidden_size: 896,
  intermediate_size: 4864,
  max_window_layers: 21,
  num_attention_heads: 14,
  num_hidden_layers: 24,
  num_key_value_heads: 2,
  tie_word_embeddings: true,
  vocab_size: 151936,
}
// As published: no tie_word_embeddings, which is the model code's default.
const gemma2 = {
  architectures: ['Gemma2ForCausalLM'],
  model_type: 'gemma2',
  attention_bias: false,
  attn_logit_softcapping: 50.0,
  cache_implementation: 'hybrid',
  final_logit_softcapping: 30.0,
  head_dim: 256,
  hidden_act: 'gelu_pytorch_tanh',
  hidden_activation: 'gelu_pytorch_tanh',
  hidden_size: 2304,
  intermediate_size: 9216,
  max_position_embeddings: 8192,
  num_attention_heads: 8,
  num_hidden_layers: 26,
  num_key_value_heads: 4,
  query_pre_attn_scalar: 256,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  sliding_window: 4096,
  vocab_size: 256000,
}
const gemma27 = {
  ...gemma2,
  head_dim: 128,
  hidden_size: 4608,
  intermediate_size: 36864,
  num_attention_heads: 32,
  num_hidden_layers: 46,
  num_key_value_heads: 16,
  query_pre_attn_scalar: 144,
}

function parametersOf(config: ModelConfig): number {
  return listWeights(config).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
}

describe('published configs', () => {
  // Counts as the model pages give them.
  test.each<[name: string, raw: RawConfig, parameters: number, told: Partial<ModelConfig>]>([
    ['Phi-3-mini-4k', phi3, 3_821_079_552, { fused: true, tied: false, headSize: 96 }],
    ['Phi-3.5-mini', phi35, 3_821_079_552, { fused: true, tied: false, maxPositions: 131072 }],
    ['Phi-4-mini', phi4mini, 3_836_021_760, { fused: true, tied: true, headSize: 128 }],
    ['Llama-2-7B', llama2, 6_738_415_616, { tied: false, kvHeadCount: 32, scoreCap: 0, logitCap: 0 }],
    ['Llama-3.1-8B', llama31, 8_030_261_248, { kvHeadCount: 8, gainOffset: 0, embeddingScale: 1 }],
    ['Llama-3.2-1B', llama32, 1_235_814_400, { tied: true, headSize: 64, scoreScale: 0.125 }],
    ['Mistral-7B-v0.1', mistral1, 7_241_732_096, { activation: 'silu', headSize: 128 }],
    ['Mistral-7B-v0.3', mistral3, 7_248_023_552, { qkvBias: false, outputBias: false }],
    ['Mistral-Nemo', nemo, 12_247_782_400, { headSize: 128, hiddenSize: 5120 }],
    ['Qwen2.5-7B', qwen25, 7_615_616_512, { qkvBias: true, outputBias: false }],
    ['Qwen2.5-0.5B', qwen25small, 494_032_768, { tied: true, headSize: 64 }],
    [
      'Gemma-2-2B',
      gemma2,
      2_614_341_888,
      { tied: true, gainOffset: 1, embeddingScale: 48, scoreScale: 1 / 16 },
    ],
    [
      'Gemma-2-27B',
      gemma27,
      27_227_128_320,
      { scoreScale: 1 / 12, scoreCap: 50, logitCap: 30, headSize: 128 },
    ],
  ])('%s', (_name, raw, parameters, told) => {
    const config = readConfig(raw)
    expect(parametersOf(config)).toBe(parameters)
    expect(config).toMatchObject(told)
    expect(config.family).toBe(raw.model_type)
  })

  const windows = (raw: RawConfig, layers: number[]) => layers.map((layer) => readConfig(raw).window(layer))

  test('windows stand where the families slide', () => {
    expect(windows(phi3, [0, 31])).toEqual([2047, 2047])
    expect(windows({ ...phi3, sliding_window: undefined }, [0])).toEqual([undefined])
    expect(windows(phi35, [5])).toEqual([262144])
    expect(windows(llama31, [0])).toEqual([undefined])
    expect(windows(mistral1, [0, 31])).toEqual([4096, 4096])
    expect(windows(mistral3, [0])).toEqual([undefined])
    // Absent is the default of Mistral's model code, not null.
    expect(windows({ ...mistral3, sliding_window: undefined }, [0])).toEqual([4096])
    expect(windows(qwen25, [0, 27])).toEqual([undefined, undefined])
    const sliding = { ...qwen25, use_sliding_window: true, max_window_layers: 21 }
    expect(windows(sliding, [20, 21])).toEqual([undefined, 131072])
    const types = Array.from({ length: 28 }, (_, l) => (l === 3 ? 'sliding_attention' : 'full_attention'))
    expect(windows({ ...sliding, layer_types: types }, [2, 3, 21])).toEqual([undefined, 131072, undefined])
    expect(windows(gemma2, [0, 1, 2, 25])).toEqual([4096, undefined, 4096, undefined])
    const flipped = Array.from({ length: 26 }, (_, l) => (l % 2 ? 'sliding_attention' : 'full_attention'))
    expect(windows({ ...gemma2, layer_types: flipped }, [0, 1])).toEqual([undefined, 4096])
    expect(windows({ ...gemma2, sliding_window: null }, [0])).toEqual([undefined])
  })

  test("Gemma 2's caps are off where they are null and its own where they are absent", () => {
    const read = (changes: RawConfig) => {
      const { scoreCap, logitCap } = readConfig({ ...gemma2, ...changes })
      return [scoreCap, logitCap]
    }
    expect(read({ attn_logit_softcapping: null })).toEqual([0, 30])
    expect(read({ final_logit_softcapping: null })).toEqual([50, 0])
    expect(read({ attn_logit_softcapping: undefined, final_logit_softcapping: undefined })).toEqual([50, 30])
    // hidden_act is not what this model reads.
    expect(readConfig({ ...gemma2, hidden_act: 'gelu', hidden_activation: undefined }).activation).toBe(
      'gelu-tanh',
    )
  })

  test('biases come with the config', () => {
    const names = (raw: RawConfig) =>
      listWeights(readConfig(raw)).flatMap(({ name, layer }) =>
        layer === 0 && name.endsWith('.bias') ? [name.replace(/^.*\.(\w+)\.bias$/, '$1')] : [],
      )
    expect(names(llama31)).toEqual([])
    expect(names({ ...llama31, attention_bias: true })).toEqual(['q_proj', 'k_proj', 'v_proj', 'o_proj'])
    expect(names({ ...llama31, mlp_bias: true })).toEqual(['gate_proj', 'up_proj', 'down_proj'])
    expect(names(qwen25)).toEqual(['q_proj', 'k_proj', 'v_proj'])
    expect(names({ ...gemma2, attention_bias: true })).toEqual(['q_proj', 'k_proj', 'v_proj', 'o_proj'])
  })
})

describe('rotary positions', () => {
  const rotaryOf = (raw: RawConfig) => readConfig(raw).rotary

  test("Phi-3's longrope has two names, and short and long factors by the whole sequence's length", () => {
    const { scaling } = rotaryOf(phi35)
    expect(rotaryOf({ ...phi35, rope_scaling: { ...phi35.rope_scaling, type: 'su' } }).scaling).toEqual(
      scaling,
    )
    expect(rotaryAmplitude(rotaryOf(phi35))).toBeCloseTo(Math.sqrt(1 + Math.log(32) / Math.log(4096)), 14)
    expect(rotaryFrequencies(rotaryOf(phi35), 4096)[47]).toBeCloseTo(10000 ** (-94 / 96) / 1.47, 14)
    expect(rotaryFrequencies(rotaryOf(phi35), 4097)[47]).toBeCloseTo(10000 ** (-94 / 96) / 2.47, 14)
    expect(rotaryOf(phi4mini).size).toBe(96)
    // A config without the original length says the factor itself.
    const { original_max_position_embeddings: _, ...rest } = phi35
    const given = {
      ...rest,
      rope_scaling: { ...phi35.rope_scaling, factor: 4 },
      max_position_embeddings: 4096,
    }
    expect(rotaryAmplitude(rotaryOf(given))).toBeCloseTo(Math.sqrt(1 + Math.log(4) / Math.log(4096)), 14)
    const told = { ...phi35.rope_scaling, attention_factor: 1.25 }
    expect(rotaryAmplitude(rotaryOf({ ...phi35, rope_scaling: told }))).toBe(1.25)
  })

  const yarn = { type: 'yarn', factor: 4, original_max_position_embeddings: 32768 }

  test("YaRN as Qwen 2.5's cards tell people to set it", () => {
    const rotary = rotaryOf({ ...qwen25, rope_scaling: yarn })
    expect(rotaryAmplitude(rotary)).toBeCloseTo(1.138629436111989, 14)
    const found = rotaryFrequencies(rotary, 1)
    const plain = rotaryFrequencies(rotaryOf(qwen25), 1)
    // 128 ln(32768 / 64π) / (2 ln 10⁶) = 23.6 and 128 ln(32768 / 2π) / (2 ln 10⁶) = 39.7: pairs up to 23 turn 32 times
    // or more within 32768 positions and are kept, those from 40 on turn less than once and are divided.
    for (const i of [0, 10, 23]) expect(found[i] / plain[i]).toBe(1)
    for (const i of [40, 50, 63]) expect(found[i] / plain[i]).toBeCloseTo(0.25, 14)
    expect(found[24] / plain[24]).toBeCloseTo(16 / 17 + 1 / 17 / 4, 14)
    expect(found[30] / plain[30]).toBeCloseTo(10 / 17 + 7 / 17 / 4, 14)
    // The same whatever the length, in any family, in both spellings.
    expect(rotaryFrequencies(rotary, 100_000)).toEqual(found)
    const { rope_theta: _, ...rest } = qwen25
    const newer = {
      ...rest,
      rope_parameters: { ...yarn, type: undefined, rope_type: 'yarn', rope_theta: 1e6 },
    }
    expect(rotaryOf(newer)).toEqual(rotary)
    expect(rotaryOf({ ...mistral3, rope_scaling: yarn }).scaling).toEqual(rotary.scaling)
  })

  test("YaRN's further keys", () => {
    const read = (changes: RawConfig) => rotaryOf({ ...qwen25, rope_scaling: { ...yarn, ...changes } })
    expect(rotaryAmplitude(read({ attention_factor: 1.5 }))).toBe(1.5)
    expect(rotaryAmplitude(read({ mscale: 2, mscale_all_dim: 1 }))).toBeCloseTo(
      (0.2 * Math.log(4) + 1) / (0.1 * Math.log(4) + 1),
      14,
    )
    expect(rotaryAmplitude(read({ factor: 0.5 }))).toBe(1)
    // Without the original length it is the config's, and without a factor the ratio of the two.
    expect(read({ original_max_position_embeddings: undefined }).scaling).toEqual(read({}).scaling)
    expect(
      rotaryOf({ ...qwen25, max_position_embeddings: 131072, rope_scaling: { ...yarn, factor: undefined } })
        .scaling,
    ).toEqual(read({}).scaling)
    const plain = rotaryFrequencies(rotaryOf(qwen25), 1)
    const ratio = (changes: RawConfig, i: number) => rotaryFrequencies(read(changes), 1)[i] / plain[i]
    // Bounds of the ramp not rounded to whole pairs.
    const low = (128 * Math.log(32768 / (64 * Math.PI))) / (2 * Math.log(1e6))
    const high = (128 * Math.log(32768 / (2 * Math.PI))) / (2 * Math.log(1e6))
    expect(ratio({ truncate: false }, 30)).toBeCloseTo(1 - (0.75 * (30 - low)) / (high - low), 14)
    // Bounds that meet: one pair kept, the next divided.
    expect(ratio({ beta_fast: 8, beta_slow: 8, truncate: false }, 30)).toBe(1)
    expect(ratio({ beta_fast: 8, beta_slow: 8, truncate: false }, 31)).toBeCloseTo(0.25, 14)
  })

  test('rope_parameters, the newer spelling, says what the older keys say', () => {
    const { rope_theta, rope_scaling, partial_rotary_factor, ...rest } = phi4mini
    const newer = { ...rest, rope_parameters: { ...rope_scaling, rope_theta, partial_rotary_factor } }
    expect(rotaryOf(newer)).toEqual(rotaryOf(phi4mini))
    const { rope_theta: theta, ...gemma } = gemma2
    expect(rotaryOf({ ...gemma, rope_parameters: { rope_theta: theta, rope_type: 'default' } })).toEqual(
      rotaryOf(gemma2),
    )
  })
})

describe('refusals', () => {
  test.each<[key: string, raw: RawConfig]>([
    ['rope_scaling', { ...qwen25, rope_scaling: { type: 'dynamic', factor: 2 } }],
    ['rope_scaling', { ...llama31, rope_scaling: { rope_type: 'ntk', factor: 2 } }],
    ['rope_scaling', { ...llama31, rope_scaling: { rope_type: 7 } }],
    ['rope_parameters', { ...llama31, rope_scaling: null, rope_parameters: { rope_type: 'proportional' } }],
    ['full_attention', { ...gemma2, rope_parameters: { full_attention: { rope_type: 'default' } } }],
    ['mrope_section', { ...qwen25, rope_scaling: { type: 'default', mrope_section: [16, 24, 24] } }],
    ['short_mscale', { ...phi35, rope_scaling: { ...phi35.rope_scaling, short_mscale: 1.1 } }],
    ['short_factor', { ...phi35, rope_scaling: { ...phi35.rope_scaling, short_factor: factors(47, 1) } }],
    ['short_factor', { ...phi35, rope_scaling: { ...phi35.rope_scaling, type: 'yarn', factor: 2 } }],
    ['factor', { ...llama31, rope_scaling: { type: 'linear', factor: 0 } }],
    ['factor', { ...llama31, rope_scaling: { type: 'yarn', factor: -4 } }],
    ['rope_theta', { ...llama31, rope_theta: 1 }],
    ['partial_rotary_factor', { ...llama31, partial_rotary_factor: 0.5 }],
    ['head_dim', { ...gemma2, head_dim: 255 }],
    ['hidden_act', { ...llama31, hidden_act: 'gelu' }],
    ['hidden_act', { ...llama31, hidden_act: 'toString' }],
    ['hidden_activation', { ...gemma2, hidden_activation: 'gelu' }],
    ['query_pre_attn_scalar', { ...gemma2, query_pre_attn_scalar: 0 }],
    ['attn_logit_softcapping', { ...gemma2, attn_logit_softcapping: 0 }],
    ['final_logit_softcapping', { ...gemma2, final_logit_softcapping: -30 }],
    ['use_bidirectional_attention', { ...gemma2, use_bidirectional_attention: true }],
    ['layer_types', { ...gemma2, layer_types: ['full_attention'] }],
    ['layer_types', { ...gemma2, layer_types: Array(26).fill('chunked_attention') }],
    ['layer_types', { ...qwen25, use_sliding_window: true, layer_types: 'sliding_attention' }],
    ['sliding_window', { ...mistral1, sliding_window: 0 }],
    ['attention_bias', { ...phi3, attention_bias: true }],
    ['mlp_bias', { ...mistral1, mlp_bias: true }],
    ['full_attn_mod', { ...phi4mini, full_attn_mod: 2 }],
    ['lm_head_bias', { ...phi4mini, lm_head_bias: true }],
    ['use_mrope', { ...qwen25, use_mrope: true }],
    ['rope_interleaved', { ...llama32, rope_interleaved: true }],
    ['num_key_value_heads', { ...llama31, num_key_value_heads: 5 }],
    ['num_attention_heads', { ...llama2, num_attention_heads: 30, num_key_value_heads: 30 }],
    ['tie_word_embeddings', { ...llama31, tie_word_embeddings: 'yes' }],
  ])('%s', async (key, raw) => {
    const error = await expectFailure(() => readConfig(raw, 'x/config.json'), 'config-unsupported', {
      file: 'x/config.json',
    })
    expect(error.message).toContain(`config key ${key}: `)
  })

  test('of another architecture name those that run', async () => {
    const error = await expectFailure(
      () => readConfig({ ...gemma2, architectures: ['Gemma3ForCausalLM'] }),
      'config-unsupported',
    )
    for (const { architecture } of FAMILIES) expect(error.message).toContain(architecture)
  })
})

test('every folder is a family of that name', () => {
  const folders = readdirSync(new URL('.', import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  expect(FAMILIES.map(({ modelType }) => modelType)).toEqual(folders.sort())
})
