// The soft budget L_bud = lambda_bud [tau - a(delta)]_+^2 to first order, a(delta) ~ a_0 + q^T delta, on top of the
// closed form. q = A^T e is the gradient of the alignment functional, one of the rows of A or a mix of them.
// With H = G + lambda_align G U W U^T G:  delta** = delta* + s H^-1 q,
//   H^-1 = G^-1 - U diag(s_i) U^T,   s = lambda_bud v / (1 + lambda_bud q^T H^-1 q),   v = tau - a_0 - q^T delta*.
// AlignMerge (arXiv 2512.16245) names the budget; hinge, threshold and this step are ours. a is strongly
// non-linear: whoever takes the step must measure a afterwards.

import { EngineError } from '../errors.ts'
import {
  type AlignmentBasis,
  applyMatrix,
  dot,
  requireFinite,
  shrinkShares,
} from '../geometry/sampleSpace.ts'

export interface BudgetStepProblem {
  basis: AlignmentBasis
  /** K = (1/n) A G^-1 A^T (n,n) row-major */ kernel: Float64Array
  /** a = A delta_bar (n) */ rowProducts: Float64Array
  /** b (n) of the closed form without budget */ b: Float64Array
  /** lambda_align and w (m) of the closed form */ lambdaAlign: number
  w: Float64Array
  /** e (n) with q = A^T e; a unit vector where q is a row */ gradient: Float64Array
  /** a_0 at the anchor and tau, e.g. log S (natural) */ valueAtAnchor: number
  threshold: number
  /** lambda_bud, 0 to Infinity */ lambdaBudget: number
}

export interface BudgetStep {
  /** b (n) of delta** = delta_bar - G^-1 A^T b */ b: Float64Array
  /** s; 0 where no step was needed or none is possible */ step: number
  /** v_+ before and after the step, to first order */
  shortfallBefore: number
  shortfallAfter: number
  /** false where q has no part left that a step could use (q^T H^-1 q = 0) and a shortfall remains */
  isReachable: boolean
}

/** The budget step; see the head of the file. Rejects `shape-mismatch`, `not-finite`, `request-invalid`. */
export function takeBudgetStep(problem: BudgetStepProblem): BudgetStep {
  const { basis, kernel, rowProducts, b, w, gradient, lambdaBudget } = problem
  const { n, rank } = basis
  requireFinite('K', kernel, n * n)
  requireFinite('a = A delta_bar', rowProducts, n)
  requireFinite('b', b, n)
  requireFinite('e of the budget gradient', gradient, n)
  requireFinite('budget value and threshold', [problem.valueAtAnchor, problem.threshold], 2)
  requireFinite('direction weights', w, rank)
  if (!(lambdaBudget >= 0))
    throw new EngineError('request-invalid', `lambda_bud: found ${lambdaBudget}, expected 0 or more`)

  const shares = shrinkShares(problem.lambdaAlign, w)
  const kernelE = applyMatrix(kernel, gradient, n)
  // H^-1 q = G^-1 A^T f with f = e - sum_i s_i (u_i^T q) w_i and u_i^T q = n w_i^T K e.
  const f = gradient.slice()
  for (let i = 0; i < rank; i++) {
    const row = basis.rows.subarray(i * n, (i + 1) * n)
    const along = shares[i] * n * dot(row, kernelE)
    for (let j = 0; j < n; j++) f[j] -= along * row[j]
  }
  const plainNorm = n * dot(gradient, kernelE)
  const raw = n * dot(f, kernelE)
  // q inside the removed subspace leaves rounding only; a division by it would throw the merge anywhere.
  const qNorm = raw > 1e-9 * plainNorm ? raw : 0

  const change = dot(gradient, rowProducts) - n * dot(kernelE, b)
  const shortfall = problem.threshold - problem.valueAtAnchor - change
  if (shortfall <= 0)
    return { b: b.slice(), step: 0, shortfallBefore: 0, shortfallAfter: 0, isReachable: true }
  if (qNorm === 0)
    return {
      b: b.slice(),
      step: 0,
      shortfallBefore: shortfall,
      shortfallAfter: shortfall,
      isReachable: false,
    }
  const step =
    lambdaBudget === Number.POSITIVE_INFINITY
      ? shortfall / qNorm
      : (lambdaBudget * shortfall) / (1 + lambdaBudget * qNorm)
  return {
    b: b.map((value, j) => value - step * f[j]),
    step,
    shortfallBefore: shortfall,
    shortfallAfter: Math.max(shortfall - step * qNorm, 0),
    isReachable: true,
  }
}
