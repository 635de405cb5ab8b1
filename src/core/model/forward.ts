// Forward pass of a pre-norm decoder: embedding, L layers of attention and gated MLP, residual stream out.
// The head is in head.ts. Keeps what backward.ts needs, or releases it as it goes.

import { attentionMix, attentionWeights } from '../kernels/attention/attention.ts'
import { embedding } from '../kernels/embedding/embedding.ts'
import { rmsNorm } from '../kernels/rmsNorm/rmsNorm.ts'
import { rotary } from '../kernels/rotary/rotary.ts'
import { scatterRows } from '../kernels/rows/rows.ts'
import { swiglu } from '../kernels/swiglu/swiglu.ts'
import type { DeviceModel } from './deviceModel.ts'
import { gateUpParts, linear, qkvParts, scratch } from './linear.ts'

/** What attention reads: the layer's own rows, or a cache of earlier ones. */
export interface TokenContext {
  /** T */
  tokenCount: number
  ids: GPUBuffer
  cosines: GPUBuffer
  sines: GPUBuffer
  attention(window: number | undefined): { keyStart: GPUBuffer; keyEnd: GPUBuffer; maxKeys: number }
}

/** Keys and values of all sequences: row b·capacity + position, [k | v] of 2·G·D columns, per layer. */
export interface KeyValueCache {
  layers: GPUBuffer[]
  /** cache row of every token of this pass */
  rows: GPUBuffer
  /** true: attend to the cache; false: only fill it, attending to this pass's own rows */
  isReading: boolean
}

export interface LayerActivations {
  /** (T,C) residual stream into the layer */ x: GPUBuffer
  /** (T,C) */ attentionInput: GPUBuffer
  /** (T) */ attentionScale: GPUBuffer
  /** (T,(H+2G)D), queries and keys rotated */ qkv: GPUBuffer
  /** (T,H,maxKeys) */ weights: GPUBuffer
  /** (T,H·D) */ mixed: GPUBuffer
  /** (T,C) residual stream between the blocks */ middle: GPUBuffer
  /** (T,C) */ mlpInput: GPUBuffer
  /** (T) */ mlpScale: GPUBuffer
  /** (T,2I) */ gateUp: GPUBuffer
  /** (T,I) */ activated: GPUBuffer
}

export interface ForwardOptions {
  /** keep activations for a backward pass */
  keep: boolean
  cache?: KeyValueCache
  /** called at encoding time with the residual stream after layer l (0: embedding output); valid for dispatches encoded inside */
  onHidden?: (l: number, stream: GPUBuffer) => void
}

export interface ForwardResult {
  layers: LayerActivations[]
  /** (T,C) residual stream after the last layer, before the final norm */
  stream: GPUBuffer
  release(): void
}

export function forward(model: DeviceModel, tokens: TokenContext, options: ForwardOptions): ForwardResult {
  const { gpu, config } = model
  const { hiddenSize: C } = config
  const T = tokens.tokenCount
  let stream = scratch(gpu, T * C)
  gpu.run(
    embedding,
    { T, C },
    { weight: model.buffer('model.embed_tokens.weight'), ids: tokens.ids, y: stream },
    model.type,
  )
  options.onHidden?.(0, stream)
  const layers: LayerActivations[] = []
  for (let l = 0; l < config.layerCount; l++) {
    const { activations, out } = layer(model, tokens, l, stream, options.cache)
    if (options.keep) layers.push(activations)
    else gpu.pool.release(...Object.values(activations))
    stream = out
    options.onHidden?.(l + 1, stream)
  }
  return {
    layers,
    stream,
    release() {
      for (const activations of layers) gpu.pool.release(...Object.values(activations))
      gpu.pool.release(stream)
      layers.length = 0
    },
  }
}

function layer(
  model: DeviceModel,
  tokens: TokenContext,
  l: number,
  x: GPUBuffer,
  cache: KeyValueCache | undefined,
) {
  const { gpu, config } = model
  const { hiddenSize: C, intermediateSize: I, headCount: H, headSize: D } = config
  const T = tokens.tokenCount
  const prefix = `model.layers.${l}`
  const normed = norm(model, `${prefix}.input_layernorm.weight`, T, x)
  const { qkv, weights, mixed } = attention(model, tokens, l, normed.y, cache)
  const middle = scratch(gpu, T * C)
  linear(
    model,
    `${prefix}.self_attn.o_proj`,
    T,
    { buffer: mixed, stride: H * D },
    { buffer: middle, stride: C },
    x,
  )
  const normed2 = norm(model, `${prefix}.post_attention_layernorm.weight`, T, middle)
  const gateUp = scratch(gpu, T * 2 * I)
  for (const part of gateUpParts(model, l))
    linear(
      model,
      part.name,
      T,
      { buffer: normed2.y, stride: C },
      { buffer: gateUp, stride: 2 * I, offset: part.offset },
    )
  const activated = scratch(gpu, T * I)
  gpu.run(swiglu, { T, I }, { x: gateUp, y: activated })
  const out = scratch(gpu, T * C)
  linear(
    model,
    `${prefix}.mlp.down_proj`,
    T,
    { buffer: activated, stride: I },
    { buffer: out, stride: C },
    middle,
  )
  const activations: LayerActivations = {
    x,
    attentionInput: normed.y,
    attentionScale: normed.inverseRms,
    qkv,
    weights,
    mixed,
    middle,
    mlpInput: normed2.y,
    mlpScale: normed2.inverseRms,
    gateUp,
    activated,
  }
  return { activations, out }
}

function attention(
  model: DeviceModel,
  tokens: TokenContext,
  l: number,
  input: GPUBuffer,
  cache: KeyValueCache | undefined,
) {
  const { gpu, config } = model
  const { hiddenSize: C, headCount: H, kvHeadCount: G, headSize: D } = config
  const T = tokens.tokenCount
  const width = (H + 2 * G) * D
  const qkv = scratch(gpu, T * width)
  for (const part of qkvParts(model, l))
    linear(
      model,
      part.name,
      T,
      { buffer: input, stride: C },
      { buffer: qkv, stride: width, offset: part.offset },
    )
  gpu.run(
    rotary,
    { T, heads: H + G, D, R: config.rotary.size, stride: width, direction: 1 },
    { x: qkv, cosines: tokens.cosines, sines: tokens.sines },
  )
  let keys = { buffer: qkv, stride: width, kOffset: H * D, vOffset: (H + G) * D }
  if (cache) {
    const y = cache.layers[l]
    const kept = 2 * G * D
    gpu.run(
      scatterRows,
      { R: T, C: kept, xStride: width, xOffset: H * D, yStride: kept, yOffset: 0 },
      { x: qkv, rows: cache.rows, y },
    )
    if (cache.isReading) keys = { buffer: y, stride: kept, kOffset: 0, vOffset: G * D }
  }
  const { keyStart, keyEnd, maxKeys } = tokens.attention(config.window(l))
  const shape = { T, H, D, share: H / G, maxKeys }
  const weights = scratch(gpu, T * H * maxKeys)
  gpu.run(
    attentionWeights,
    { ...shape, qStride: width, qOffset: 0, kStride: keys.stride, kOffset: keys.kOffset, scale: D ** -0.5 },
    { q: qkv, k: keys.buffer, keyStart, keyEnd, p: weights },
  )
  const mixed = scratch(gpu, T * H * D)
  gpu.run(
    attentionMix,
    { ...shape, vStride: keys.stride, vOffset: keys.vOffset, yStride: H * D, yOffset: 0 },
    { p: weights, v: keys.buffer, keyStart, keyEnd, y: mixed },
  )
  return { qkv, weights, mixed }
}

/** Root-mean-square norm of x (T,C) by the gain tensor `name`; both outputs are pooled. */
export function norm(
  model: DeviceModel,
  name: string,
  T: number,
  x: GPUBuffer,
): { y: GPUBuffer; inverseRms: GPUBuffer } {
  const { gpu, config } = model
  const y = scratch(gpu, T * config.hiddenSize)
  const inverseRms = scratch(gpu, T)
  gpu.run(
    rmsNorm,
    { T, C: config.hiddenSize, rowsPerY: T, epsilon: config.normEpsilon },
    { weight: model.buffer(name), x, y, inverseRms },
    model.type,
  )
  return { y, inverseRms }
}
