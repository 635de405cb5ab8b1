// Singular value decomposition in float64 on the host: ml-matrix (Golub–Kahan) behind the one shape that merging needs,
// thin, descending, with signs fixed. A decomposition takes about 20 min(m,n)² max(m,n) operations.

import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import { EngineError } from '../errors.ts'
import { orientSign } from '../geometry/eigen.ts'

/** Row-major real matrix (rows, columns). */
export interface HostMatrix {
  rows: number
  columns: number
  data: Float64Array
}

/** M = Σ_i values[i] left_i right_iᵀ, i < count = min(m, n). */
export interface SingularTriplets {
  count: number
  /** σ (count), descending, at least 0 */
  values: Float64Array
  /** (count, m): row i is u_i, its largest component positive */
  left: HostMatrix
  /** (count, n): row i is v_i */
  right: HostMatrix
}

/** The smaller side of a matrix beyond which a decomposition would take hours. */
export const LARGEST_SIDE = 4096
/** σ ≤ this · σ_max counts as zero: its vectors are rounding, and are left out (ours). */
const NULL_SHARE = 1e-5

/** Throws `request-invalid` or `not-finite`, with the tensor's name, where a decomposition cannot be had. */
export function assertDecomposable({ rows, columns, data }: HostMatrix, tensor?: string): void {
  const where = tensor === undefined ? {} : { tensor }
  if (Math.min(rows, columns) > LARGEST_SIDE)
    throw new EngineError(
      'request-invalid',
      `singular values of a ${rows} × ${columns} matrix would take hours; the smaller side may be at most ${LARGEST_SIDE}`,
      where,
    )
  const bad = data.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0)
    throw new EngineError(
      'not-finite',
      `singular values: entry ${bad} of ${rows} × ${columns} is ${data[bad]}`,
      where,
    )
}

/**
 * Decomposes a matrix of any shape. Vectors of singular values that are zero are orthonormal too, but arbitrary.
 * Rejects `shape-mismatch`, `not-finite`, and `request-invalid` for a matrix that is too large.
 */
export function singularTriplets({ rows, columns, data }: HostMatrix): SingularTriplets {
  const count = Math.min(rows, columns)
  if (!(count >= 1) || data.length !== rows * columns)
    throw new EngineError(
      'shape-mismatch',
      `singular values: ${data.length} entries for a ${rows} × ${columns} matrix`,
    )
  assertDecomposable({ rows, columns, data })
  const scale = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  // A power of two, so that scaling rounds nothing; squares of tiny entries then stay away from the subnormals.
  const unit = scale > 0 ? 2 ** -Math.ceil(Math.log2(scale)) : 1
  // Tall: ml-matrix takes no other shape without turning it round itself.
  const isTall = rows >= columns
  const [m, n] = isTall ? [rows, columns] : [columns, rows]
  const tall = new Matrix(m, n)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const value = data[i * columns + j] * unit
      if (isTall) tall.set(i, j, value)
      else tall.set(j, i, value)
    }
  const found = new SingularValueDecomposition(tall)
  const long = columnsOf(found.leftSingularVectors, count)
  const short = columnsOf(found.rightSingularVectors, count)
  const [left, right] = isTall ? [long, short] : [short, long]
  for (let i = 0; i < count; i++) orientPair(rowOf(left, i), rowOf(right, i))
  return { count, values: Float64Array.from(found.diagonal.slice(0, count), (s) => s / unit), left, right }
}

/** The first `count` columns as rows. */
function columnsOf(matrix: Matrix, count: number): HostMatrix {
  const { rows } = matrix
  const data = new Float64Array(count * rows)
  for (let i = 0; i < count; i++) for (let j = 0; j < rows; j++) data[i * rows + j] = matrix.get(j, i)
  return { rows: count, columns: rows, data }
}

export const rowOf = ({ columns, data }: HostMatrix, i: number): Float64Array =>
  data.subarray(i * columns, (i + 1) * columns)

/** Turns u and v together so that u's largest component is positive: the pair's product keeps its sign. */
function orientPair(u: Float64Array, v: Float64Array): void {
  const before = u.find((value) => value !== 0)
  orientSign(u)
  const after = u.find((value) => value !== 0)
  if (before !== after) for (let i = 0; i < v.length; i++) v[i] = -v[i]
}

/** Number of singular values that are not zero. */
export function rankOf(values: Float64Array): number {
  return values.filter((value) => value > NULL_SHARE * values[0]).length
}

/** P Qᵀ of M = P D Qᵀ, null directions left out: the nearest matrix with orthonormal rows or columns; 0 for 0. */
export function polarFactor(matrix: HostMatrix): HostMatrix {
  const { values, left, right } = singularTriplets(matrix)
  return sumOfProducts(left, right, new Float64Array(rankOf(values)).fill(1))
}

/** Σ_i shares[i] a_i b_iᵀ (m, n) of rows a_i (m) and b_i (n), i below shares' length. */
export function sumOfProducts(a: HostMatrix, b: HostMatrix, shares: Float64Array): HostMatrix {
  const [rows, columns] = [a.columns, b.columns]
  const data = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++) {
    const out = data.subarray(i * columns, (i + 1) * columns)
    for (let k = 0; k < shares.length; k++) {
      const share = shares[k] * a.data[k * rows + i]
      if (share === 0) continue
      const row = k * columns
      for (let j = 0; j < columns; j++) out[j] += share * b.data[row + j]
    }
  }
  return { rows, columns, data }
}
