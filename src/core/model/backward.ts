// Backward pass of the decoder: from d of the last residual stream, or of any hidden state on the way, to
// every weight. Mirrors forward.ts line by line in reverse.

import {
  attentionMix,
  attentionMixBackward,
  attentionWeightsBackward,
} from '../kernels/attention/attention.ts'
import { gatedUnitBackward } from '../kernels/gatedUnit/gatedUnit.ts'
import { rmsNormBackward } from '../kernels/rmsNorm/rmsNorm.ts'
import { rotary } from '../kernels/rotary/rotary.ts'
import type { Batch } from './batch.ts'
import type { DeviceModel } from './deviceModel.ts'
import { type BlockOutput, type ForwardResult, geluOf, type LayerActivations } from './forward.ts'
import type { GradientSink, WeightSink } from './gradientSink.ts'
import { gateUpParts, linearBackward, qkvParts, scratch } from './linear.ts'

/**
 * `dStream` (T,C): gradient into the stream after the last layer; taken over and released. `inject` may add to
 * it wherever the stream is a hidden state (l = L … 0), which starts gradients from pooled hidden states.
 */
export function backward(
  model: DeviceModel,
  batch: Batch,
  { layers }: ForwardResult,
  dStream: GPUBuffer,
  sink: GradientSink,
  inject?: (l: number, dStream: GPUBuffer) => void,
): void {
  inject?.(layers.length, dStream)
  for (let l = layers.length - 1; l >= 0; l--) {
    backwardLayer(model, batch, l, layers[l], dStream, sink)
    inject?.(l, dStream)
  }
  sink.embedding(dStream)
  model.gpu.pool.release(dStream)
}

/** One layer: dStream (T,C) becomes the gradient into the stream before it. */
export function backwardLayer(
  model: DeviceModel,
  batch: Batch,
  l: number,
  activations: LayerActivations,
  dStream: GPUBuffer,
  sink: WeightSink,
): void {
  mlpBackward(model, batch, l, activations, dStream, sink)
  attentionBackward(model, batch, l, activations, dStream, sink)
}

function mlpBackward(
  model: DeviceModel,
  batch: Batch,
  l: number,
  a: LayerActivations,
  dStream: GPUBuffer,
  sink: WeightSink,
): void {
  const { gpu, config } = model
  const { hiddenSize: C, intermediateSize: I } = config
  const T = batch.tokenCount
  const down = `model.layers.${l}.mlp.down_proj`
  const dWritten = outputBackward(model, l, config.norms.mlpOutput, T, a.mlpOutput, dStream, sink)
  sink.linear(down, 'tokens', { buffer: dWritten, stride: C }, { buffer: a.activated, stride: I })
  const dActivated = scratch(gpu, T * I)
  linearBackward(model, down, T, { buffer: dWritten, stride: C }, dActivated, false)
  if (dWritten !== dStream) gpu.pool.release(dWritten)
  const dGateUp = scratch(gpu, T * 2 * I)
  gpu.run(gatedUnitBackward, { T, I, gelu: geluOf(config) }, { x: a.gateUp, dy: dActivated, dx: dGateUp })
  const dInput = scratch(gpu, T * C)
  gateUpParts(model, l).forEach((part, i) => {
    const dy = { buffer: dGateUp, stride: 2 * I, offset: part.offset }
    sink.linear(part.name, 'tokens', dy, { buffer: a.mlpInput, stride: C })
    linearBackward(model, part.name, T, dy, dInput, i > 0)
  })
  normBackward(
    model,
    `model.layers.${l}.${config.norms.mlp}.weight`,
    T,
    a.middle,
    a.mlpScale,
    dInput,
    dStream,
    sink,
  )
  gpu.pool.release(dActivated, dGateUp, dInput)
}

function attentionBackward(
  model: DeviceModel,
  batch: Batch,
  l: number,
  a: LayerActivations,
  dStream: GPUBuffer,
  sink: WeightSink,
): void {
  const { gpu, config } = model
  const { hiddenSize: C, headCount: H, kvHeadCount: G, headSize: D } = config
  const T = batch.tokenCount
  const width = (H + 2 * G) * D
  const output = `model.layers.${l}.self_attn.o_proj`
  const dWritten = outputBackward(model, l, config.norms.attentionOutput, T, a.attentionOutput, dStream, sink)
  sink.linear(output, 'tokens', { buffer: dWritten, stride: C }, { buffer: a.mixed, stride: H * D })
  const dMixed = scratch(gpu, T * H * D)
  linearBackward(model, output, T, { buffer: dWritten, stride: C }, dMixed, false)
  if (dWritten !== dStream) gpu.pool.release(dWritten)
  const { keyStart, keyEnd, queryStart, queryEnd, maxKeys } = batch.attention(config.window(l))
  const shape = { T, H, D, share: H / G, maxKeys }
  const dScores = scratch(gpu, T * H * maxKeys)
  gpu.run(
    attentionWeightsBackward,
    {
      ...shape,
      stride: width,
      qOffset: 0,
      kOffset: H * D,
      vOffset: (H + G) * D,
      scale: config.scoreScale,
      cap: config.scoreCap,
    },
    { p: a.weights, dy: dMixed, rows: a.qkv, keyStart, keyEnd, ds: dScores },
  )
  const dQkv = scratch(gpu, T * width)
  gpu.run(
    attentionMix,
    { ...shape, vStride: width, vOffset: H * D, yStride: width, yOffset: 0 },
    { p: dScores, v: a.qkv, keyStart, keyEnd, y: dQkv },
  )
  const transpose = { keyStart, queryStart, queryEnd, out: dQkv }
  gpu.run(
    attentionMixBackward,
    { ...shape, uStride: width, uOffset: 0, outStride: width, outOffset: H * D },
    { p: dScores, u: a.qkv, ...transpose },
  )
  gpu.run(
    attentionMixBackward,
    { ...shape, uStride: H * D, uOffset: 0, outStride: width, outOffset: (H + G) * D },
    { p: a.weights, u: dMixed, ...transpose },
  )
  gpu.run(
    rotary,
    { T, heads: H + G, D, R: config.rotary.size, stride: width, direction: -1 },
    { x: dQkv, cosines: batch.cosines, sines: batch.sines },
  )
  const dInput = scratch(gpu, T * C)
  qkvParts(model, l).forEach((part, i) => {
    const dy = { buffer: dQkv, stride: width, offset: part.offset }
    sink.linear(part.name, 'tokens', dy, { buffer: a.attentionInput, stride: C })
    linearBackward(model, part.name, T, dy, dInput, i > 0)
  })
  normBackward(
    model,
    `model.layers.${l}.${config.norms.attention}.weight`,
    T,
    a.x,
    a.attentionScale,
    dInput,
    dStream,
    sink,
  )
  gpu.pool.release(dMixed, dScores, dQkv, dInput)
}

/** Gradient (T,C) into what a block wrote: that of the stream, or one through the output's own norm, to be released. */
function outputBackward(
  model: DeviceModel,
  l: number,
  normName: string | undefined,
  T: number,
  output: BlockOutput | undefined,
  dStream: GPUBuffer,
  sink: WeightSink,
): GPUBuffer {
  if (!output) return dStream
  const dWritten = scratch(model.gpu, T * model.config.hiddenSize)
  const name = `model.layers.${l}.${normName}.weight`
  normBackward(model, name, T, output.x, output.scale, dStream, dWritten, sink, false)
  return dWritten
}

/** The norm's input gradient into dx (T,C), added unless told, and its gain's gradient into the sink. */
function normBackward(
  model: DeviceModel,
  name: string,
  T: number,
  x: GPUBuffer,
  inverseRms: GPUBuffer,
  dy: GPUBuffer,
  dx: GPUBuffer,
  sink: WeightSink,
  accumulate = true,
): void {
  const { gpu, config } = model
  const C = config.hiddenSize
  const gainProduct = scratch(gpu, T * C)
  gpu.run(
    rmsNormBackward,
    {
      T,
      C,
      rowsPerY: T,
      epsilon: config.normEpsilon,
      offset: config.gainOffset,
      accumulate: accumulate ? 1 : 0,
    },
    { weight: model.buffer(name), x, inverseRms, dy, dx, gainProduct },
    model.type,
  )
  sink.columns(name, 'tokens', { buffer: gainProduct, stride: C }, C)
  gpu.pool.release(gainProduct)
}
