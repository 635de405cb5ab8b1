// The slow truth of the shielded merge: explicit vectors of length D, dense G, float64; D below a hundred.
// It goes another way than closedForm.ts on purpose: U comes from whitening with G^-1/2 and the D x D
// eigenproblem (not the sample space), P_A = U U^T G is a matrix, and delta* solves the normal equations
//   (G + lambda_align G U W U^T G) delta = G delta_bar   by Gaussian elimination.

import { EngineError } from '../errors.ts'
import { eigenSymmetric } from '../geometry/eigen.ts'

/** Row-major dense matrix (rows, columns). */
export interface Matrix {
  rows: number
  columns: number
  data: Float64Array
}

export function matrix(rows: number, columns: number, entry: (i: number, j: number) => number): Matrix {
  const data = Float64Array.from({ length: rows * columns }, (_, at) => {
    const j = at % columns
    return entry((at - j) / columns, j)
  })
  return { rows, columns, data }
}

export const at = (m: Matrix, i: number, j: number): number => m.data[i * m.columns + j]

export const transpose = (m: Matrix): Matrix => matrix(m.columns, m.rows, (i, j) => at(m, j, i))

/** x y, (p,q) by (q,r). */
export function multiply(x: Matrix, y: Matrix): Matrix {
  if (x.columns !== y.rows)
    throw new EngineError(
      'shape-mismatch',
      `product of (${x.rows},${x.columns}) and (${y.rows},${y.columns})`,
    )
  return matrix(x.rows, y.columns, (i, j) => {
    let sum = 0
    for (let k = 0; k < x.columns; k++) sum += at(x, i, k) * at(y, k, j)
    return sum
  })
}

/** m^power for symmetric positive definite m, by its eigen-decomposition. */
export function powerOf(m: Matrix, power: number): Matrix {
  const { values, vectors } = eigenSymmetric(m.data, m.rows)
  return matrix(m.rows, m.rows, (i, j) => {
    let sum = 0
    for (let k = 0; k < m.rows; k++)
      sum += values[k] ** power * vectors[k * m.rows + i] * vectors[k * m.rows + j]
    return sum
  })
}

/** Solves m x = y by elimination with partial pivoting. */
export function solveLinear(m: Matrix, y: Float64Array): Float64Array {
  const n = m.rows
  const a = m.data.slice()
  const x = y.slice()
  for (let column = 0; column < n; column++) {
    let pivot = column
    for (let i = column; i < n; i++)
      if (Math.abs(a[i * n + column]) > Math.abs(a[pivot * n + column])) pivot = i
    if (a[pivot * n + column] === 0) throw new EngineError('check-failed', 'reference: singular system')
    for (let j = 0; j < n; j++) {
      const held = a[column * n + j]
      a[column * n + j] = a[pivot * n + j]
      a[pivot * n + j] = held
    }
    const held = x[column]
    x[column] = x[pivot]
    x[pivot] = held
    for (let i = column + 1; i < n; i++) {
      const factor = a[i * n + column] / a[column * n + column]
      for (let j = column; j < n; j++) a[i * n + j] -= factor * a[column * n + j]
      x[i] -= factor * x[column]
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) x[i] -= a[i * n + j] * x[j]
    x[i] /= a[i * n + i]
  }
  return x
}

/** m x for a vector x (columns). */
export const multiplyVector = (m: Matrix, x: Float64Array): Float64Array =>
  multiply(m, { rows: x.length, columns: 1, data: x }).data

/** U (D,m) with U^T G U = I and F_A U = G U diag(mu), F_A = A^T A / n; gradients A (n,D), metric G (D,D). */
export function referenceBasis(
  gradients: Matrix,
  metric: Matrix,
  rank: number,
): { u: Matrix; mu: Float64Array } {
  const size = metric.rows
  const whiten = powerOf(metric, -0.5)
  const fisher = multiply(transpose(gradients), gradients)
  for (let i = 0; i < fisher.data.length; i++) fisher.data[i] /= gradients.rows
  const { values, vectors } = eigenSymmetric(multiply(multiply(whiten, fisher), whiten).data, size)
  const leading = matrix(size, rank, (i, k) => vectors[k * size + i])
  return { u: multiply(whiten, leading), mu: values.slice(0, rank) }
}

/** P_A = U U^T G (D,D). */
export const referenceProjector = (u: Matrix, metric: Matrix): Matrix =>
  multiply(multiply(u, transpose(u)), metric)

export interface ReferenceProblem {
  /** G (D,D) */ metric: Matrix
  /** U (D,m) */ u: Matrix
  /** Delta_k: K x (D) */ experts: readonly Float64Array[]
  /** lambda_k (K), sum 1 */ weights: ArrayLike<number>
  lambdaAlign: number
  /** w_i (m) */ w: ArrayLike<number>
}

/** G + lambda_align G U W U^T G (D,D): half the Hessian of L. */
function halfHessian({ metric, u, lambdaAlign, w }: ReferenceProblem): Matrix {
  const gu = multiply(metric, u)
  return matrix(metric.rows, metric.rows, (i, j) => {
    let sum = at(metric, i, j)
    for (let k = 0; k < u.columns; k++) sum += lambdaAlign * w[k] * at(gu, i, k) * at(gu, j, k)
    return sum
  })
}

/** delta_bar = sum_k lambda_k Delta_k (D). */
export function referenceBarycentre({ experts, weights }: ReferenceProblem): Float64Array {
  return experts[0].map((_, j) => experts.reduce((sum, expert, k) => sum + weights[k] * expert[j], 0))
}

/** delta* (D) for a finite lambda_align. */
export function referenceMerge(problem: ReferenceProblem): Float64Array {
  const right = multiplyVector(problem.metric, referenceBarycentre(problem))
  return solveLinear(halfHessian(problem), right)
}

/** L_geo and L_align at any displacement (D), term by term from their definitions. */
export function referenceObjective(problem: ReferenceProblem, delta: Float64Array) {
  const { metric, u, experts, weights, lambdaAlign, w } = problem
  const inner = (x: Float64Array, y: Float64Array) =>
    multiplyVector(metric, y).reduce((sum, value, j) => sum + value * x[j], 0)
  let geometric = 0
  experts.forEach((expert, k) => {
    const gap = delta.map((value, j) => value - expert[j])
    geometric += weights[k] * inner(gap, gap)
  })
  let alignment = 0
  for (let i = 0; i < u.columns; i++) {
    const direction = Float64Array.from({ length: u.rows }, (_, j) => at(u, j, i))
    alignment += w[i] * inner(direction, delta) ** 2
  }
  return { geometric, alignment, total: geometric + lambdaAlign * alignment }
}

/** dL/d delta (D) = 2 (G + lambda G U W U^T G) delta - 2 G delta_bar. */
export function referenceGradient(problem: ReferenceProblem, delta: Float64Array): Float64Array {
  const left = multiplyVector(halfHessian(problem), delta)
  const right = multiplyVector(problem.metric, referenceBarycentre(problem))
  return left.map((value, j) => 2 * (value - right[j]))
}
