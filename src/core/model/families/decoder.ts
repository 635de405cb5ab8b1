// What every decoder-only family shares: the keys of its config, with Llama's values where a family says nothing
// else, and the tensors such a decoder has.

import type { ConfigReader, ModelConfig } from '../config.ts'
import { readRotary } from '../rotary.ts'
import type { WeightSpec } from './family.ts'

/** What a family's keys mean where they are absent, and which of them it has. */
export interface KeyDefaults {
  /** tie_word_embeddings; false */ tied?: boolean
  /** head_dim; hidden_size / num_attention_heads */ headSize?: number
  /** the key that names the gate's activation; hidden_act */ activationKey?: string
  activation?: string
  /** partial_rotary_factor may be below 1; false */ isPartialRotary?: boolean
}

/** GELU by tanh has three names; the one called gelu is by erf, which differs by 5e-4 and is not computed. */
const ACTIVATIONS: Record<string, ModelConfig['activation']> = {
  silu: 'silu',
  swish: 'silu',
  gelu_pytorch_tanh: 'gelu-tanh',
  gelu_new: 'gelu-tanh',
  gelu_fast: 'gelu-tanh',
}

/** Keys by which checkpoints of these families ask for what no family here computes; absent or as given they pass. */
const NOT_COMPUTED: readonly (readonly [key: string, ...computed: (string | number | boolean)[]])[] = [
  ['is_encoder_decoder', false],
  ['add_cross_attention', false],
  ['lm_head_bias', false],
  ['use_bidirectional_attention', false],
  ['use_mrope', false],
  ['rope_interleaved', false],
  ['use_qk_norm', false],
]

/**
 * A decoder with Llama's layout: norms before the blocks, separate projections without biases, no window.
 * A family overrides what it has otherwise. `config-unsupported` names the key that does not fit.
 */
export function readDecoder(config: ConfigReader, family: string, defaults: KeyDefaults = {}): ModelConfig {
  for (const [key, ...computed] of NOT_COMPUTED) config.only(key, ...computed)
  const hiddenSize = config.count('hidden_size')
  const headCount = config.count('num_attention_heads')
  const kvHeadCount = config.count('num_key_value_heads', headCount)
  if (headCount % kvHeadCount !== 0) config.fail('num_key_value_heads', `a divisor of ${headCount} heads`)
  if (config.raw.head_dim == null && defaults.headSize === undefined && hiddenSize % headCount !== 0)
    config.fail('num_attention_heads', `a divisor of hidden_size ${hiddenSize}`)
  const headSize = config.count('head_dim', defaults.headSize ?? hiddenSize / headCount)
  return {
    family,
    hiddenSize,
    headCount,
    kvHeadCount,
    headSize,
    intermediateSize: config.count('intermediate_size'),
    layerCount: config.count('num_hidden_layers'),
    vocabSize: config.count('vocab_size'),
    maxPositions: config.count('max_position_embeddings'),
    normEpsilon: config.number('rms_norm_eps', 1e-6),
    norms: { attention: 'input_layernorm', mlp: 'post_attention_layernorm' },
    gainOffset: 0,
    embeddingScale: 1,
    activation: readActivation(config, defaults),
    scoreScale: headSize ** -0.5,
    scoreCap: 0,
    logitCap: 0,
    tied: config.flag('tie_word_embeddings', defaults.tied ?? false),
    qkvBias: false,
    outputBias: false,
    mlpBias: false,
    fused: false,
    rotary: readRotary(config, headSize, defaults.isPartialRotary ?? false),
    window: () => undefined,
    endTokens: config.tokens('eos_token_id'),
    beginToken: config.tokens('bos_token_id')[0],
    raw: config.raw,
  }
}

function readActivation(
  config: ConfigReader,
  { activationKey = 'hidden_act', activation = 'silu' }: KeyDefaults,
): ModelConfig['activation'] {
  const name = config.raw[activationKey] ?? activation
  const known = typeof name === 'string' && Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined
  return known ?? config.fail(activationKey, `one of ${Object.keys(ACTIVATIONS).join(', ')}`)
}

/** Keys a query sees where a family's layers slide; `absent` where the key is not there, undefined for null: all. */
export function readWindow(config: ConfigReader, absent?: number): number | undefined {
  if (config.raw.sliding_window === null) return undefined
  if (config.raw.sliding_window === undefined) return absent
  return config.count('sliding_window')
}

/** Which layers slide: `layer_types` where it is there, else the family's own rule. */
export function readSlidingLayers(
  config: ConfigReader,
  layerCount: number,
  rule: (layer: number) => boolean,
): (layer: number) => boolean {
  const types = config.raw.layer_types
  if (types === undefined || types === null) return rule
  const isKnown = (type: unknown) => type === 'sliding_attention' || type === 'full_attention'
  if (!Array.isArray(types) || types.length !== layerCount || !types.every(isKnown))
    config.fail('layer_types', `full_attention or sliding_attention for each of ${layerCount} layers`)
  return (layer) => (types as unknown[])[layer] === 'sliding_attention'
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
    norms,
  } = config
  const weights: WeightSpec[] = [{ name: 'model.embed_tokens.weight', shape: [V, C], role: 'embedding' }]
  for (let layer = 0; layer < config.layerCount; layer++) {
    const add = (name: string, shape: number[], role: WeightSpec['role']) =>
      weights.push({ name: `model.layers.${layer}.${name}`, shape, role, layer })
    const project = (name: string, rows: number, columns: number, hasBias: boolean) => {
      add(`${name}.weight`, [rows, columns], 'matrix')
      if (hasBias) add(`${name}.bias`, [rows], 'bias')
    }
    add(`${norms.attention}.weight`, [C], 'gain')
    if (config.fused) project('self_attn.qkv_proj', (H + 2 * G) * D, C, config.qkvBias)
    else {
      project('self_attn.q_proj', H * D, C, config.qkvBias)
      project('self_attn.k_proj', G * D, C, config.qkvBias)
      project('self_attn.v_proj', G * D, C, config.qkvBias)
    }
    project('self_attn.o_proj', C, H * D, config.outputBias)
    if (norms.attentionOutput) add(`${norms.attentionOutput}.weight`, [C], 'gain')
    add(`${norms.mlp}.weight`, [C], 'gain')
    if (config.fused) project('mlp.gate_up_proj', 2 * I, C, config.mlpBias)
    else {
      project('mlp.gate_proj', I, C, config.mlpBias)
      project('mlp.up_proj', I, C, config.mlpBias)
    }
    project('mlp.down_proj', C, I, config.mlpBias)
    if (norms.mlpOutput) add(`${norms.mlpOutput}.weight`, [C], 'gain')
  }
  weights.push({ name: 'model.norm.weight', shape: [C], role: 'gain' })
  if (!config.tied) weights.push({ name: 'lm_head.weight', shape: [V, C], role: 'head' })
  return weights
}
