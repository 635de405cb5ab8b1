// The passes that geometry, training and evaluation are made of: mean or summed loss and its gradient, squares,
// rows; and gradients that start from pooled hidden states.

import type { Gpu } from '../gpu/device.ts'
import { poolSpans, poolSpansBackward } from '../kernels/poolSpans/poolSpans.ts'
import { backward } from './backward.ts'
import type { Batch } from './batch.ts'
import type { DeviceModel } from './deviceModel.ts'
import { forward } from './forward.ts'
import type { GradientSink } from './gradientSink.ts'
import { headBackward, headLogits, releaseHead, targetLoss } from './head.ts'
import { scratch } from './linear.ts'

/** loss (R), nats, of each target of the batch. */
export async function targetLosses(model: DeviceModel, batch: Batch): Promise<Float32Array> {
  const { gpu } = model
  const pass = forward(model, batch, { keep: false })
  const head = headLogits(model, pass.stream, batch.targetRows, batch.rowCount)
  const loss = scratch(gpu, batch.rowCount)
  targetLoss(model, batch, head, loss)
  pass.release()
  releaseHead(model, head)
  const values = await gpu.readFloats(loss, batch.rowCount)
  gpu.pool.release(loss)
  return values
}

/**
 * Encodes d Σ_r scale[r] loss[r] / d weights into the sink; loss (R) is left in the returned pooled buffer.
 * `chooseTargets` may write other labels than the batch's, e.g. sampled from the logits.
 */
export function encodeLossGradient(
  model: DeviceModel,
  batch: Batch,
  scale: Float32Array,
  sink: GradientSink,
  chooseTargets?: (logits: GPUBuffer, stride: number) => GPUBuffer,
): GPUBuffer {
  const { gpu } = model
  const pass = forward(model, batch, { keep: true })
  const head = headLogits(model, pass.stream, batch.targetRows, batch.rowCount)
  const loss = scratch(gpu, batch.rowCount)
  const stride = Math.ceil(model.config.vocabSize / 4) * 4
  const targets = chooseTargets?.(head.logits, stride)
  targetLoss(model, batch, head, loss, batch.upload(scale), targets)
  const dStream = headBackward(model, batch, head, sink)
  backward(model, batch, pass, dStream, sink)
  // Not before: a tied head's logits are needed again when the embedding's own gradient arrives.
  releaseHead(model, head)
  pass.release()
  return loss
}

/** Token spans, and the hidden states (0 = embedding output … L) that are pooled over each. */
export interface Pooling {
  /** S bounds in tokens */ spanStart: Uint32Array
  spanEnd: Uint32Array
  /** l of each column block */ hidden: readonly number[]
}

/** pooled (S, |hidden|·C): means over spans, one column block per hidden state. */
export async function poolHidden(model: DeviceModel, batch: Batch, pooling: Pooling): Promise<Float32Array> {
  const { gpu } = model
  const C = model.config.hiddenSize
  const S = pooling.spanStart.length
  const stride = pooling.hidden.length * C
  const pooled = scratch(gpu, S * stride)
  const bounds = { spanStart: batch.upload(pooling.spanStart), spanEnd: batch.upload(pooling.spanEnd) }
  const pass = forward(model, batch, {
    keep: false,
    onHidden: (l, x) => {
      const block = pooling.hidden.indexOf(l)
      if (block >= 0) gpu.run(poolSpans, { S, C, stride, offset: block * C }, { x, ...bounds, pooled })
    },
  })
  pass.release()
  const values = await gpu.readFloats(pooled, S * stride)
  gpu.pool.release(pooled)
  return values
}

/** Encodes the gradient into weights of Σ ⟨dPooled, pooled⟩, dPooled (S, |hidden|·C). */
export function encodePooledGradient(
  model: DeviceModel,
  batch: Batch,
  pooling: Pooling,
  dPooled: Float32Array,
  sink: GradientSink,
): void {
  const { gpu } = model
  const C = model.config.hiddenSize
  const S = pooling.spanStart.length
  const stride = pooling.hidden.length * C
  const upstream = batch.upload(dPooled)
  const bounds = { spanStart: batch.upload(pooling.spanStart), spanEnd: batch.upload(pooling.spanEnd) }
  const pass = forward(model, batch, { keep: true })
  const dStream = scratch(gpu, batch.tokenCount * C)
  gpu.clear(dStream)
  backward(model, batch, pass, dStream, sink, (l, dx) => {
    const block = pooling.hidden.indexOf(l)
    if (block >= 0)
      gpu.run(poolSpansBackward, { S, C, stride, offset: block * C }, { dPooled: upstream, ...bounds, dx })
  })
  pass.release()
}

/** Hidden states 0 … L of the batch, (T,C) each. */
export async function hiddenStates(model: DeviceModel, batch: Batch): Promise<Float32Array[]> {
  const { gpu } = model
  const bytes = batch.tokenCount * model.config.hiddenSize * 4
  const copies: GPUBuffer[] = []
  const pass = forward(model, batch, {
    keep: false,
    onHidden: (_, x) => {
      const copy = gpu.pool.take(bytes)
      gpu.copy(x, copy, bytes)
      copies.push(copy)
    },
  })
  pass.release()
  const states: Float32Array[] = []
  for (const copy of copies) states.push(await gpu.readFloats(copy, bytes / 4))
  gpu.pool.release(...copies)
  return states
}

/** Logits (T,V) of every token. */
export async function allLogits(model: DeviceModel, batch: Batch): Promise<Float32Array> {
  const { gpu, config } = model
  const T = batch.tokenCount
  const pass = forward(model, batch, { keep: false })
  const rows = batch.upload(Uint32Array.from({ length: T }, (_, t) => t))
  const head = headLogits(model, pass.stream, rows, T)
  pass.release()
  const stride = Math.ceil(config.vocabSize / 4) * 4
  const padded = await gpu.readFloats(head.logits, T * stride)
  releaseHead(model, head)
  if (stride === config.vocabSize) return padded
  const logits = new Float32Array(T * config.vocabSize)
  for (let t = 0; t < T; t++)
    logits.set(padded.subarray(t * stride, t * stride + config.vocabSize), t * config.vocabSize)
  return logits
}

/** Reads float32 gradient buffers without padding. */
export async function readGradients(
  gpu: Gpu,
  outputs: ReadonlyMap<string, GPUBuffer>,
  countOf: (name: string) => number,
): Promise<Map<string, Float32Array>> {
  const out = new Map<string, Float32Array>()
  for (const [name, buffer] of outputs) out.set(name, await gpu.readFloats(buffer, countOf(name)))
  return out
}
