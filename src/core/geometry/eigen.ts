// Eigen-decomposition of a real symmetric matrix by cyclic Jacobi rotations, in float64 on the host.
// Source: Golub & Van Loan, Matrix Computations, section 8.5; the relative stopping rule
// |a_pq| <= eps sqrt(|a_pp a_qq|) is Demmel & Veselic (1992), which keeps small eigenvalues of a
// positive semi-definite matrix accurate. The sign rule is ours. Meant for n <= 300: a sweep is O(n^3).

import { EngineError } from '../errors.ts'

/** Eigenvalues (n) descending; vectors (n,n) row-major, row i is the unit eigenvector of values[i]. */
export interface SymmetricEigen {
  values: Float64Array
  vectors: Float64Array
}

const MAX_SWEEPS = 60
/** Largest |a_ij - a_ji| / max|a| accepted: matrices summed in float32 are symmetric only to rounding. */
const ASYMMETRY_LIMIT = 1e-4

/**
 * Flips `vector` so that its largest component is positive; among components that tie to 1e-9 the first
 * decides, because rounding must not pick the sign of (1, -1)/sqrt(2).
 */
export function orientSign(vector: Float64Array): void {
  let largest = 0
  for (const value of vector) largest = Math.max(largest, Math.abs(value))
  const decisive = vector.find((value) => Math.abs(value) >= largest * (1 - 1e-9))
  if (decisive !== undefined && decisive < 0) for (let i = 0; i < vector.length; i++) vector[i] = -vector[i]
}

/** Symmetric part of `matrix` (n,n) divided by its largest entry, and that entry; checks the input. */
function scaledSymmetricPart(matrix: Float64Array, n: number): { a: Float64Array; scale: number } {
  if (!Number.isInteger(n) || n < 1 || matrix.length !== n * n)
    throw new EngineError('shape-mismatch', `eigenproblem: ${matrix.length} entries for a ${n}x${n} matrix`)
  let scale = 0
  for (let i = 0; i < matrix.length; i++) {
    if (!Number.isFinite(matrix[i]))
      throw new EngineError('not-finite', `eigenproblem: entry ${i} of ${n}x${n} is ${matrix[i]}`)
    scale = Math.max(scale, Math.abs(matrix[i]))
  }
  const a = new Float64Array(n * n)
  if (scale === 0) return { a, scale: 1 }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const lower = matrix[i * n + j] / scale
      const upper = matrix[j * n + i] / scale
      if (Math.abs(lower - upper) > ASYMMETRY_LIMIT)
        throw new EngineError(
          'check-failed',
          `eigenproblem: entries (${i},${j}) and (${j},${i}) differ by ${Math.abs(lower - upper)} of the largest entry; a symmetric matrix was expected`,
        )
      a[i * n + j] = a[j * n + i] = (lower + upper) / 2
    }
  }
  return { a, scale }
}

/** Rotates rows and columns p < q of symmetric `a` so that a_pq vanishes; rows of `v` follow. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq)
  // The smaller root of t^2 + 2 theta t - 1 = 0: angles stay below 45 degrees, which convergence needs.
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  const tau = s / (1 + c)
  a[p * n + p] -= t * apq
  a[q * n + q] += t * apq
  a[p * n + q] = a[q * n + p] = 0
  for (let k = 0; k < n; k++) {
    const vp = v[p * n + k]
    const vq = v[q * n + k]
    v[p * n + k] = vp - s * (vq + tau * vp)
    v[q * n + k] = vq + s * (vp - tau * vq)
    if (k === p || k === q) continue
    const akp = a[p * n + k]
    const akq = a[q * n + k]
    a[p * n + k] = a[k * n + p] = akp - s * (akq + tau * akp)
    a[q * n + k] = a[k * n + q] = akq + s * (akp - tau * akq)
  }
}

/**
 * Decomposes symmetric `matrix` (n,n), row-major. Rejects `shape-mismatch`, `not-finite`, and
 * `check-failed` for a matrix that is not symmetric to 1e-4 of its largest entry or does not converge.
 */
export function eigenSymmetric(matrix: Float64Array, n: number): SymmetricEigen {
  const { a, scale } = scaledSymmetricPart(matrix, n)
  const v = new Float64Array(n * n)
  for (let i = 0; i < n; i++) v[i * n + i] = 1
  let rotations = 1
  for (let sweep = 0; rotations > 0; sweep++) {
    if (sweep === MAX_SWEEPS)
      throw new EngineError('check-failed', `eigenproblem of size ${n}: no convergence in ${sweep} sweeps`)
    rotations = 0
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const size = Math.abs(a[p * n + q])
        // Entries are scaled to 1, so 1e-40 is nothing; squares below it would reach the subnormals.
        if (size <= 1e-40 || size <= Number.EPSILON * Math.sqrt(Math.abs(a[p * n + p] * a[q * n + q])))
          continue
        rotate(a, v, n, p, q)
        rotations++
      }
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j] - a[i * n + i])
  const values = new Float64Array(n)
  const vectors = new Float64Array(n * n)
  order.forEach((from, to) => {
    values[to] = a[from * n + from] * scale
    const row = vectors.subarray(to * n, (to + 1) * n)
    row.set(v.subarray(from * n, (from + 1) * n))
    orientSign(row)
  })
  return { values, vectors }
}
