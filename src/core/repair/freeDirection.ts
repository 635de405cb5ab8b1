// The direction of an antidote in n numbers: steepest ascent of row 0 that spares the others. With rows A (row 0 the
// gradient h to go along, the others gradients t_j of losses to spare) and a diagonal metric G,
//   d = G⁻¹ Aᵀ α,  α_0 = 1,  ⟨t_j, d⟩ = 0 (two-sided: d is G-orthogonal to every G⁻¹t_j)
//   or ⟨t_j, d⟩ ≤ 0 (one-sided: only what would raise t_j's loss is removed, the projection onto a cone).
// Everything is in K = A G⁻¹ Aᵀ: ⟨A_i, d⟩ = (Kα)_i and ‖d‖²_G = αᵀKα. Panacea (arXiv 2501.18100) has no such
// constraint; sparing the task after the fact is ours (methods.md §5.6).

import { EngineError } from '../errors.ts'
import { eigenSymmetric } from '../geometry/eigen.ts'

export type Protection = 'one-sided' | 'two-sided' | 'none'

export interface FreeDirection {
  /** α (n) */ coefficients: Float64Array
  /** ⟨A_i, d⟩ (n): first-order change of each loss per unit of d */ slopes: Float64Array
  /** ‖d‖_G */ norm: number
  /** ‖d‖²_G over that of the unconstrained G⁻¹h: 1 where nothing had to be removed */ kept: number
}

/** Below this share of ‖G⁻¹h‖² what is left of h is float32 rounding of the Gram matrix. */
const LEAST_KEPT = 1e-6

/**
 * From K (n,n) row-major. `request-invalid` where h vanishes or is made of the spared gradients alone, `not-finite`.
 */
export function freeDirection(gram: Float64Array, n: number, protection: Protection): FreeDirection {
  if (!gram.every(Number.isFinite))
    throw new EngineError('not-finite', 'the Gram matrix of the gradients has a value that is not a number')
  if (!(gram[0] > 0))
    throw new EngineError(
      'request-invalid',
      'the harmful loss has no gradient here: there is no direction away',
    )
  const coefficients = new Float64Array(n)
  coefficients[0] = 1
  if (protection !== 'none' && n > 1) {
    const c = protection === 'two-sided' ? leastSquares(gram, n) : coneCoefficients(gram, n)
    for (let j = 1; j < n; j++) coefficients[j] = -c[j - 1]
  }
  const slopes = new Float64Array(n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) slopes[i] += gram[i * n + j] * coefficients[j]
  const squared = slopes.reduce((sum, slope, i) => sum + slope * coefficients[i], 0)
  const kept = squared / gram[0]
  if (!(kept > LEAST_KEPT))
    throw new EngineError(
      'request-invalid',
      'the harmful gradient lies in the span of the spared ones: no direction is left',
    )
  return { coefficients, slopes, norm: Math.sqrt(squared), kept: Math.min(1, kept) }
}

/** c (n−1) of K_TT c = K_T0 by pseudo-inverse: copies of one gradient are one constraint. */
function leastSquares(gram: Float64Array, n: number): Float64Array {
  const k = n - 1
  const inner = Float64Array.from(
    { length: k * k },
    (_, i) => gram[(Math.floor(i / k) + 1) * n + (i % k) + 1],
  )
  const { values, vectors } = eigenSymmetric(inner, k)
  const c = new Float64Array(k)
  for (let e = 0; e < k; e++) {
    if (values[e] <= 1e-7 * values[0] || values[e] <= 0) continue
    const vector = vectors.subarray(e * k, (e + 1) * k)
    let along = 0
    for (let j = 0; j < k; j++) along += vector[j] * gram[(j + 1) * n]
    for (let j = 0; j < k; j++) c[j] += (along / values[e]) * vector[j]
  }
  return c
}

/** c ≥ 0 (n−1) minimising ½cᵀK_TT c − cᵀK_T0, by coordinates: the dual of the projection onto ⟨t_j, d⟩ ≤ 0. */
function coneCoefficients(gram: Float64Array, n: number): Float64Array {
  const k = n - 1
  const c = new Float64Array(k)
  for (let sweep = 0; sweep < 20_000; sweep++) {
    let moved = 0
    for (let j = 0; j < k; j++) {
      const own = gram[(j + 1) * n + j + 1]
      if (!(own > 0)) continue
      let slope = gram[(j + 1) * n]
      for (let i = 0; i < k; i++) slope -= gram[(j + 1) * n + i + 1] * c[i]
      const next = Math.max(0, c[j] + slope / own)
      moved = Math.max(moved, Math.abs(next - c[j]) * Math.sqrt(own))
      c[j] = next
    }
    if (moved <= 1e-9 * Math.sqrt(gram[0])) break
  }
  return c
}
