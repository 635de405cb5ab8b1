// Final norm and head on chosen rows of the residual stream: logits, cross-entropy, and the gradient back
// into the stream. Rows without a target never meet the vocabulary.

import { crossEntropy } from '../kernels/crossEntropy/crossEntropy.ts'
import { softCap } from '../kernels/elementwise/elementwise.ts'
import { rmsNormBackward } from '../kernels/rmsNorm/rmsNorm.ts'
import { gatherRows, scatterRows } from '../kernels/rows/rows.ts'
import type { Batch } from './batch.ts'
import type { DeviceModel } from './deviceModel.ts'
import { norm } from './forward.ts'
import type { GradientSink, WeightSink } from './gradientSink.ts'
import { linear, linearBackward, scratch } from './linear.ts'

export const FINAL_NORM = 'model.norm.weight'

/** Tensor that the logits are made with: the embedding when tied. */
export function headName(model: DeviceModel): string {
  return model.config.tied ? 'model.embed_tokens' : 'lm_head'
}

/** Row stride of logits: the vocabulary in whole fours. */
export function logitStride(model: DeviceModel): number {
  return Math.ceil(model.config.vocabSize / 4) * 4
}

export interface HeadRows {
  /** (R,C) gathered stream */ stream: GPUBuffer
  /** (R,C) */ normed: GPUBuffer
  /** (R) */ inverseRms: GPUBuffer
  /** (R, logitStride), capped where the family does */ logits: GPUBuffer
}

/** Rows `rows` (R token indices) of the stream (T,C), and normed by the final norm. */
export function gatherNormed(
  model: DeviceModel,
  stream: GPUBuffer,
  rows: GPUBuffer,
  R: number,
): Omit<HeadRows, 'logits'> {
  const { gpu } = model
  const C = model.config.hiddenSize
  const gathered = scratch(gpu, R * C)
  gpu.run(
    gatherRows,
    { R, C, xStride: C, xOffset: 0, yStride: C, yOffset: 0 },
    { x: stream, rows, y: gathered },
  )
  const { y, inverseRms } = norm(model, FINAL_NORM, R, gathered)
  return { stream: gathered, normed: y, inverseRms }
}

/** Logits of the rows `rows` (R token indices) of the stream (T,C). */
export function headLogits(model: DeviceModel, stream: GPUBuffer, rows: GPUBuffer, R: number): HeadRows {
  const { gpu } = model
  const C = model.config.hiddenSize
  const gathered = gatherNormed(model, stream, rows, R)
  const stride = logitStride(model)
  const logits = scratch(gpu, R * stride)
  linear(model, headName(model), R, { buffer: gathered.normed, stride: C }, { buffer: logits, stride })
  const cap = model.config.logitCap
  // A pass of its own: in the product's store, unrolled sixteen times, a software adapter compiles it for a minute.
  if (cap > 0) gpu.run(softCap, { count: R * stride, cap }, { x: logits })
  return { ...gathered, logits }
}

export function releaseHead(model: DeviceModel, head: HeadRows): void {
  model.gpu.pool.release(head.stream, head.normed, head.inverseRms, head.logits)
}

/**
 * loss (R) of the batch's targets into `loss`; with `scale` (R) the logits become scale ∘ d loss/d of what the head
 * computed before any cap.
 * `targets` overrules the batch's own, e.g. by labels sampled from the model.
 */
export function targetLoss(
  model: DeviceModel,
  batch: Batch,
  head: HeadRows,
  loss: GPUBuffer,
  scale?: GPUBuffer,
  targets: GPUBuffer = batch.targetIds,
): void {
  const R = batch.rowCount
  const { vocabSize: V, logitCap: cap } = model.config
  model.gpu.run(
    crossEntropy,
    { R, V, stride: logitStride(model), rowsPerY: R, gradient: scale ? 1 : 0, cap },
    { logits: head.logits, targets, scale: scale ?? model.gpu.unused, loss },
  )
}

/** From d logits (in head.logits) to a fresh d stream (T,C); weight gradients of head and norm go to the sink. */
export function headBackward(
  model: DeviceModel,
  batch: Batch,
  head: HeadRows,
  sink: GradientSink | undefined,
): GPUBuffer {
  const { gpu, config } = model
  const C = config.hiddenSize
  const R = batch.rowCount
  const stride = logitStride(model)
  sink?.linear(headName(model), 'rows', { buffer: head.logits, stride }, { buffer: head.normed, stride: C })
  const dNormed = scratch(gpu, R * C)
  linearBackward(model, headName(model), R, { buffer: head.logits, stride }, dNormed, false)
  return normedBackward(model, batch, head, dNormed, sink)
}

/** From d of the normed rows (R,C), taken over and released, to a fresh d stream (T,C). */
export function normedBackward(
  model: DeviceModel,
  batch: Batch,
  head: Omit<HeadRows, 'logits'>,
  dNormed: GPUBuffer,
  sink: WeightSink | undefined,
): GPUBuffer {
  const { gpu, config } = model
  const C = config.hiddenSize
  const R = batch.rowCount
  const dRows = scratch(gpu, R * C)
  const gainProduct = scratch(gpu, R * C)
  gpu.run(
    rmsNormBackward,
    { T: R, C, rowsPerY: R, epsilon: config.normEpsilon, offset: config.gainOffset, accumulate: 0 },
    {
      weight: model.buffer(FINAL_NORM),
      x: head.stream,
      inverseRms: head.inverseRms,
      dy: dNormed,
      dx: dRows,
      gainProduct,
    },
    model.type,
  )
  sink?.columns(FINAL_NORM, 'rows', { buffer: gainProduct, stride: C }, C)
  const dStream = scratch(gpu, batch.tokenCount * C)
  gpu.clear(dStream)
  gpu.run(
    scatterRows,
    { R, C, xStride: C, xOffset: 0, yStride: C, yOffset: 0 },
    { x: dRows, rows: batch.targetRows, y: dStream },
  )
  gpu.pool.release(dNormed, dRows, gainProduct)
  return dStream
}
