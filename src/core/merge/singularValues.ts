// Singular value decomposition in float64 on the host: ml-matrix (Golub–Kahan) behind the one shape that merging needs,
// thin, descending, with signs fixed. A decomposition takes about 20 min(m,n)² max(m,n) operations.

import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import { EngineError } from '../errors.ts'
import { orientSign } from '../geometry/eigen.ts'
import { applyReflections, reflections } from './orthogonalFactor.ts'

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
/** A matrix this many times as long as wide is made a triangle first. */
const LONG = 1.5

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
  const isTall = rows >= columns
  const [m, n] = isTall ? [rows, columns] : [columns, rows]
  // Columns of the tall form as rows (n, m).
  const tall = new Float64Array(m * n)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      tall[isTall ? j * rows + i : i * columns + j] = data[i * columns + j] * unit
  const found = m >= LONG * n ? decomposeLong(tall, m, n) : decompose(tall, m, n)
  const [left, right] = isTall ? [found.long, found.short] : [found.short, found.long]
  for (let i = 0; i < count; i++) orientPair(rowOf(left, i), rowOf(right, i))
  return { count, values: found.values.map((s) => s / unit), left, right }
}

interface Factors {
  values: Float64Array
  long: HostMatrix
  short: HostMatrix
}

/** Triplets of the tall matrix (m, n) whose columns are the rows of `columns` (n, m). */
function decompose(columns: Float64Array, m: number, n: number): Factors {
  const matrix = new Matrix(m, n)
  for (let j = 0; j < n; j++) for (let i = 0; i < m; i++) matrix.set(i, j, columns[j * m + i])
  const found = new SingularValueDecomposition(matrix)
  return {
    values: Float64Array.from(found.diagonal.slice(0, n)),
    long: columnsOf(found.leftSingularVectors, n),
    short: columnsOf(found.rightSingularVectors, n),
  }
}

/** The same by way of the triangle R of A = QR: its left vectors are turned back by Q. */
function decomposeLong(columns: Float64Array, m: number, n: number): Factors {
  const factor = reflections(columns, m, n)
  const triangle = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) triangle[j * n + i] = factor.r[i * n + j]
  const { values, long, short } = decompose(triangle, n, n)
  const turned = new Float64Array(n * m)
  for (let k = 0; k < n; k++) {
    const vector = turned.subarray(k * m, (k + 1) * m)
    vector.set(rowOf(long, k))
    applyReflections(factor, vector)
  }
  return { values, long: { rows: n, columns: m, data: turned }, short }
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
