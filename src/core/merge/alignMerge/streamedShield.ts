// AlignMerge's closed form over models that are never held: the products of rows of A in factored form are summed run of
// weight rows by run, the n-dimensional algebra is that of closedForm.ts, and the correction is made tile by tile while
// the merge is written. Tensors that the rows do not cover are interpolated.

import { readElements } from '../../files/storedWeight.ts'
import { type FactoredRows, HeldFactor } from '../../geometry/factoredRows.ts'
import { sumGrams } from '../../geometry/gramPass.ts'
import {
  alignmentBasis,
  alignmentCoordinates,
  directionWeights,
  mixRows,
  shrinkCoefficients,
} from '../../geometry/sampleSpace.ts'
import type { Gpu } from '../../gpu/device.ts'
import { GRAM_OVER, GRAM_PLAIN } from '../../kernels/weightedGram/weightedGram.ts'
import { paddedCount } from '../../model/deviceModel.ts'
import { type StoredWeights, storedOf } from '../../model/streamed/partialModel.ts'
import type { Tile } from '../method.ts'
import type { StreamedShield } from '../streaming/tileMaterial.ts'

/** The damped metric g = F + ρ mean F, by weight and range. */
export interface MetricReader {
  /** F per token of a part of a weight */
  read(name: string, part: Tile, signal?: AbortSignal): Promise<Float32Array>
  /** ρ · mean F */
  shift: number
}

export interface StreamedGeometryInput {
  gpu: Gpu
  rows: FactoredRows
  anchor: StoredWeights
  experts: readonly StoredWeights[]
  metric: MetricReader
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** Products of the rows: K = A G⁻¹ Aᵀ / n (n,n), and A Δ_k: K x (n). */
export interface StreamedProducts {
  kernel: Float64Array
  products: Float64Array[]
}

/** Elements of a run of weight rows, of each row of A and each expert. */
const RUN_ELEMENTS = 2 ** 20

async function readMetric(metric: MetricReader, name: string, tile: Tile, signal: AbortSignal | undefined) {
  const { shift } = metric
  return (await metric.read(name, tile, signal)).map((value) => value + shift)
}

/** One pass over the weights that the rows cover. */
export async function streamProducts(input: StreamedGeometryInput): Promise<StreamedProducts> {
  const { gpu, rows, anchor, experts, metric, signal } = input
  const n = rows.count
  const kernel = new Float64Array(n * n)
  const products = experts.map(() => new Float64Array(n))
  let done = 0
  for (const [name, shape] of rows.shapes) {
    const [N, K] = shape
    const factor = new HeldFactor(gpu, rows, shape, await rows.store.read(name, signal))
    const step = Math.max(4, Math.floor(RUN_ELEMENTS / K / 4) * 4)
    try {
      for (let first = 0; first < N; first += step) {
        const height = Math.min(step, N - first)
        const tile = { start: first * K, count: height * K }
        const padded = paddedCount(tile.count)
        const a = factor.encode(first, height)
        const g = new Float32Array(padded).fill(1)
        g.set(await readMetric(metric, name, tile, signal))
        const differences = new Float32Array(experts.length * padded)
        const base = await readElements(storedOf(anchor, name), tile.start, tile.count, signal)
        for (const [k, expert] of experts.entries()) {
          const values = await readElements(storedOf(expert, name), tile.start, tile.count, signal)
          for (let i = 0; i < values.length; i++) differences[k * padded + i] = values[i] - base[i]
        }
        const weights = gpu.pool.take(padded * 4)
        const delta = gpu.pool.take(differences.byteLength)
        gpu.write(weights, g)
        gpu.write(delta, differences)
        const set = { buffer: a, rows: n }
        const sums = await sumGrams(gpu, [{ name, count: padded }], () => [
          { label: 'kernel', a: set, b: set, mode: GRAM_OVER, weights },
          { label: 'products', a: { buffer: delta, rows: experts.length }, b: set, mode: GRAM_PLAIN },
        ])
        gpu.pool.release(a, weights, delta)
        sums.total.get('kernel')!.forEach((value, i) => {
          kernel[i] += value / n
        })
        sums.total.get('products')!.forEach((value, i) => {
          products[Math.floor(i / n)][i % n] += value
        })
      }
    } finally {
      factor.release()
    }
    input.onProgress?.(++done, rows.shapes.size)
  }
  return { kernel, products }
}

/** b (n) of the closed form at λ_k (sum 1), λ_align and rank m. */
export function solveStreamed(
  { kernel, products }: StreamedProducts,
  weights: ArrayLike<number>,
  lambdaAlign: number,
  rank: number,
): Float64Array {
  const n = Math.sqrt(kernel.length)
  const basis = alignmentBasis(kernel, n, { rank: Math.min(rank, n), maximum: rank })
  const c = alignmentCoordinates(basis, mixRows(weights, products))
  return shrinkCoefficients(basis, c, lambdaAlign, directionWeights(basis, 'equal'))
}

/** What streamMerge takes off every tile: rows are put together from their factors where the tile is. */
export function factoredShield(
  { gpu, rows, metric }: Pick<StreamedGeometryInput, 'gpu' | 'rows' | 'metric'>,
  b: Float64Array,
): StreamedShield & { release(): void } {
  let held: { name: string; factor: HeldFactor } | undefined
  return {
    rows: rows.count,
    b,
    async read(name, tile, signal) {
      const shape = rows.shapes.get(name)
      if (!shape) return undefined
      if (held?.name !== name) {
        held?.factor.release()
        held = { name, factor: new HeldFactor(gpu, rows, shape, await rows.store.read(name, signal)) }
      }
      const K = shape[1]
      // Tiles need not begin at rows: the rows around them are made, and what is not asked for is left out.
      const first = Math.floor(tile.start / K / 4) * 4
      const height = Math.min(shape[0], Math.ceil((tile.start + tile.count) / K)) - first
      const stride = paddedCount(height * K)
      const buffer = held.factor.encode(first, height)
      const all = await gpu.readFloats(buffer, rows.count * stride)
      gpu.pool.release(buffer)
      const a = new Float32Array(rows.count * tile.count)
      const from = tile.start - first * K
      for (let row = 0; row < rows.count; row++)
        a.set(all.subarray(row * stride + from, row * stride + from + tile.count), row * tile.count)
      return { a, metric: await readMetric(metric, name, tile, signal) }
    },
    release() {
      held?.factor.release()
      held = undefined
    },
  }
}
