// A model that is never held, run layer by layer: weights stream in for the forward pass and, in reverse, for the backward
// pass, which computes a layer's inner activations again from the stream at its border. Embedding and head go by in rows.
// Weights are read twice, the head three times. What becomes of the gradients is the sinks' affair.

import { throwIfCancelled } from '../../errors.ts'
import type { Gpu } from '../../gpu/device.ts'
import { softCap } from '../../kernels/elementwise/elementwise.ts'
import { embedding } from '../../kernels/embedding/embedding.ts'
import { matmul, matmulBackwardInput } from '../../kernels/matmul/matmul.ts'
import type { WeightType } from '../../tensors/dtype.ts'
import { backwardLayer } from '../backward.ts'
import type { Batch } from '../batch.ts'
import type { ModelConfig } from '../config.ts'
import type { DeviceModel } from '../deviceModel.ts'
import { listWeights } from '../families/decoder.ts'
import type { WeightSpec } from '../families/family.ts'
import { forwardLayer, releaseLayer } from '../forward.ts'
import type { WeightSink } from '../gradientSink.ts'
import { FINAL_NORM, gatherNormed, type HeadRows, logitStride, normedBackward, targetLoss } from '../head.ts'
import { scratch } from '../linear.ts'
import { partRows } from './layerSink.ts'
import {
  commonStorage,
  gatherRows,
  loadPart,
  rowBytes,
  type StoredWeights,
  storedOf,
  uploadRange,
} from './partialModel.ts'

export const EMBEDDING = 'model.embed_tokens.weight'
/** Rows of embedding and head at once, bytes in float32. */
export const ROW_BYTES = 16 * 2 ** 20

export interface LayerJob {
  gpu: Gpu
  config: ModelConfig
  stored: StoredWeights
  /** bytes of a run of rows in float32; ROW_BYTES */
  rowBytes?: number | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((label: string, done: number, total: number) => void) | undefined
}

/** What the gradient starts from: the factor of each target's loss, and labels other than the batch's. */
export interface LossGradient {
  /** (R) */
  scale: Float32Array
  choose?: (logits: GPUBuffer, stride: number) => GPUBuffer
}

export class LayerPass {
  readonly weights: readonly WeightSpec[]
  private readonly job: LayerJob
  private readonly batch: Batch
  private readonly gpu: Gpu
  private readonly config: ModelConfig
  private readonly type: WeightType

  constructor(job: LayerJob, batch: Batch) {
    this.job = job
    this.batch = batch
    this.gpu = job.gpu
    this.config = job.config
    this.type = commonStorage(job.stored)
    this.weights = listWeights(job.config)
  }

  layerWeights(l: number): WeightSpec[] {
    return this.weights.filter(({ layer }) => layer === l)
  }

  private load(names: readonly string[]): Promise<DeviceModel> {
    const { gpu, config, job, type } = this
    return loadPart(gpu, config, job.stored, names, type, job.signal)
  }

  private loadLayer(l: number): Promise<DeviceModel> {
    return this.load(this.layerWeights(l).map(({ name }) => name))
  }

  /** The stream (T,C) behind the last layer, pooled, and on the host the streams in front of each. */
  async forward(): Promise<{ stream: GPUBuffer; borders: Float32Array[] }> {
    const { gpu, config, batch, job } = this
    const borders: Float32Array[] = []
    let stream = await this.embed()
    for (let l = 0; l < config.layerCount; l++) {
      borders.push(await gpu.readFloats(stream, batch.tokenCount * config.hiddenSize))
      const model = await this.loadLayer(l)
      const { activations, out } = forwardLayer(model, batch, l, stream)
      releaseLayer(model, activations)
      await gpu.idle()
      model.dispose()
      stream = out
      job.onProgress?.('layers forward', l + 1, config.layerCount)
    }
    return { stream, borders }
  }

  /** The stream (T,C) behind the embedding, whose rows are read one by one. */
  private async embed(): Promise<GPUBuffer> {
    const { gpu, config, batch, job } = this
    const { hiddenSize: C } = config
    const T = batch.tokenCount
    const used = [...new Set(batch.hostIds)].sort((a, b) => a - b)
    const table = await gatherRows(storedOf(job.stored, EMBEDDING), used, C, job.signal)
    const places = new Map(used.map((id, i) => [id, i]))
    const weight = batch.upload(table)
    const ids = batch.upload(Uint32Array.from(batch.hostIds, (id) => places.get(id)!))
    const stream = scratch(gpu, T * C)
    gpu.run(embedding, { T, C, scale: config.embeddingScale }, { weight, ids, y: stream })
    return stream
  }

  private headWeight() {
    return storedOf(this.job.stored, this.config.tied ? EMBEDDING : 'lm_head.weight')
  }

  /** Runs of rows of the head's matrix; `weight` is on the device while `work` encodes. */
  private async overHead(
    work: (tile: { first: number; rows: number; weight: GPUBuffer }) => void,
  ): Promise<void> {
    const { gpu, config, job } = this
    const { hiddenSize: C, vocabSize: V } = config
    const stored = this.headWeight()
    const type = headType(this.type, stored.storage)
    for (const { first, rows } of this.vocabularyTiles()) {
      throwIfCancelled(job.signal)
      const weight = gpu.pool.take(rowBytes(rows, C, type))
      await uploadRange(gpu, stored, first * C, rows * C, type, weight, job.signal)
      work({ first, rows, weight })
      await gpu.idle()
      gpu.pool.release(weight)
      job.onProgress?.('head', first + rows, V)
    }
  }

  *vocabularyTiles(): Generator<{ first: number; rows: number }> {
    const { hiddenSize: C, vocabSize: V } = this.config
    const step = partRows(C, this.job.rowBytes ?? ROW_BYTES)
    for (let first = 0; first < V; first += step) yield { first, rows: Math.min(step, V - first) }
  }

  /**
   * From the stream behind the last layer to d of it, both pooled. The final norm's gradient goes to the sink; d logits and
   * the rows they came from are handed over, to be released with releaseHead.
   */
  async head(
    stream: GPUBuffer,
    { scale, choose }: LossGradient,
    sink: WeightSink | undefined,
  ): Promise<{ dStream: GPUBuffer; rows: HeadRows }> {
    const { gpu, config, batch, type: stored } = this
    const C = config.hiddenSize
    const R = batch.rowCount
    const model = await this.load([FINAL_NORM])
    const gathered = gatherNormed(model, stream, batch.targetRows, R)
    const stride = logitStride(model)
    const logits = scratch(gpu, R * stride)
    gpu.clear(logits)
    const type = headType(stored, this.headWeight().storage)
    await this.overHead(({ first, rows, weight }) => {
      gpu.run(
        matmul,
        { M: R, N: rows, K: C, xStride: C, xOffset: 0, yStride: stride, yOffset: first, addResidual: 0 },
        { weight, x: gathered.normed, residual: gpu.unused, y: logits },
        type,
      )
    })
    if (config.logitCap > 0) gpu.run(softCap, { count: R * stride, cap: config.logitCap }, { x: logits })
    const head = { ...gathered, logits }
    const loss = scratch(gpu, R)
    targetLoss(model, batch, head, loss, batch.upload(scale), choose?.(logits, stride) ?? batch.targetIds)
    const dNormed = scratch(gpu, R * C)
    gpu.clear(dNormed)
    await this.overHead(({ first, rows, weight }) => {
      gpu.run(
        matmulBackwardInput,
        { M: R, N: rows, K: C, dyStride: stride, dyOffset: first, dxStride: C, accumulate: 1 },
        { weight, dy: logits, dx: dNormed },
        type,
      )
    })
    const dStream = normedBackward(model, batch, gathered, dNormed, sink)
    await gpu.idle()
    model.dispose()
    gpu.pool.release(loss)
    return { dStream, rows: head }
  }

  /** d of the stream behind layer l becomes that of the stream before it; the layer's gradients go to the sink. */
  async layerBackward(l: number, border: Float32Array, dStream: GPUBuffer, sink: WeightSink): Promise<void> {
    const { gpu, batch, config, job } = this
    const model = await this.loadLayer(l)
    const x = gpu.pool.take(border.byteLength)
    gpu.write(x, border)
    const { activations, out } = forwardLayer(model, batch, l, x)
    gpu.pool.release(out)
    backwardLayer(model, batch, l, activations, dStream, sink)
    await gpu.idle()
    releaseLayer(model, activations)
    model.dispose()
    job.onProgress?.('layers backward', config.layerCount - l, config.layerCount)
  }
}

/** The type in which runs of the head's rows are uploaded. */
const headType = (type: WeightType, storage: string): WeightType =>
  storage.toLowerCase() === type ? type : 'f32'
