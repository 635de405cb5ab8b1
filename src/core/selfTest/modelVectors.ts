// A tiny model of each family for the self-test: weights from a seed, logits in float64, and for every tensor the slope
// of the loss along a seeded direction, by central differences in float64, which no backward pass has touched.

import type { HostArray } from '../kernels/spec.ts'
import type { RawConfig } from '../model/config.ts'
import { referenceForward } from '../model/decoder.reference.ts'
import { listWeights } from '../model/families/decoder.ts'
import { readConfig } from '../model/families/registry.ts'
import { Random } from '../tensors/random.ts'

export interface ModelVectors {
  family: string
  config: RawConfig
  ids: number[]
  weights: Map<string, Float32Array>
  /** (T,V) float64 rounded to float32 */
  logits: Float64Array
  /** tensor → d mean loss / d along `directionOf(tensor)`, nats */
  slopes: Map<string, number>
}

const SHARED = {
  vocab_size: 24,
  hidden_size: 16,
  intermediate_size: 20,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: false,
}

/** Small configs with the switches that tell the families apart. */
const CONFIGS: readonly RawConfig[] = [
  {
    ...SHARED,
    architectures: ['Phi3ForCausalLM'],
    partial_rotary_factor: 0.5,
    original_max_position_embeddings: 8,
    rope_scaling: { type: 'longrope', short_factor: [1, 1.5], long_factor: [1.2, 4] },
  },
  {
    ...SHARED,
    architectures: ['LlamaForCausalLM'],
    rope_scaling: {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8,
    },
  },
  { ...SHARED, architectures: ['MistralForCausalLM'], sliding_window: 5 },
  { ...SHARED, architectures: ['Qwen2ForCausalLM'], tie_word_embeddings: true },
  {
    ...SHARED,
    architectures: ['Gemma2ForCausalLM'],
    tie_word_embeddings: true,
    head_dim: 12,
    hidden_activation: 'gelu_pytorch_tanh',
    query_pre_attn_scalar: 10,
    sliding_window: 4,
    attn_logit_softcapping: 5,
    final_logit_softcapping: 3,
  },
]

/** One of each family. */
export const MODEL_COUNT = CONFIGS.length

const TOKENS = 11
const STEP = 1e-4

const seedOf = (text: string): number => [...text].reduce((seed, c) => (seed * 31 + c.charCodeAt(0)) >>> 0, 7)

/** ±1 for each element of a tensor, by its name. */
export function directionOf(name: string, count: number): Float64Array {
  const random = new Random(seedOf(name), 1)
  return Float64Array.from({ length: count }, () => (random.uniform() < 0.5 ? -1 : 1))
}

function makeWeights(raw: RawConfig): Map<string, Float32Array> {
  return new Map(
    listWeights(readConfig(raw)).map(({ name, shape, role }) => {
      const random = new Random(seedOf(name), 0)
      const count = shape.reduce((a, b) => a * b, 1)
      const offset = role === 'gain' ? 1 : 0
      return [name, Float32Array.from({ length: count }, () => offset + 0.6 * (random.uniform() * 2 - 1))]
    }),
  )
}

/** Mean cross-entropy of each token from the ones before it, nats. */
function meanLoss(raw: RawConfig, weights: ReadonlyMap<string, Float64Array | Float32Array>, ids: number[]) {
  const config = readConfig(raw)
  const { logits } = referenceForward(config, weights, ids)
  const V = config.vocabSize
  let sum = 0
  for (let t = 1; t < ids.length; t++) {
    const row = logits.subarray((t - 1) * V, t * V)
    const top = row.reduce((a, b) => Math.max(a, b))
    sum += Math.log(row.reduce((total, value) => total + Math.exp(value - top), 0)) + top - row[ids[t]]
  }
  return { loss: sum / (ids.length - 1), logits }
}

function vectorsOf(raw: RawConfig): ModelVectors {
  const { family, vocabSize } = readConfig(raw)
  const random = new Random(11, 2)
  const ids = Array.from({ length: TOKENS }, () => Math.floor(random.uniform() * vocabSize))
  const weights = makeWeights(raw)
  const slopes = new Map<string, number>()
  for (const [name, values] of weights) {
    const direction = directionOf(name, values.length)
    const at = (step: number) => {
      const moved = Float64Array.from(values, (value, i) => value + step * direction[i])
      return meanLoss(raw, new Map<string, Float64Array | Float32Array>([...weights, [name, moved]]), ids)
        .loss
    }
    slopes.set(name, (at(STEP) - at(-STEP)) / (2 * STEP))
  }
  return { family, config: raw, ids, weights, logits: meanLoss(raw, weights, ids).logits, slopes }
}

export const makeModelVectors = (): ModelVectors[] => CONFIGS.map(vectorsOf)

/** Tensors of the vector file. */
export function writeModelVectors({ family, weights, logits, slopes }: ModelVectors) {
  const entry = (name: string, values: Float32Array) => ({
    name: `model/${family}/${name}`,
    dtype: 'F32' as const,
    shape: [values.length],
    bytes: new Uint8Array(values.slice().buffer),
  })
  return [
    ...[...weights].map(([name, values]) => entry(`weight/${name}`, values)),
    entry('logits', Float32Array.from(logits)),
    entry('slopes', Float32Array.from(slopes.values())),
  ]
}

export async function readModelVectors(
  about: Pick<ModelVectors, 'family' | 'config' | 'ids'>,
  read: (name: string) => Promise<HostArray>,
): Promise<ModelVectors> {
  const weights = new Map<string, Float32Array>()
  const names = listWeights(readConfig(about.config)).map(({ name }) => name)
  for (const name of names)
    weights.set(name, Float32Array.from(await read(`model/${about.family}/weight/${name}`)))
  const slopes = await read(`model/${about.family}/slopes`)
  return {
    ...about,
    weights,
    logits: Float64Array.from(await read(`model/${about.family}/logits`)),
    slopes: new Map(names.map((name, i) => [name, slopes[i]])),
  }
}
