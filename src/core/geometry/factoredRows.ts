// Rows of A of a model that is never held, in factored form: the gradient of a linear layer is Σ_t dy_t x_tᵀ, so a row's
// part of a weight is kept as the dy and x of the row's tokens, tokens · (out + in) numbers instead of out · in
// (methods.md §1.5). Rows are put together again a few weight rows at a time. Covers the matrices of the layers:
// embedding, head, norms and biases are left out of A, and are just interpolated.

import { EngineError } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'
import { matmulBackwardWeight } from '../kernels/matmul/matmul.ts'
import { gatherRows } from '../kernels/rows/rows.ts'
import { Batch } from '../model/batch.ts'
import type { ModelConfig } from '../model/config.ts'
import { paddedCount } from '../model/deviceModel.ts'
import { listWeights } from '../model/families/decoder.ts'
import type { WeightSink } from '../model/gradientSink.ts'
import { scratch, type View } from '../model/linear.ts'
import { type LayerJob, LayerPass } from '../model/streamed/layerPass.ts'
import type { LossTerm } from './alignmentRows.ts'
import { roundsOf } from './streamedFisher.ts'

/** dy (tokens, out) and x (tokens, in) of one weight, tokens of all rows in order. */
export interface Factor {
  dy: Float32Array
  x: Float32Array
}

/** Factors by weight, wherever they are kept. */
export interface FactorStore {
  put(name: string, firstToken: number, factor: Factor): Promise<void>
  read(name: string, signal?: AbortSignal): Promise<Factor>
}

export interface FactoredRows {
  /** n */
  count: number
  /** (n+1) bounds of each row's tokens */
  bounds: Uint32Array
  /** weights that the rows cover, [out, in] */
  shapes: ReadonlyMap<string, readonly [number, number]>
  store: FactorStore
}

/** Matrices of the layers, by name. */
export function coveredShapes(config: ModelConfig): Map<string, readonly [number, number]> {
  return new Map(
    listWeights(config)
      .filter(({ role, layer }) => role === 'matrix' && layer !== undefined)
      .map(({ name, shape }) => [name, [shape[0], shape[1]] as const]),
  )
}

/** Tokens of all terms. */
export const tokensOf = (terms: readonly LossTerm[]): number =>
  terms.reduce((sum, { sequence }) => sum + sequence.ids.length, 0)

class FactorSink implements WeightSink {
  private readonly gpu: Gpu
  private readonly batch: Batch
  private readonly held: { name: string; dy: GPUBuffer; x: GPUBuffer; N: number; K: number }[] = []
  private readonly shapes: FactoredRows['shapes']
  private readonly identity: GPUBuffer

  constructor(gpu: Gpu, batch: Batch, shapes: FactoredRows['shapes']) {
    this.gpu = gpu
    this.batch = batch
    this.shapes = shapes
    this.identity = batch.upload(Uint32Array.from({ length: batch.tokenCount }, (_, t) => t))
  }

  linear(name: string, _: 'tokens' | 'rows', dy: View, x: View): void {
    const shape = this.shapes.get(`${name}.weight`)
    if (!shape) return
    const [N, K] = shape
    this.held.push({ name: `${name}.weight`, dy: this.compact(dy, N), x: this.compact(x, K), N, K })
  }

  columns(): void {}

  /** The layer's scratch is used again, so what is kept is copied. */
  private compact({ buffer, stride, offset = 0 }: View, C: number): GPUBuffer {
    const T = this.batch.tokenCount
    const y = scratch(this.gpu, T * C)
    this.gpu.run(
      gatherRows,
      { R: T, C, xStride: stride, xOffset: offset, yStride: C, yOffset: 0 },
      { x: buffer, rows: this.identity, y },
    )
    return y
  }

  async *read(): AsyncGenerator<{ name: string; factor: Factor }> {
    const T = this.batch.tokenCount
    for (const { name, dy, x, N, K } of this.held) {
      const factor = { dy: await this.gpu.readFloats(dy, T * N), x: await this.gpu.readFloats(x, T * K) }
      this.gpu.pool.release(dy, x)
      yield { name, factor }
    }
    this.held.length = 0
  }
}

/** Rows from signed losses, as lossRows makes them; `terms` ascend by row. */
export async function factorRows(
  job: LayerJob,
  terms: readonly LossTerm[],
  count: number,
  store: FactorStore,
): Promise<FactoredRows> {
  const { gpu, config } = job
  if (terms.some(({ row }, i) => i > 0 && row < terms[i - 1].row))
    throw new EngineError('request-invalid', 'terms of rows must ascend')
  const shapes = coveredShapes(config)
  const share = new Float64Array(count)
  for (const { row, sign, weights } of terms) if (sign > 0 && !weights) share[row]++
  const bounds = new Uint32Array(count + 1)
  for (const { row, sequence } of terms) bounds[row + 1] += sequence.ids.length
  for (let row = 0; row < count; row++) bounds[row + 1] += bounds[row]
  const rounds = roundsOf(
    terms.map(({ sequence }) => sequence),
    config.vocabSize,
  )
  let [term, token] = [0, 0]
  for (const round of rounds) {
    const batch = new Batch(gpu, config, round)
    try {
      const scale = new Float32Array(batch.rowCount)
      round.forEach((_, s) => {
        const { row, sign, weights } = terms[term + s]
        const [from, to] = [batch.rowStarts[s], batch.rowStarts[s + 1]]
        if (weights) scale.set(Array.from(weights), from)
        else scale.fill(sign / Math.max(1, share[row]) / (to - from), from, to)
      })
      const pass = new LayerPass(job, batch)
      const { stream, borders } = await pass.forward()
      const { dStream, rows } = await pass.head(stream, { scale }, undefined)
      gpu.pool.release(stream, ...Object.values(rows))
      for (let l = config.layerCount - 1; l >= 0; l--) {
        const sink = new FactorSink(gpu, batch, shapes)
        await pass.layerBackward(l, borders[l], dStream, sink)
        for await (const { name, factor } of sink.read()) await store.put(name, token, factor)
      }
      gpu.pool.release(dStream)
      token += batch.tokenCount
    } finally {
      batch.release()
    }
    term += round.length
  }
  return { count, bounds, shapes, store }
}

/** A weight's factors on the device, for putting rows together. */
export class HeldFactor {
  private readonly gpu: Gpu
  private readonly buffers: { dy: GPUBuffer; x: GPUBuffer; segments: GPUBuffer; groups: GPUBuffer }
  private readonly count: number
  private readonly shape: readonly [number, number]

  constructor(gpu: Gpu, rows: FactoredRows, shape: readonly [number, number], { dy, x }: Factor) {
    this.gpu = gpu
    this.count = rows.count
    this.shape = shape
    const upload = (data: Float32Array | Uint32Array) => {
      const buffer = gpu.pool.take(data.byteLength)
      gpu.write(buffer, data)
      return buffer
    }
    this.buffers = {
      dy: upload(dy),
      x: upload(x),
      segments: upload(rows.bounds),
      groups: upload(Uint32Array.from({ length: rows.count + 1 }, (_, z) => z)),
    }
  }

  /** Encodes rows of A over weight rows [first, first + rows): (n, rows · in), pooled, n rows in whole fours. */
  encode(first: number, rows: number): GPUBuffer {
    const { gpu, count } = this
    const [N, K] = this.shape
    const stride = paddedCount(rows * K)
    const a = gpu.pool.take(count * stride * 4)
    gpu.clear(a)
    const { dy, x, segments, groups } = this.buffers
    gpu.run(
      matmulBackwardWeight,
      {
        N: rows,
        K,
        Z: count,
        xStride: K,
        xOffset: 0,
        dyStride: N,
        dyOffset: first,
        power: 1,
        accumulate: 0,
        outRow: 0,
        outStride: stride,
      },
      { dy, x, segments, groups, dWeight: a },
    )
    return a
  }

  release(): void {
    this.gpu.pool.release(...Object.values(this.buffers))
  }
}

/** Factors in memory, for models whose factors fit. */
export function memoryFactors(shapes: FactoredRows['shapes'], tokens: number): FactorStore {
  const held = new Map<string, Factor>()
  return {
    async put(name, firstToken, { dy, x }) {
      const [N, K] = shapes.get(name)!
      const all = held.get(name) ?? { dy: new Float32Array(tokens * N), x: new Float32Array(tokens * K) }
      all.dy.set(dy, firstToken * N)
      all.x.set(x, firstToken * K)
      held.set(name, all)
    },
    async read(name) {
      const factor = held.get(name)
      if (!factor)
        throw new EngineError('file-missing', 'there are no factors of this weight', { tensor: name })
      return factor
    },
  }
}
