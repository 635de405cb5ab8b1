// The numbers that follow from the geometry alone, at once and exactly: with U G-orthonormal, the closed form
//   δ* = δ̄ − Σ_i λ/(1+λ) c_i u_i,   c_i = Σ_k λ_k c_i^(k)
// keeps c_i/(1+λ) of each of the m leading alignment coordinates and all else of δ̄. What the shield does to drift
// seen by other directions (held-out U) needs ⟨u′_i, u_j⟩_G and is measured by the engine, but at λ = 0.

import type { GeometrySummary } from '../../workers/api.ts'

export interface DriftEstimate {
  /** D = ‖P_A δ*‖_G with U from the estimating probes */
  own: number
  /** ‖δ*‖_G */
  total: number
  /** D/‖δ*‖_G, 0 … 1 */
  relative: number
}

/** Σ_k λ_k c^(k), first `count` coordinates. */
function mixCoordinates(
  coordinates: readonly (readonly number[])[],
  weights: readonly number[],
  count: number,
): number[] {
  return Array.from({ length: count }, (_, index) =>
    weights.reduce((sum, weight, expert) => sum + weight * (coordinates[expert]?.[index] ?? 0), 0),
  )
}

function norm(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
}

/** How many of the `rank` directions the geometry has. */
export function availableRank(geometry: GeometrySummary, rank: number): number {
  return Math.min(rank, ...geometry.alignmentCoordinates.map((row) => row.length))
}

/** ‖Σ_k λ_k Δ_k‖_G. */
export function barycentreNorm(geometry: GeometrySummary, weights: readonly number[]): number {
  let square = 0
  for (let k = 0; k < weights.length; k++)
    for (let l = 0; l < weights.length; l++)
      square += weights[k]! * weights[l]! * (geometry.gram[k]?.[l] ?? 0)
  return Math.sqrt(Math.max(0, square))
}

/** Drift of the shielded merge along its own alignment directions. */
export function shieldedDrift(
  geometry: GeometrySummary,
  weights: readonly number[],
  lambdaAlign: number,
  rank: number,
): DriftEstimate {
  const kept = 1 / (1 + lambdaAlign)
  const unshielded = norm(
    mixCoordinates(geometry.alignmentCoordinates, weights, availableRank(geometry, rank)),
  )
  const whole = barycentreNorm(geometry, weights)
  const own = kept * unshielded
  const total = Math.sqrt(Math.max(0, whole * whole - unshielded * unshielded * (1 - kept * kept)))
  return { own, total, relative: total > 0 ? own / total : 0 }
}

export interface UnshieldedDrift {
  own: number
  heldOut: number
  otherSource: number
  total: number
}

/** Drift of the plain barycentre, along all three sets of directions; exact. */
export function unshieldedDrift(
  geometry: GeometrySummary,
  weights: readonly number[],
  rank: number,
): UnshieldedDrift {
  const along = (coordinates: readonly (readonly number[])[]) =>
    norm(mixCoordinates(coordinates, weights, Math.min(rank, ...coordinates.map((row) => row.length))))
  return {
    own: along(geometry.alignmentCoordinates),
    heldOut: along(geometry.heldOutCoordinates),
    otherSource: along(geometry.otherCoordinates),
    total: barycentreNorm(geometry, weights),
  }
}

/** Drift of expert k itself, which is the barycentre with all weight on it. */
export function expertDrift(geometry: GeometrySummary, expert: number, rank: number): UnshieldedDrift {
  const weights = geometry.gram.map((_, index) => (index === expert ? 1 : 0))
  return unshieldedDrift(geometry, weights, rank)
}

/** Share of Σ μ_i over all rows that the leading `rank` directions explain; the summary lists the leading ones. */
export function explainedShare(geometry: GeometrySummary, rank: number): number {
  const total = geometry.eigenvalues.reduce((sum, value) => sum + value, 0)
  const leading = geometry.eigenvalues.slice(0, rank).reduce((sum, value) => sum + value, 0)
  return total > 0 ? (geometry.explained * leading) / total : 0
}

/** cos of the G-angle between two experts' displacements. */
export function expertCosine(geometry: GeometrySummary, first: number, second: number): number {
  const scale = Math.sqrt(geometry.gram[first]![first]! * geometry.gram[second]![second]!)
  return scale > 0 ? geometry.gram[first]![second]! / scale : 0
}
