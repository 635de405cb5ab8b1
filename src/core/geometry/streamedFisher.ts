// The Fisher diagonal of a model that is never held (model/streamed/layerPass.ts): squares leave the device layer by layer,
// those of embedding and head in runs of rows. The definition is that of fisher.ts, to rounding.

import { EngineError, throwIfCancelled } from '../errors.ts'
import { countOf } from '../files/storedWeight.ts'
import type { Gpu } from '../gpu/device.ts'
import { squareAccumulate } from '../kernels/elementwise/elementwise.ts'
import { embeddingBackward } from '../kernels/embedding/embedding.ts'
import { pickToken } from '../kernels/pickToken/pickToken.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import type { ModelConfig } from '../model/config.ts'
import { paddedCount } from '../model/deviceModel.ts'
import { listWeights } from '../model/families/decoder.ts'
import { FINAL_NORM, type HeadRows } from '../model/head.ts'
import { EMBEDDING, type LayerJob, LayerPass, ROW_BYTES } from '../model/streamed/layerPass.ts'
import { encodeSquares, LayerSink, type SquareForm, squareSpace } from '../model/streamed/layerSink.ts'
import { commonStorage, type StoredWeights, storedOf } from '../model/streamed/partialModel.ts'

/** Where sums of squares go, and are added to. */
export interface FisherOutput {
  /** Adds `values` to elements from `start` on of a weight; what nobody has written is zero. */
  add(name: string, start: number, values: Float32Array): Promise<void>
}

export interface StreamedFisher extends LayerJob {
  sequences: readonly Sequence[]
  labels: 'sampled' | 'data'
  form: SquareForm
  seed: number
  out: FisherOutput
  /** bytes of the logits that one round may have; LOGIT_BYTES */
  logitBytes?: number | undefined
}

/** Logits of a round, bytes; and its tokens, whose activations of one layer stand on the device. */
const LOGIT_BYTES = 96 * 2 ** 20
const MOST_TOKENS = 512
/** Free buffers that are kept between rounds. */
const POOL_BYTES = 256 * 2 ** 20

/** Rounds of sequences whose logits and activations can be held. */
export function roundsOf(
  sequences: readonly Sequence[],
  vocabSize: number,
  logitBytes = LOGIT_BYTES,
): Sequence[][] {
  const mostRows = Math.max(1, Math.floor(logitBytes / 4 / vocabSize))
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
  for (const round of roundsOf(job.sequences, job.config.vocabSize, job.logitBytes)) {
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
  private readonly pass: LayerPass

  constructor(job: StreamedFisher, batch: Batch, firstRow: number) {
    this.job = job
    this.batch = batch
    this.firstRow = firstRow
    this.gpu = job.gpu
    this.config = job.config
    this.pass = new LayerPass(job, batch)
  }

  async run(): Promise<void> {
    const { gpu, config, batch, job, pass } = this
    const { stream, borders } = await pass.forward()
    const normSink = new LayerSink(gpu, batch, [finalNorm(config)], job.form)
    const { dStream, rows } = await pass.head(stream, this.gradient(), normSink)
    await this.write(normSink)
    gpu.pool.release(stream)
    if (!config.tied) await this.headSquares(rows)
    for (let l = config.layerCount - 1; l >= 0; l--) {
      const sink = new LayerSink(gpu, batch, pass.layerWeights(l), job.form, job.rowBytes)
      await pass.layerBackward(l, borders[l], dStream, sink)
      await this.write(sink)
    }
    await this.embeddingBackward(dStream, config.tied ? rows : undefined)
    gpu.pool.release(dStream, ...Object.values(rows))
    if (gpu.pool.byteLength > POOL_BYTES) {
      gpu.flush()
      gpu.pool.trim()
    }
  }

  private gradient() {
    const { gpu, config, batch, job } = this
    const R = batch.rowCount
    const scale = new Float32Array(R).fill(1)
    if (job.labels === 'data') return { scale }
    const choose = (logits: GPUBuffer, stride: number) => {
      const token = batch.upload(new Uint32Array(R))
      gpu.run(
        pickToken,
        { R, V: config.vocabSize, stride, noise: 1, seed: job.seed, firstRow: this.firstRow },
        { logits, token },
      )
      return token
    }
    return { scale, choose }
  }

  private async headSquares({ logits, normed }: HeadRows): Promise<void> {
    const { gpu, config, batch, job } = this
    const C = config.hiddenSize
    const stride = strideOf(config)
    const space = squareSpace(batch, batch.rowStarts, job.form)
    for (const { first, rows } of this.pass.vocabularyTiles()) {
      const out = gpu.pool.take(paddedCount(rows * C) * 4)
      gpu.clear(out)
      const product = { dy: { buffer: logits, stride }, first, rows, x: { buffer: normed, stride: C } }
      encodeSquares(gpu, space, { ...product, columns: C, out })
      await job.out.add('lm_head.weight', first * C, await gpu.readFloats(out, rows * C))
      gpu.pool.release(out)
    }
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
  private async embeddingBackward(dStream: GPUBuffer, head: HeadRows | undefined): Promise<void> {
    const { gpu, config, batch, job } = this
    const C = config.hiddenSize
    const stride = strideOf(config)
    const segments = this.segments()
    for (const { first, rows } of this.pass.vocabularyTiles()) {
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

const strideOf = ({ vocabSize }: ModelConfig): number => Math.ceil(vocabSize / 4) * 4
const finalNorm = ({ hiddenSize }: ModelConfig) => ({
  name: FINAL_NORM,
  shape: [hiddenSize],
  role: 'gain' as const,
})

/** Bytes of buffers held at once: a layer's weights and squares, its activations, logits, rows of the head. */
export function fisherBytes(
  config: ModelConfig,
  stored: StoredWeights,
  sequences: readonly Sequence[],
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
  const most = roundsOf(sequences, V).map((round) => {
    const tokens = round.reduce((sum, { ids }) => sum + ids.length, 0)
    const rows = round.reduce((sum, { ids, firstTarget = ids.length }) => sum + ids.length - firstTarget, 0)
    const longest = Math.max(...round.map(({ ids }) => ids.length))
    return 4 * tokens * (7 * C + 6 * I + 3 * (H + 2 * G) * D + 2 * H * longest) + 4 * rows * V
  })
  return layer * (weightBytes + 4) + Math.max(...most) + 2 * ROW_BYTES
}
