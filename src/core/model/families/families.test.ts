// What published checkpoints' config.json files say, and what the engine makes of it: parameter counts as published,
// every switch where it differs from the default, and refusals by the key's name of what is not computed.

import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  factors,
  gemma2,
  gemma27,
  llama2,
  llama31,
  llama32,
  mistral1,
  mistral3,
  nemo,
  phi3,
  phi4mini,
  phi35,
  qwen25,
  qwen25small,
} from '../../../testing/publishedConfigs.ts'
import { expectFailure } from '../../../testing/tinyCheckpoint.ts'
import type { ModelConfig, RawConfig } from '../config.ts'
import { listWeights } from './decoder.ts'
import { FAMILIES, readConfig } from './registry.ts'

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
