// The Fisher diagonal of a model that is never held: layers are streamed in for the forward pass and, in reverse, for the
// backward pass, which computes a layer's inner activations again from the stream at its border. Squares leave the device
// layer by layer; embedding and head go by in rows. Weights are read twice, the head three times. The definition is that
// of fisher.ts, to rounding.

import { EngineError, throwIfCancelled } from '../errors.ts'
import { countOf } from '../files/storedWeight.ts'
import type { Gpu } from '../gpu/device.ts'
import { softCap, squareAccumulate } from '../kernels/elementwise/elementwise.ts'
import { embedding, embeddingBackward } from '../kernels/embedding/embedding.ts'
import { matmul, matmulBackwardInput } from '../kernels/matmul/matmul.ts'
import { pickToken } from '../kernels/pickToken/pickToken.ts'
import { backwardLayer } from '../model/backward.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import type { ModelConfig } from '../model/config.ts'
import { type DeviceModel, paddedCount } from '../model/deviceModel.ts'
import { listWeights } from '../model/families/decoder.ts'
import type { WeightSpec } from '../model/families/family.ts'
import { forwardLayer, releaseLayer } from '../model/forward.ts'
import {
  FINAL_NORM,
  gatherNormed,
  type HeadRows,
  logitStride,
  normedBackward,
  targetLoss,
} from '../model/head.ts'
import { scratch } from '../model/linear.ts'
import {
  encodeSquares,
  LayerSink,
  partRows,
  type SquareForm,
  squareSpace,
} from '../model/streamed/layerSink.ts'
import {
  commonStorage,
  gatherRows,
  loadPart,
  rowBytes,
  type StoredWeights,
  storedOf,
  uploadRange,
} from '../model/streamed/partialModel.ts'
import type { WeightType } from '../tensors/dtype.ts'

/** Where sums of squares go, and are added to. */
export interface FisherOutput {
  /** Adds `values` to elements from `start` on of a weight; what nobody has written is zero. */
  add(name: string, start: number, values: Float32Array): Promise<void>
}

export interface StreamedFisher {
  gpu: Gpu
  config: ModelConfig
  stored: StoredWeights
  sequences: readonly Sequence[]
  labels: 'sampled' | 'data'
  form: SquareForm
  seed: number
  out: FisherOutput
  signal?: AbortSignal | undefined
  onProgress?: ((label: string, done: number, total: number) => void) | undefined
}

/** Logits of a round, bytes; and its tokens, whose activations of one layer stand on the device. */
const LOGIT_BYTES = 96 * 2 ** 20
const MOST_TOKENS = 512
/** Rows of embedding and head at once, bytes in float32. */
const ROW_BYTES = 16 * 2 ** 20
const EMBEDDING = 'model.embed_tokens.weight'

/** Rounds of sequences whose logits and activations can be held. */
export function roundsOf(sequences: readonly Sequence[], vocabSize: number): Sequence[][] {
  const mostRows = Math.max(1, Math.floor(LOGIT_BYTES / 4 / vocabSize))
  const rounds: Sequence[][] = []
  let [rows, tokens] = [Number.POSITIVE_INFINITY, 0]
  for (const sequence of sequences) {
    const { ids, firstTarget = ids.length } = sequence
    if (rows + ids.length - firstTarget > mostRows || tokens + ids.length > MOST_TOKENS) {
      rounds.push([])
      rows = 0
      tokens = 0
    }
    rounds[rounds.length - 1].push(sequence)
    rows += ids.length - firstTarget
    tokens += ids.length
  }
  return rounds
}

/** Adds sums of squares to `out`; resolves to the target tokens they are of. */
export async function streamFisher(job: StreamedFisher): Promise<{ tokens: number }> {
  if (job.sequences.length === 0)
    throw new EngineError('request-invalid', 'a Fisher diagonal needs sequences')
  let tokens = 0
  for (const round of roundsOf(job.sequences, job.config.vocabSize)) {
    const batch = new Batch(job.gpu, job.config, round)
    try {
      await new Round(job, batch, tokens).run()
    } finally {
      batch.release()
    }
    tokens += batch.rowCount
  }
  return { tokens }
}

class Round {
  private readonly job: StreamedFisher
  private readonly batch: Batch
  private readonly firstRow: number
  private readonly gpu: Gpu
  private readonly config: ModelConfig
  private readonly type: WeightType
  private readonly weights: WeightSpec[]

  constructor(job: StreamedFisher, batch: Batch, firstRow: number) {
    this.job = job
    this.batch = batch
    this.firstRow = firstRow
    this.gpu = job.gpu
    this.config = job.config
    this.type = commonStorage(job.stored)
    this.weights = listWeights(job.config)
  }

  async run(): Promise<void> {
    const { gpu, config, batch } = this
    const borders: Float32Array[] = []
    let stream = await this.embed()
    for (let l = 0; l < config.layerCount; l++) {
      borders.push(await gpu.readFloats(stream, batch.tokenCount * config.hiddenSize))
      const model = await this.load(this.layerNames(l))
      const { activations, out } = forwardLayer(model, batch, l, stream)
      releaseLayer(model, activations)
      await gpu.idle()
      model.dispose()
      stream = out
      this.report('layers forward', l + 1)
    }
    const head = await this.head(stream)
    gpu.pool.release(stream)
    const { dStream } = head
    for (let l = config.layerCount - 1; l >= 0; l--) {
      await this.layerBackward(l, borders[l], dStream)
      this.report('layers backward', config.layerCount - l)
    }
    await this.embeddingBackward(dStream, head)
    gpu.pool.release(dStream, head.rows?.logits, head.rows?.normed)
    if (gpu.pool.byteLength > 256 * 2 ** 20) {
      gpu.flush()
      gpu.pool.trim()
    }
  }

  private report(label: string, done: number): void {
    this.job.onProgress?.(label, done, this.config.layerCount)
  }

  private layerNames(l: number): string[] {
    return this.weights.filter(({ layer }) => layer === l).map(({ name }) => name)
  }

  private load(names: readonly string[]): Promise<DeviceModel> {
    const { gpu, config, job, type } = this
    return loadPart(gpu, config, job.stored, names, type, job.signal)
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

  /** Runs of rows of the head's matrix; `weight` is on the device while `work` encodes. */
  private async overHead(
    work: (tile: { first: number; rows: number; weight: GPUBuffer }) => void,
  ): Promise<void> {
    const { gpu, config, job } = this
    const { hiddenSize: C, vocabSize: V } = config
    const stored = storedOf(job.stored, config.tied ? EMBEDDING : 'lm_head.weight')
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

  private *vocabularyTiles(): Generator<{ first: number; rows: number }> {
    const { hiddenSize: C, vocabSize: V } = this.config
    const step = partRows(C, ROW_BYTES)
    for (let first = 0; first < V; first += step) yield { first, rows: Math.min(step, V - first) }
  }

  /** d of the stream after the last layer; of a tied head also what its gradient is made of. */
  private async head(stream: GPUBuffer): Promise<{ dStream: GPUBuffer; rows: HeadRows | undefined }> {
    const { gpu, config, batch, job } = this
    const { hiddenSize: C, vocabSize: V } = config
    const R = batch.rowCount
    const normModel = await this.load([FINAL_NORM])
    const gathered = gatherNormed(normModel, stream, batch.targetRows, R)
    const stride = logitStride(normModel)
    const logits = scratch(gpu, R * stride)
    gpu.clear(logits)
    const stored = storedOf(job.stored, config.tied ? EMBEDDING : 'lm_head.weight')
    const type = headType(this.type, stored.storage)
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
    const sampled = scratch(gpu, R)
    if (job.labels === 'sampled')
      gpu.run(
        pickToken,
        { R, V, stride, noise: 1, seed: job.seed, firstRow: this.firstRow },
        { logits, token: sampled },
      )
    const scale = batch.upload(new Float32Array(R).fill(1))
    targetLoss(normModel, batch, head, loss, scale, job.labels === 'sampled' ? sampled : batch.targetIds)
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
    const sink = new LayerSink(gpu, batch, [{ name: FINAL_NORM, shape: [C], role: 'gain' }], job.form)
    const dStream = normedBackward(normModel, batch, gathered, dNormed, sink)
    await this.write(sink)
    normModel.dispose()
    gpu.pool.release(loss, sampled, gathered.stream, gathered.inverseRms)
    if (config.tied) return { dStream, rows: head }
    await this.headSquares(head, stride)
    gpu.pool.release(logits, gathered.normed)
    return { dStream, rows: undefined }
  }

  private async headSquares({ logits, normed }: HeadRows, stride: number): Promise<void> {
    const { gpu, config, batch, job } = this
    const C = config.hiddenSize
    const space = squareSpace(batch, batch.rowStarts, job.form)
    for (const { first, rows } of this.vocabularyTiles()) {
      const out = gpu.pool.take(paddedCount(rows * C) * 4)
      gpu.clear(out)
      const product = { dy: { buffer: logits, stride }, first, rows, x: { buffer: normed, stride: C } }
      encodeSquares(gpu, space, { ...product, columns: C, out })
      await job.out.add('lm_head.weight', first * C, await gpu.readFloats(out, rows * C))
      gpu.pool.release(out)
    }
  }

  private async layerBackward(l: number, border: Float32Array, dStream: GPUBuffer): Promise<void> {
    const { gpu, batch, job } = this
    const names = this.layerNames(l)
    const model = await this.load(names)
    const x = gpu.pool.take(border.byteLength)
    gpu.write(x, border)
    const { activations, out } = forwardLayer(model, batch, l, x)
    gpu.pool.release(out)
    const specs = this.weights.filter(({ layer }) => layer === l)
    const sink = new LayerSink(gpu, batch, specs, job.form)
    backwardLayer(model, batch, l, activations, dStream, sink)
    await gpu.idle()
    releaseLayer(model, activations)
    await this.write(sink)
    model.dispose()
  }

  private async write(sink: LayerSink): Promise<void> {
    for await (const { name, start, values } of sink.read()) {
      throwIfCancelled(this.job.signal)
      await this.job.out.add(name, start, values)
    }
    sink.release()
  }

  /** What is squared together: target rows and tokens of one sequence, or of one token. */
  private segments(): { rows: [number, number]; tokens: number[] }[] {
    const { batch, job } = this
    if (job.form === 'sequence')
      return Array.from({ length: batch.sequenceCount }, (_, s) => ({
        rows: [batch.rowStarts[s], batch.rowStarts[s + 1]],
        tokens: Array.from({ length: batch.starts[s + 1] - batch.starts[s] }, (_, i) => batch.starts[s] + i),
      }))
    return Array.from({ length: batch.tokenCount }, (_, t) => {
      const row = batch.hostTargetRows.indexOf(t)
      return { rows: row < 0 ? [0, 0] : [row, row + 1], tokens: [t] }
    })
  }

  /** Rows of the embedding: of all tokens, and of the head where the two are one matrix. */
  private async embeddingBackward(
    dStream: GPUBuffer,
    { rows: head }: { rows: HeadRows | undefined },
  ): Promise<void> {
    const { gpu, config, batch, job } = this
    const C = config.hiddenSize
    const stride = Math.ceil(config.vocabSize / 4) * 4
    const segments = this.segments()
    for (const { first, rows } of this.vocabularyTiles()) {
      throwIfCancelled(job.signal)
      const isInside = (t: number) => batch.hostIds[t] >= first && batch.hostIds[t] < first + rows
      const touched = segments.filter(({ tokens }) => tokens.some(isInside))
      if (!head && touched.length === 0) continue
      const count = paddedCount(rows * C)
      const [sum, out] = [gpu.pool.take(count * 4), gpu.pool.take(count * 4)]
      gpu.clear(out)
      for (const segment of head ? segments : touched) {
        gpu.clear(sum)
        const [from, to] = segment.rows
        if (head && to > from) {
          const space = {
            segments: batch.upload(Uint32Array.of(from, to)),
            groups: batch.upload(Uint32Array.of(0, 1)),
          }
          const product = {
            dy: { buffer: head.logits, stride },
            first,
            rows,
            x: { buffer: head.normed, stride: C },
          }
          encodeSquares(gpu, space, { ...product, columns: C, out: sum }, 1)
        }
        this.scatter(sum, dStream, segment.tokens.filter(isInside), first, rows)
        gpu.run(squareAccumulate, { count }, { a: sum, out })
      }
      await job.out.add(EMBEDDING, first * C, await gpu.readFloats(out, rows * C))
      gpu.pool.release(sum, out)
    }
  }

  /** Adds d of the tokens' rows to their places among rows [first, first + rows). */
  private scatter(
    out: GPUBuffer,
    dx: GPUBuffer,
    tokens: readonly number[],
    first: number,
    rows: number,
  ): void {
    if (tokens.length === 0) return
    const { gpu, config, batch } = this
    const C = config.hiddenSize
    const ids = batch.hostIds
    const order = [...tokens].sort((a, b) => ids[a] - ids[b] || a - b)
    const starts = order.flatMap((t, i) => (i === 0 || ids[t] !== ids[order[i - 1]] ? [i] : []))
    const upload = (values: readonly number[]) => batch.upload(Uint32Array.from(values))
    gpu.run(
      embeddingBackward,
      { C, slots: starts.length, power: 1, outStride: paddedCount(rows * C), scale: config.embeddingScale },
      {
        dx,
        rows: upload(order),
        segmentOf: upload(Array.from(ids, () => 0)),
        slotStart: upload([...starts, order.length]),
        slotToken: upload(starts.map((i) => ids[order[i]] - first)),
        slotGroup: upload(starts.map(() => 0)),
        dWeight: out,
      },
    )
  }
}

/** The type in which runs of the head's rows are uploaded. */
const headType = (type: WeightType, storage: string): WeightType =>
  storage.toLowerCase() === type ? type : 'f32'

/** Bytes held at once, in the words of docs/large-models.md: a layer's weights and squares, logits, rows of the head. */
export function fisherBytes(
  config: ModelConfig,
  stored: StoredWeights,
  tokens: number,
  rows: number,
): number {
  const layer = listWeights(config)
    .filter(({ layer: l }) => l === 0)
    .reduce((sum, { name }) => sum + countOf(storedOf(stored, name)), 0)
  const weightBytes = commonStorage(stored) === 'f32' ? 4 : 2
  const {
    hiddenSize: C,
    intermediateSize: I,
    headCount: H,
    kvHeadCount: G,
    headSize: D,
    vocabSize: V,
  } = config
  const activations = 4 * tokens * (7 * C + 6 * I + 3 * (H + 2 * G) * D + 2 * H * tokens)
  return layer * (weightBytes + 4) + activations + 4 * rows * V + 2 * ROW_BYTES
}
