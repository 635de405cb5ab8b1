// Forward pass of a pre-norm decoder: embedding, L layers of attention and gated MLP, residual stream out. Families
// that norm what a block writes too have it before the residual is added.
// The head is in head.ts. Keeps what backward.ts needs, or releases it as it goes.

import { attentionMix, attentionWeights } from '../kernels/attention/attention.ts'
import { embedding } from '../kernels/embedding/embedding.ts'
import { gatedUnit } from '../kernels/gatedUnit/gatedUnit.ts'
import { rmsNorm } from '../kernels/rmsNorm/rmsNorm.ts'
import { rotary } from '../kernels/rotary/rotary.ts'
import { scatterRows } from '../kernels/rows/rows.ts'
import type { DeviceModel } from './deviceModel.ts'
import { gateUpParts, linear, qkvParts, scratch, type View } from './linear.ts'

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
  /** what the blocks wrote, where that is normed before it is added */
  attentionOutput?: BlockOutput
  mlpOutput?: BlockOutput
}

export interface BlockOutput {
  /** (T,C) */ x: GPUBuffer
  /** (T) */ scale: GPUBuffer
}

export function releaseLayer({ gpu }: DeviceModel, activations: LayerActivations): void {
  const { attentionOutput, mlpOutput, ...buffers } = activations
  gpu.pool.release(...Object.values(buffers))
  for (const output of [attentionOutput, mlpOutput]) if (output) gpu.pool.release(output.x, output.scale)
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
    { T, C, scale: config.embeddingScale },
    { weight: model.buffer('model.embed_tokens.weight'), ids: tokens.ids, y: stream },
    model.type,
  )
  options.onHidden?.(0, stream)
  const layers: LayerActivations[] = []
  for (let l = 0; l < config.layerCount; l++) {
    const { activations, out } = forwardLayer(model, tokens, l, stream, options.cache)
    if (options.keep) layers.push(activations)
    else releaseLayer(model, activations)
    stream = out
    options.onHidden?.(l + 1, stream)
  }
  return {
    layers,
    stream,
    release() {
      for (const activations of layers) releaseLayer(model, activations)
      gpu.pool.release(stream)
      layers.length = 0
    },
  }
}

/** One layer: x (T,C) is taken over into the activations, the stream behind it is new. */
export function forwardLayer(
  model: DeviceModel,
  tokens: TokenContext,
  l: number,
  x: GPUBuffer,
  cache?: KeyValueCache,
): { activations: LayerActivations; out: GPUBuffer } {
  const { gpu, config } = model
  const { hiddenSize: C, intermediateSize: I, headCount: H, headSize: D, norms } = config
  const T = tokens.tokenCount
  const prefix = `model.layers.${l}`
  const normed = norm(model, `${prefix}.${norms.attention}.weight`, T, x)
  const { qkv, weights, mixed } = attention(model, tokens, l, normed.y, cache)
  const { stream: middle, output: attentionOutput } = addBlock(
    model,
    `${prefix}.self_attn.o_proj`,
    norms.attentionOutput && `${prefix}.${norms.attentionOutput}.weight`,
    T,
    { buffer: mixed, stride: H * D },
    x,
  )
  const normed2 = norm(model, `${prefix}.${norms.mlp}.weight`, T, middle)
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
  gpu.run(gatedUnit, { T, I, gelu: geluOf(config) }, { x: gateUp, y: activated })
  const { stream: out, output: mlpOutput } = addBlock(
    model,
    `${prefix}.mlp.down_proj`,
    norms.mlpOutput && `${prefix}.${norms.mlpOutput}.weight`,
    T,
    { buffer: activated, stride: I },
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
    ...(attentionOutput && { attentionOutput }),
    ...(mlpOutput && { mlpOutput }),
  }
  return { activations, out }
}

/** Parameter `gelu` of the gated unit. */
export function geluOf({ activation }: DeviceModel['config']): 0 | 1 {
  return activation === 'gelu-tanh' ? 1 : 0
}

/** stream (T,C) = residual + projection of x, normed by the gain tensor `normName` where there is one. */
function addBlock(
  model: DeviceModel,
  projection: string,
  normName: string | undefined,
  T: number,
  x: View,
  residual: GPUBuffer,
): { stream: GPUBuffer; output?: BlockOutput } {
  const { gpu } = model
  const C = model.config.hiddenSize
  const written = scratch(gpu, T * C)
  const y = { buffer: written, stride: C }
  if (normName === undefined) {
    linear(model, projection, T, x, y, residual)
    return { stream: written }
  }
  linear(model, projection, T, x, y)
  const normed = norm(model, normName, T, written, residual)
  return { stream: normed.y, output: { x: written, scale: normed.inverseRms } }
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
    {
      ...shape,
      qStride: width,
      qOffset: 0,
      kStride: keys.stride,
      kOffset: keys.kOffset,
      scale: config.scoreScale,
      cap: config.scoreCap,
    },
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

/** Root-mean-square norm of x (T,C) by the gain tensor `name`, plus `residual` (T,C); both outputs are pooled. */
export function norm(
  model: DeviceModel,
  name: string,
  T: number,
  x: GPUBuffer,
  residual?: GPUBuffer,
): { y: GPUBuffer; inverseRms: GPUBuffer } {
  const { gpu, config } = model
  const y = scratch(gpu, T * config.hiddenSize)
  const inverseRms = scratch(gpu, T)
  gpu.run(
    rmsNorm,
    {
      T,
      C: config.hiddenSize,
      rowsPerY: T,
      epsilon: config.normEpsilon,
      offset: config.gainOffset,
      addResidual: residual ? 1 : 0,
    },
    { weight: model.buffer(name), x, residual: residual ?? gpu.unused, y, inverseRms },
    model.type,
  )
  return { y, inverseRms }
}
