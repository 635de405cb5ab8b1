// The truth that decoders are compared with: one sequence through any family's decoder in plain float64
// loops, Hugging Face semantics, written for reading. No GPU, no batching, cost O(T² C + T C I) per layer:
// tiny models only.

import { EngineError } from '../errors.ts'
import { softCap } from '../kernels/shared/softCap.reference.ts'
import type { ModelConfig } from './config.ts'
import { listWeights } from './families/decoder.ts'
import { rotaryAmplitude, rotaryFrequencies } from './rotary.ts'

export type ReferenceWeights = ReadonlyMap<string, Float64Array | Float32Array>

export interface ReferenceResult {
  /** (T,V) */
  logits: Float64Array
  /** L+1 times (T,C): the embedding output, then the residual stream after each layer, before the final norm */
  hidden: Float64Array[]
}

/**
 * Runs `ids` (T) from position 0 through the model whose `weights` carry Hugging Face names, matrices [out, in].
 * `onInput` is given the input (T,in) of every linear layer, by the name of its weight; of a tied head too.
 * `shape-mismatch` names a weight that is absent or of another size; `request-invalid` a token outside V.
 */
export function referenceForward(
  config: ModelConfig,
  weights: ReferenceWeights,
  ids: ArrayLike<number>,
  onInput?: (weight: string, x: Float64Array) => void,
): ReferenceResult {
  const {
    hiddenSize: C,
    intermediateSize: I,
    vocabSize: V,
    headCount: H,
    kvHeadCount: G,
    headSize: D,
    norms,
  } = config
  checkWeights(config, weights)
  const length = ids.length
  const embedding = weights.get('model.embed_tokens.weight')!
  let stream = new Float64Array(length * C)
  for (let t = 0; t < length; t++) {
    const id = ids[t]
    if (!(Number.isInteger(id) && id >= 0 && id < V))
      throw new EngineError('request-invalid', `token ${id} at position ${t}: expected 0 to ${V - 1}`)
    for (let i = 0; i < C; i++) stream[t * C + i] = embedding[id * C + i] * config.embeddingScale
  }
  const hidden = [stream]
  const linear = (x: Float64Array, columns: number, name: string, rows: number) => {
    onInput?.(`${name}.weight`, x)
    return multiply(x, columns, weights.get(`${name}.weight`)!, rows, weights.get(`${name}.bias`))
  }
  const norm = (x: Float64Array, name: string) =>
    rmsNorm(x, weights.get(`${name}.weight`)!, config.gainOffset, config.normEpsilon)

  for (let layer = 0; layer < config.layerCount; layer++) {
    const prefix = `model.layers.${layer}`
    const attention = `${prefix}.self_attn`
    const x = norm(stream, `${prefix}.${norms.attention}`)
    const [q, k, v] = config.fused
      ? columnGroups(linear(x, C, `${attention}.qkv_proj`, (H + 2 * G) * D), [H * D, G * D, G * D])
      : [
          linear(x, C, `${attention}.q_proj`, H * D),
          linear(x, C, `${attention}.k_proj`, G * D),
          linear(x, C, `${attention}.v_proj`, G * D),
        ]
    rotate(config, q, H, length)
    rotate(config, k, G, length)
    const mixed = attend(config, q, k, v, config.window(layer))
    const attended = linear(mixed, H * D, `${attention}.o_proj`, C)
    const ofBlock = (output: Float64Array, name?: string) =>
      name ? norm(output, `${prefix}.${name}`) : output
    const afterAttention = add(stream, ofBlock(attended, norms.attentionOutput))

    const y = norm(afterAttention, `${prefix}.${norms.mlp}`)
    const [gate, up] = config.fused
      ? columnGroups(linear(y, C, `${prefix}.mlp.gate_up_proj`, 2 * I), [I, I])
      : [linear(y, C, `${prefix}.mlp.gate_proj`, I), linear(y, C, `${prefix}.mlp.up_proj`, I)]
    const gated = gate.map((g, i) => activate(config, g) * up[i])
    const down = linear(gated, I, `${prefix}.mlp.down_proj`, C)
    stream = add(afterAttention, ofBlock(down, norms.mlpOutput))
    hidden.push(stream)
  }
  const head = config.tied ? 'model.embed_tokens' : 'lm_head'
  const logits = linear(norm(stream, 'model.norm'), C, head, V)
  return { logits: logits.map((logit) => softCap(logit, config.logitCap)), hidden }
}

function checkWeights(config: ModelConfig, weights: ReferenceWeights): void {
  for (const { name, shape } of listWeights(config)) {
    const expected = shape.reduce((a, b) => a * b, 1)
    const found = weights.get(name)?.length
    if (found !== expected)
      throw new EngineError(
        'shape-mismatch',
        `expected ${expected} elements, found ${found ?? 'no tensor'}`,
        {
          tensor: name,
        },
      )
  }
}

/** x (T,columns) · weightᵀ (rows,columns) + bias (rows) → (T,rows) */
function multiply(
  x: Float64Array,
  columns: number,
  weight: ArrayLike<number>,
  rows: number,
  bias?: ArrayLike<number>,
): Float64Array<ArrayBuffer> {
  const length = x.length / columns
  const y = new Float64Array(length * rows)
  for (let t = 0; t < length; t++)
    for (let row = 0; row < rows; row++) {
      let sum = bias?.[row] ?? 0
      for (let i = 0; i < columns; i++) sum += x[t * columns + i] * weight[row * columns + i]
      y[t * rows + row] = sum
    }
  return y
}

function activate({ activation }: ModelConfig, x: number): number {
  if (activation === 'silu') return x / (1 + Math.exp(-x))
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
}

function rmsNorm(x: Float64Array, gain: ArrayLike<number>, offset: number, epsilon: number): Float64Array {
  const C = gain.length
  const y = new Float64Array(x.length)
  for (let start = 0; start < x.length; start += C) {
    let squares = 0
    for (let i = 0; i < C; i++) squares += x[start + i] ** 2
    const scale = 1 / Math.sqrt(squares / C + epsilon)
    for (let i = 0; i < C; i++) y[start + i] = x[start + i] * scale * (offset + gain[i])
  }
  return y
}

function add(a: Float64Array, b: Float64Array): Float64Array<ArrayBuffer> {
  return Float64Array.from(a, (value, i) => value + b[i])
}

/** Splits x (T, sum of sizes) into one (T,size) per entry of `sizes`, left to right. */
function columnGroups(x: Float64Array, sizes: number[]): Float64Array[] {
  const width = sizes.reduce((a, b) => a + b, 0)
  const length = x.length / width
  let offset = 0
  return sizes.map((size) => {
    const part = new Float64Array(length * size)
    for (let t = 0; t < length; t++)
      for (let i = 0; i < size; i++) part[t * size + i] = x[t * width + offset + i]
    offset += size
    return part
  })
}

/** Turns the first R dimensions of every head of x (T,heads,D) in place; pair i is (i, i + R/2). */
function rotate(config: ModelConfig, x: Float64Array, heads: number, length: number): void {
  const half = config.rotary.size / 2
  const frequencies = rotaryFrequencies(config.rotary, length)
  const scale = rotaryAmplitude(config.rotary)
  for (let t = 0; t < length; t++)
    for (let head = 0; head < heads; head++)
      for (let i = 0; i < half; i++) {
        const first = (t * heads + head) * config.headSize + i
        const cos = Math.cos(t * frequencies[i]) * scale
        const sin = Math.sin(t * frequencies[i]) * scale
        const [a, b] = [x[first], x[first + half]]
        x[first] = a * cos - b * sin
        x[first + half] = b * cos + a * sin
      }
}

/** Causal softmax attention; q (T,H,D), k and v (T,G,D) → (T,H,D). Query head h reads key head ⌊h G/H⌋. */
function attend(
  config: ModelConfig,
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
  window = Number.POSITIVE_INFINITY,
): Float64Array {
  const { headCount: H, kvHeadCount: G, headSize: D } = config
  const length = q.length / (H * D)
  const mixed = new Float64Array(q.length)
  for (let head = 0; head < H; head++) {
    const kvHead = Math.floor(head / (H / G))
    for (let t = 0; t < length; t++) {
      const start = Math.max(0, t - window + 1)
      const query = (t * H + head) * D
      const scores: number[] = []
      for (let s = start; s <= t; s++) {
        let dot = 0
        for (let i = 0; i < D; i++) dot += q[query + i] * k[(s * G + kvHead) * D + i]
        scores.push(softCap(dot * config.scoreScale, config.scoreCap))
      }
      const highest = Math.max(...scores)
      const shares = scores.map((score) => Math.exp(score - highest))
      const total = shares.reduce((a, b) => a + b, 0)
      for (let s = start; s <= t; s++)
        for (let i = 0; i < D; i++)
          mixed[query + i] += (shares[s - start] / total) * v[(s * G + kvHead) * D + i]
    }
  }
  return mixed
}
