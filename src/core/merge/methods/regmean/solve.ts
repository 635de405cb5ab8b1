// Linear systems with one symmetric matrix and many right-hand sides, in float64 on the host.

import { EigenvalueDecomposition, Matrix } from 'ml-matrix'

/** Eigenvalues below this share of the largest count as zero. */
const NULL_SHARE = 1e-12

/**
 * X (rows, n) with X S = R for symmetric S (n, n), all row-major; `S` is overwritten. By Cholesky where S is positive
 * definite. Otherwise by eigenvalues: the pseudo-inverse, and `mean` (rows, n) in the directions that S does not
 * determine, the limit of S + εI and R + ε mean as ε → 0.
 */
export function solveSymmetric(
  S: Float64Array,
  n: number,
  R: Float64Array,
  rows: number,
  mean: Float64Array,
): Float64Array {
  const original = S.slice()
  if (!factor(S, n)) return solveByEigenvalues(original, n, R, rows, mean)
  const X = R.slice()
  for (let r = 0; r < rows; r++) {
    const at = r * n
    for (let i = 0; i < n; i++) {
      let sum = X[at + i]
      for (let k = 0; k < i; k++) sum -= S[i * n + k] * X[at + k]
      X[at + i] = sum / S[i * n + i]
    }
    for (let i = n - 1; i >= 0; i--) {
      const value = X[at + i] / S[i * n + i]
      X[at + i] = value
      // Column i of Lᵀ is row i of L: taken off what is left, so that memory is read in order.
      for (let k = 0; k < i; k++) X[at + k] -= S[i * n + k] * value
    }
  }
  return X
}

/** Cholesky factor L into the lower triangle of S; false where S is not positive definite. */
function factor(S: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = S[i * n + j]
      for (let k = 0; k < j; k++) sum -= S[i * n + k] * S[j * n + k]
      if (i !== j) S[i * n + j] = sum / S[j * n + j]
      else if (sum > 0) S[i * n + i] = Math.sqrt(sum)
      else return false
    }
  return true
}

function solveByEigenvalues(
  S: Float64Array,
  n: number,
  R: Float64Array,
  rows: number,
  mean: Float64Array,
): Float64Array {
  const matrix = Matrix.from1DArray(n, n, S)
  const { realEigenvalues: values, eigenvectorMatrix: Q } = new EigenvalueDecomposition(matrix, {
    assumeSymmetric: true,
  })
  const largest = Math.max(...values.map(Math.abs))
  const out = new Float64Array(rows * n)
  for (let r = 0; r < rows; r++)
    for (let e = 0; e < n; e++) {
      const isNull = Math.abs(values[e]) <= NULL_SHARE * largest
      const source = isNull ? mean : R
      let along = 0
      for (let i = 0; i < n; i++) along += source[r * n + i] * Q.get(i, e)
      const share = isNull ? along : along / values[e]
      for (let i = 0; i < n; i++) out[r * n + i] += share * Q.get(i, e)
    }
  return out
}
