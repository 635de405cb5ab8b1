// Made-up decoders of a few thousand weights for model tests: a table of configs that between them turn every
// switch of the engine both ways, seeded weights, and losses in float64 by the slow reference.

import type { ModelConfig, RawConfig } from '../core/model/config.ts'
import { type ReferenceResult, referenceForward } from '../core/model/decoder.reference.ts'
import { listWeights } from '../core/model/families/decoder.ts'
import { readConfig } from '../core/model/families/registry.ts'
import { decodeWeights, encodeWeights, type WeightType } from '../core/tensors/dtype.ts'
import { Random } from '../core/tensors/random.ts'

const shared = {
  vocab_size: 40,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  eos_token_id: 1,
}
const phi3 = { ...shared, architectures: ['Phi3ForCausalLM'], pad_token_id: 0 }
const llama = { ...shared, architectures: ['LlamaForCausalLM'] }
const mistral = { ...shared, architectures: ['MistralForCausalLM'] }
const qwen2 = { ...shared, architectures: ['Qwen2ForCausalLM'] }
// Caps near the size of what they cap, so that they bite.
const gemma2 = {
  ...shared,
  architectures: ['Gemma2ForCausalLM'],
  hidden_activation: 'gelu_pytorch_tanh',
  head_dim: 8,
  query_pre_attn_scalar: 6,
  attn_logit_softcapping: 2,
  final_logit_softcapping: 3,
  sliding_window: 3,
  num_hidden_layers: 3,
}
const longrope = {
  max_position_embeddings: 48,
  original_max_position_embeddings: 8,
  rope_scaling: { type: 'longrope', short_factor: [1, 1.2], long_factor: [1.5, 4] },
}

/** Name → config.json. Odd numbers are on purpose: they take the unaligned paths of every kernel. */
export const TINY_CONFIGS: Record<string, RawConfig> = {
  'phi3, fused, grouped': phi3,
  'phi3, longrope (short and long sequences)': { ...phi3, ...longrope },
  'phi3, partial rotary, no grouping': { ...phi3, num_key_value_heads: 4, partial_rotary_factor: 0.5 },
  'phi3, sliding window of 3': { ...phi3, sliding_window: 3, num_hidden_layers: 3 },
  'phi3, tied, odd vocabulary': { ...phi3, vocab_size: 37, tie_word_embeddings: true },
  'llama, separate': { ...llama, num_hidden_layers: 3, rope_theta: 500 },
  'llama, all biases, tied': { ...llama, attention_bias: true, mlp_bias: true, tie_word_embeddings: true },
  'llama, linear scaling': { ...llama, rope_scaling: { type: 'linear', factor: 2.5 } },
  'llama, llama3 scaling': {
    ...llama,
    head_dim: 8,
    rope_scaling: {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 0.25,
      high_freq_factor: 4,
      original_max_position_embeddings: 32,
    },
  },
  'llama, odd sizes: hidden 18, head 6, inner 26': {
    ...llama,
    hidden_size: 18,
    num_attention_heads: 3,
    num_key_value_heads: 1,
    intermediate_size: 26,
    vocab_size: 41,
    attention_bias: true,
    mlp_bias: true,
  },
  'phi3, odd sizes: hidden 18, head 6, window 4, tied': {
    ...phi3,
    hidden_size: 18,
    num_attention_heads: 3,
    num_key_value_heads: 3,
    intermediate_size: 22,
    vocab_size: 39,
    tie_word_embeddings: true,
    sliding_window: 4,
  },
  'mistral, heads wider than their share, window of 5': {
    ...mistral,
    head_dim: 6,
    sliding_window: 5,
    num_hidden_layers: 3,
  },
  'mistral, heads narrower than their share, no window': { ...mistral, head_dim: 2, sliding_window: null },
  'qwen2, window on the upper layer, tied': {
    ...qwen2,
    use_sliding_window: true,
    sliding_window: 4,
    max_window_layers: 1,
    tie_word_embeddings: true,
  },
  'qwen2, yarn, windows by layer_types': {
    ...qwen2,
    head_dim: 12,
    rope_theta: 100,
    rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 32, beta_fast: 4 },
    use_sliding_window: true,
    sliding_window: 3,
    num_hidden_layers: 3,
    layer_types: ['sliding_attention', 'full_attention', 'full_attention'],
  },
  gemma2: gemma2,
  'gemma2, no caps, untied, biases, odd sizes: hidden 18, head 6, inner 26': {
    ...gemma2,
    hidden_size: 18,
    num_attention_heads: 3,
    num_key_value_heads: 1,
    head_dim: 6,
    intermediate_size: 26,
    vocab_size: 39,
    attn_logit_softcapping: null,
    final_logit_softcapping: null,
    attention_bias: true,
    tie_word_embeddings: false,
    layer_types: ['full_attention', 'sliding_attention', 'full_attention'],
  },
}

/** Sequences of one batch: longer and shorter than the longrope switch, windows, one with a late first target. */
export const TINY_SEQUENCES = [
  { ids: [3, 17, 9, 3, 30, 22, 5], firstTarget: 2 },
  { ids: [8, 3], firstTarget: 1 },
  { ids: [12, 7, 33, 20, 7, 7, 2, 31, 14, 9, 26], firstTarget: 8 },
]

export interface TinyModel {
  config: ModelConfig
  arrays: Map<string, Float32Array>
}

/** Seeded weights, already rounded to `type`: gains around one, whatever the family adds to them, everything else large enough to matter. */
export function tinyModel(raw: RawConfig, type: WeightType = 'f32', seed = 5): TinyModel {
  const config = readConfig(raw)
  const arrays = new Map<string, Float32Array>()
  listWeights(config).forEach(({ name, shape, role }, stream) => {
    const random = new Random(seed, stream)
    const count = shape.reduce((a, b) => a * b, 1)
    const scale = { embedding: 1, head: 0.5, matrix: 1.4 / Math.sqrt(shape[1] ?? 1), gain: 0.3, bias: 0.4 }
    const values = random.normals(count, scale[role])
    if (role === 'gain') for (let i = 0; i < count; i++) values[i] += 1 - config.gainOffset
    arrays.set(name, decodeWeights(encodeWeights(values, type), type))
  })
  return { config, arrays }
}

export interface Targeted {
  ids: readonly number[]
  firstTarget: number
}

/** Loss in nats of every target of one sequence, float64. */
export function referenceLosses(
  config: ModelConfig,
  weights: ReadonlyMap<string, Float64Array | Float32Array>,
  { ids, firstTarget }: Targeted,
): number[] {
  return targetLosses(config, referenceForward(config, weights, ids), ids, firstTarget)
}

function targetLosses(
  { vocabSize: V }: ModelConfig,
  { logits }: ReferenceResult,
  ids: readonly number[],
  firstTarget: number,
): number[] {
  const losses: number[] = []
  for (let t = firstTarget; t < ids.length; t++) {
    const row = logits.subarray((t - 1) * V, t * V)
    const top = Math.max(...row)
    const total = row.reduce((sum, value) => sum + Math.exp(value - top), 0)
    losses.push(Math.log(total) + top - row[ids[t]])
  }
  return losses
}

/** ‖ours − ref‖ / ‖ref‖, infinite when ours is not finite or of another length. */
export function relativeError(ours: ArrayLike<number>, ref: ArrayLike<number>): number {
  if (ours.length !== ref.length) return Number.POSITIVE_INFINITY
  let difference = 0
  let norm = 0
  for (let i = 0; i < ref.length; i++) {
    difference += (ours[i] - ref[i]) ** 2
    norm += ref[i] ** 2
  }
  if (norm === 0) return difference === 0 ? 0 : Number.POSITIVE_INFINITY
  const error = Math.sqrt(difference / norm)
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
}
