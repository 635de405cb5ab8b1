// The best approximation of a matrix by one of lower rank: the first r singular triplets (Eckart & Young 1936), exactly for
// small matrices, and for large ones in a subspace found by random sampling with power iterations (Halko, Martinsson &
// Tropp 2011, arXiv 0909.4061, algorithms 4.4 and 5.1). Float64 on the host.

import { EngineError, throwIfCancelled } from '../errors.ts'
import { Random } from '../tensors/random.ts'
import { applyReflections, reflections } from './orthogonalFactor.ts'
import {
  assertDecomposable,
  type HostMatrix,
  LARGEST_SIDE,
  rowOf,
  singularTriplets,
} from './singularValues.ts'

export interface LowRankRequest {
  /** r, where no energy is asked for; at most this many otherwise */
  rank: number
  /** smallest rank whose squares of singular values are this share of all, in (0, 1] */
  energy?: number | undefined
  /** exactly up to this smaller side; EXACT_SIDE when absent */
  exactSide?: number | undefined
  seed?: number | undefined
  tensor?: string | undefined
  signal?: AbortSignal | undefined
}

/** M ≈ Σ_i σ_i u_i v_iᵀ, i < rank. */
export interface LowRank {
  rank: number
  /** σ_1 … σ_rank, descending */
  values: Float64Array
  /** (rank, m): row i is u_i */
  left: HostMatrix
  /** (rank, n): row i is v_i */
  right: HostMatrix
  /** ‖M‖_F */
  norm: number
  /** ‖M − Σ‖_F */
  error: number
  /** the least error that any matrix of this rank has: from all singular values, so only where they are known */
  bestError: number | undefined
  isExact: boolean
}

/**
 * Smaller side up to which all singular values are computed: about 20 n³ operations, seconds a tensor beyond. A random
 * subspace takes 2 m n (r + 10)(2 · 3 + 2) instead, 10 to 20 s for 8192 × 3072 at rank 8 (ours).
 */
export const EXACT_SIDE = 256
/** More directions than asked for, and passes over M Mᵀ: Halko et al. advise 5 to 10, and 1 or 2 (ours: 3). */
const OVERSAMPLING = 10
const POWER_PASSES = 3

/** Throws `request-invalid` for ranks and energies that make no sense or sides too large, `not-finite`, `cancelled`. */
export function lowRank(matrix: HostMatrix, request: LowRankRequest): LowRank {
  const { rows, columns } = matrix
  const { rank, energy, exactSide = EXACT_SIDE, tensor, signal } = request
  const where = tensor === undefined ? {} : { tensor }
  if (!Number.isInteger(rank) || rank < 1)
    throw new EngineError('request-invalid', `rank ${rank}: expected a positive whole number`, where)
  if (energy !== undefined && !(energy > 0 && energy <= 1))
    throw new EngineError('request-invalid', `energy ${energy}: expected a share above 0, at most 1`, where)
  const most = Math.min(rank, rows, columns)
  const isExact = Math.min(rows, columns) <= Math.min(exactSide, LARGEST_SIDE)
  const bad = matrix.data.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0)
    throw new EngineError('not-finite', `entry ${bad} of ${rows} × ${columns} is ${matrix.data[bad]}`, where)
  if (isExact) assertDecomposable(matrix, tensor)
  const norm = Math.sqrt(squareSum(matrix.data))
  const found = isExact
    ? singularTriplets(matrix)
    : sampledTriplets(matrix, Math.min(most + OVERSAMPLING, rows, columns), request.seed ?? 0, signal)
  const chosen = energy === undefined ? most : Math.min(most, rankOfEnergy(found.values, norm, energy))
  const kept = found.values.slice(0, chosen)
  const tail = isExact ? Math.sqrt(squareSum(found.values.subarray(chosen))) : undefined
  return {
    rank: chosen,
    values: kept,
    left: firstRows(found.left, chosen),
    right: firstRows(found.right, chosen),
    norm,
    // Pythagoras: what is left stands at right angles to what was taken.
    error: tail ?? Math.sqrt(Math.max(0, norm ** 2 - squareSum(kept))),
    bestError: tail,
    isExact,
  }
}

const squareSum = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0)

const firstRows = ({ columns, data }: HostMatrix, count: number): HostMatrix => ({
  rows: count,
  columns,
  data: data.slice(0, count * columns),
})

function rankOfEnergy(values: Float64Array, norm: number, energy: number): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) {
    sum += values[i] ** 2
    // One part in 10¹² for rounding: an energy of 1 must be reachable.
    if (sum >= energy * norm ** 2 * (1 - 1e-12)) return i + 1
  }
  return values.length
}

/** Triplets of Q Qᵀ M, with Q an orthonormal basis of (M Mᵀ)^q M Ω, Ω normal (n, count). */
function sampledTriplets(
  matrix: HostMatrix,
  count: number,
  seed: number,
  signal: AbortSignal | undefined,
): { values: Float64Array; left: HostMatrix; right: HostMatrix } {
  const { rows, columns } = matrix
  const start = Float64Array.from(new Random(seed).normals(count * columns))
  let basis = orthonormal(timesRight(matrix, { rows: count, columns, data: start }), signal)
  for (let pass = 0; pass < POWER_PASSES; pass++) {
    // Orthonormal after every product: small directions would drown in the large ones.
    const back = orthonormal(timesLeft(matrix, basis), signal)
    basis = orthonormal(timesRight(matrix, back), signal)
  }
  // B = Qᵀ M (count, n) is small; its left vectors are turned back by Q.
  const inner = singularTriplets(timesLeft(matrix, basis))
  const left = new Float64Array(inner.count * rows)
  for (let i = 0; i < inner.count; i++) {
    const out = left.subarray(i * rows, (i + 1) * rows)
    const shares = rowOf(inner.left, i)
    for (let k = 0; k < count; k++) {
      const direction = rowOf(basis, k)
      for (let j = 0; j < rows; j++) out[j] += shares[k] * direction[j]
    }
  }
  return { values: inner.values, left: { rows: inner.count, columns: rows, data: left }, right: inner.right }
}

/** Rows x_k (n) to rows M x_k (m). */
function timesRight({ rows, columns, data }: HostMatrix, vectors: HostMatrix): HostMatrix {
  const out = new Float64Array(vectors.rows * rows)
  for (let i = 0; i < rows; i++) {
    const row = data.subarray(i * columns, (i + 1) * columns)
    for (let k = 0; k < vectors.rows; k++) {
      const from = k * columns
      let [a, b] = [0, 0]
      let j = 0
      for (; j + 1 < columns; j += 2) {
        a += row[j] * vectors.data[from + j]
        b += row[j + 1] * vectors.data[from + j + 1]
      }
      if (j < columns) a += row[j] * vectors.data[from + j]
      out[k * rows + i] = a + b
    }
  }
  return { rows: vectors.rows, columns: rows, data: out }
}

/** Rows y_k (m) to rows Mᵀ y_k (n). */
function timesLeft({ rows, columns, data }: HostMatrix, vectors: HostMatrix): HostMatrix {
  const out = new Float64Array(vectors.rows * columns)
  for (let i = 0; i < rows; i++) {
    const from = i * columns
    for (let k = 0; k < vectors.rows; k++) {
      const share = vectors.data[k * rows + i]
      if (share === 0) continue
      const to = k * columns
      for (let j = 0; j < columns; j++) out[to + j] += share * data[from + j]
    }
  }
  return { rows: vectors.rows, columns, data: out }
}

/** Orthonormal rows that span what these rows span. */
function orthonormal(vectors: HostMatrix, signal: AbortSignal | undefined): HostMatrix {
  throwIfCancelled(signal)
  const { rows: count, columns: length } = vectors
  const factor = reflections(vectors.data, length, count)
  const data = new Float64Array(count * length)
  for (let k = 0; k < count; k++) {
    const unit = data.subarray(k * length, (k + 1) * length)
    unit[k] = 1
    applyReflections(factor, unit)
  }
  return { rows: count, columns: length, data }
}
