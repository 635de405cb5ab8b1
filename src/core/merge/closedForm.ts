// The shielded merge in closed form, as n-dimensional algebra over the gradient rows A.
//   L(delta) = L_geo + lambda_align L_align,  L_geo = sum_k lambda_k ||delta - Delta_k||_G^2   (AlignMerge,
//   arXiv 2512.16245),  L_align = sum_i w_i (u_i^T G delta)^2   (ours: the paper's exact form is not public).
// With sum lambda_k = 1 the minimum is delta* = delta_bar - sum_i s_i c_i u_i, s_i = lambda w_i/(1 + lambda w_i),
// written delta* = delta_bar - G^-1 A^T b for the streaming pass. G cancels in delta_bar: the metric acts
// through U alone. closedForm.reference.ts solves the same problem with explicit vectors.

import { EngineError } from '../errors.ts'
import { driftNorm, relativeDrift, shrunkNorm } from '../geometry/drift.ts'
import type { ObjectiveValues } from '../geometry/objective.ts'
import {
  type AlignmentBasis,
  alignmentCoordinates,
  applyMatrix,
  directionWeights,
  dot,
  mixRows,
  requireFinite,
  shrinkCoefficients,
  shrinkShares,
} from '../geometry/sampleSpace.ts'

export interface AlignMergeProblem {
  basis: AlignmentBasis
  /** a^(k) = A Delta_k: K x (n) */ a: readonly Float64Array[]
  /** <Delta_k, Delta_l>_G (K,K) row-major */ gram: Float64Array
  /** lambda_k (K), not negative, sum 1 */ weights: ArrayLike<number>
  /** lambda_align, 0 to Infinity */ lambdaAlign: number
  /** w_i (m) of L_align, default all 1 */ w?: Float64Array
}

export type { ObjectiveValues }

export interface AlignMergeSolution {
  /** b (n): delta* = delta_bar - G^-1 A^T b */ b: Float64Array
  /** a = A delta_bar (n) */ rowProducts: Float64Array
  /** c_i of the barycentre (m) */ c: Float64Array
  /** c_i of delta* (m) */ cShrunk: Float64Array
  /** D of the barycentre and of delta*, with U from the estimating probes */
  driftBefore: number
  drift: number
  /** D / ||delta*||_G, 0 to 1 */ relativeDrift: number
  /** ||delta_bar||_G and ||delta*||_G */
  totalBefore: number
  total: number
  objective: ObjectiveValues
}

/** `weights` scaled to sum 1. Rejects `request-invalid` for a negative weight or a zero sum. */
export function normaliseWeights(weights: ArrayLike<number>): Float64Array {
  requireFinite('expert weights', weights, weights.length)
  const out = Float64Array.from(weights)
  const sum = out.reduce((total, weight) => total + weight, 0)
  if (out.some((weight) => weight < 0) || !(sum > 0))
    throw new EngineError(
      'request-invalid',
      `expert weights [${out.join(', ')}]: expected none negative, some positive`,
    )
  return out.map((weight) => weight / sum)
}

/** Throws unless weights are a point of the simplex: off it the barycentre is not the minimum of L_geo. */
function requireSimplex(weights: ArrayLike<number>, count: number): void {
  requireFinite('expert weights', weights, count)
  let sum = 0
  for (let k = 0; k < count; k++) {
    if (weights[k] < 0) throw new EngineError('request-invalid', `expert weight ${k} is ${weights[k]}`)
    sum += weights[k]
  }
  if (Math.abs(sum - 1) > 1e-9)
    throw new EngineError('request-invalid', `expert weights sum to ${sum}, expected 1`)
}

/** ||delta_bar||_G^2 = lambda^T Gram lambda and the scatter sum_k lambda_k ||Delta_k - delta_bar||_G^2. */
function barycentreNorms(weights: ArrayLike<number>, gram: Float64Array, count: number) {
  requireFinite('Gram matrix of the experts', gram, count * count)
  let barNormSquared = 0
  let meanSquare = 0
  for (let k = 0; k < count; k++) {
    meanSquare += weights[k] * gram[k * count + k]
    for (let l = 0; l < count; l++) barNormSquared += weights[k] * weights[l] * gram[k * count + l]
  }
  // Both are >= 0 in exact arithmetic; a single expert must not get a scatter of -1e-17.
  return { barNormSquared: Math.max(barNormSquared, 0), scatter: Math.max(meanSquare - barNormSquared, 0) }
}

/** Adds the terms up; an alignment term of exactly zero costs nothing even at lambda_align = Infinity. */
function sumObjective(geometric: number, alignment: number, lambdaAlign: number): ObjectiveValues {
  return {
    geometric,
    alignment,
    total: alignment === 0 ? geometric : geometric + lambdaAlign * alignment,
  }
}

/**
 * Minimises L_geo + lambda_align L_align exactly. Rejects `shape-mismatch`, `not-finite`, and
 * `request-invalid` for weights off the simplex or a negative lambda_align.
 */
export function solveAlignMerge(problem: AlignMergeProblem): AlignMergeSolution {
  const { basis, a, gram, weights, lambdaAlign } = problem
  requireSimplex(weights, a.length)
  const w = problem.w ?? directionWeights(basis, 'equal')
  const rowProducts = mixRows(weights, a)
  const c = alignmentCoordinates(basis, rowProducts)
  const b = shrinkCoefficients(basis, c, lambdaAlign, w)
  const shares = shrinkShares(lambdaAlign, w)
  // 1 / (1 + lambda w) and not 1 - s: the difference would lose all digits at large lambda.
  const cShrunk = c.map((value, i) => (w[i] === 0 ? value : value / (1 + lambdaAlign * w[i])))
  const { barNormSquared, scatter } = barycentreNorms(weights, gram, a.length)
  const drift = driftNorm(cShrunk)
  const total = shrunkNorm(barNormSquared, c, cShrunk)
  let moved = 0
  let alignment = 0
  for (let i = 0; i < basis.rank; i++) {
    moved += (shares[i] * c[i]) ** 2
    alignment += w[i] * cShrunk[i] ** 2
  }
  return {
    b,
    rowProducts,
    c,
    cShrunk,
    driftBefore: driftNorm(c),
    drift,
    relativeDrift: relativeDrift(drift, total),
    totalBefore: Math.sqrt(barNormSquared),
    total,
    objective: sumObjective(scatter + moved, alignment, lambdaAlign),
  }
}

/**
 * The objective at delta = delta_bar - G^-1 A^T b for any b (n), from K = (1/n) A G^-1 A^T (n,n); also after a
 * budget step, where b has left the span of the kept directions.
 */
export function objectiveAt(
  problem: AlignMergeProblem,
  kernel: Float64Array,
  b: Float64Array,
): ObjectiveValues {
  const { basis, a, gram, weights, lambdaAlign } = problem
  requireSimplex(weights, a.length)
  requireFinite('K', kernel, basis.n * basis.n)
  requireFinite('b', b, basis.n)
  const w = problem.w ?? directionWeights(basis, 'equal')
  const kernelB = applyMatrix(kernel, b, basis.n)
  const remaining = mixRows(weights, a).map((value, j) => value - basis.n * kernelB[j])
  const c = alignmentCoordinates(basis, remaining)
  const { scatter } = barycentreNorms(weights, gram, a.length)
  const alignment = c.reduce((sum, value, i) => sum + w[i] * value * value, 0)
  return sumObjective(scatter + basis.n * dot(b, kernelB), alignment, lambdaAlign)
}
