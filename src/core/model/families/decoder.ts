// The keys that every decoder-only family shares, and the tensors such a decoder has.

import type { ConfigReader, ModelConfig } from '../config.ts'
import type { WeightSpec } from './family.ts'

type Shared = Omit<
  ModelConfig,
  'family' | 'fused' | 'qkvBias' | 'outputBias' | 'mlpBias' | 'rotary' | 'window'
>

export function readDecoder(config: ConfigReader): Shared {
  const hiddenSize = config.count('hidden_size')
  const headCount = config.count('num_attention_heads')
  const kvHeadCount = config.count('num_key_value_heads', headCount)
  if (headCount % kvHeadCount !== 0) config.fail('num_key_value_heads', `a divisor of ${headCount} heads`)
  if (config.raw.head_dim == null && hiddenSize % headCount !== 0)
    config.fail('num_attention_heads', `a divisor of hidden_size ${hiddenSize}`)
  const activation = config.raw.hidden_act ?? 'silu'
  if (activation !== 'silu' && activation !== 'swish') config.fail('hidden_act', 'silu')
  return {
    hiddenSize,
    headCount,
    kvHeadCount,
    headSize: config.count('head_dim', hiddenSize / headCount),
    intermediateSize: config.count('intermediate_size'),
    layerCount: config.count('num_hidden_layers'),
    vocabSize: config.count('vocab_size'),
    maxPositions: config.count('max_position_embeddings'),
    normEpsilon: config.number('rms_norm_eps', 1e-6),
    tied: config.flag('tie_word_embeddings', false),
    endTokens: config.tokens('eos_token_id'),
    beginToken: config.tokens('bos_token_id')[0],
    raw: config.raw,
  }
}

/** Every weight of the model in file order: embedding, layers, final norm, head (absent when tied). */
export function listWeights(config: ModelConfig): WeightSpec[] {
  const {
    hiddenSize: C,
    intermediateSize: I,
    headCount: H,
    kvHeadCount: G,
    headSize: D,
    vocabSize: V,
  } = config
  const weights: WeightSpec[] = [{ name: 'model.embed_tokens.weight', shape: [V, C], role: 'embedding' }]
  for (let layer = 0; layer < config.layerCount; layer++) {
    const add = (name: string, shape: number[], role: WeightSpec['role']) =>
      weights.push({ name: `model.layers.${layer}.${name}`, shape, role, layer })
    const project = (name: string, rows: number, columns: number, hasBias: boolean) => {
      add(`${name}.weight`, [rows, columns], 'matrix')
      if (hasBias) add(`${name}.bias`, [rows], 'bias')
    }
    add('input_layernorm.weight', [C], 'gain')
    if (config.fused) project('self_attn.qkv_proj', (H + 2 * G) * D, C, config.qkvBias)
    else {
      project('self_attn.q_proj', H * D, C, config.qkvBias)
      project('self_attn.k_proj', G * D, C, config.qkvBias)
      project('self_attn.v_proj', G * D, C, config.qkvBias)
    }
    project('self_attn.o_proj', C, H * D, config.outputBias)
    add('post_attention_layernorm.weight', [C], 'gain')
    if (config.fused) project('mlp.gate_up_proj', 2 * I, C, config.mlpBias)
    else {
      project('mlp.gate_proj', I, C, config.mlpBias)
      project('mlp.up_proj', I, C, config.mlpBias)
    }
    project('mlp.down_proj', C, I, config.mlpBias)
  }
  weights.push({ name: 'model.norm.weight', shape: [C], role: 'gain' })
  if (!config.tied) weights.push({ name: 'lm_head.weight', shape: [V, C], role: 'head' })
  return weights
}
