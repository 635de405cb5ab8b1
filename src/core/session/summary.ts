// What sliders need of a geometry, as plain numbers: every λ_k, λ_align and m follows from them by algebra alone. The same
// for a geometry that was computed and for one that is shipped with the page.

import { layerConflict } from './conflict.ts'
import { expertCoordinates, identityDifference, MAXIMUM_RANK } from './geometry.ts'
import type { JobOptions, Session, Setup } from './session.ts'

export interface GeometryNumbers {
  /** μ_i of the sample-space eigenproblem, descending */ eigenvalues: number[]
  rank: number
  explained: number
  /** Spearman correlation of the damped metric g with F, or why there is none */ metricCorrelation:
    | number
    | string
  /** Spearman correlation of the exact per-sequence F with the squared-matmul form */ fastFormCorrelation:
    | number
    | string
  /** relative change of the merge if G = I instead, ‖θ_G − θ_I‖ / ‖δ̄‖, at equal weights, λ_align = ∞, all directions */
  identityDifference: number
  /** c_i of each expert: alignmentCoordinates[k][i] = u_iᵀ G Δ_k */ alignmentCoordinates: number[][]
  /** same with the held-out U and the other source's U */ heldOutCoordinates: number[][]
  otherCoordinates: number[][]
  /** ⟨Δ_k, Δ_l⟩_G */ gram: number[][]
  /** κ_l = 1 − ‖Σ τ_k‖ / Σ ‖τ_k‖ of each layer; null where the experts are the anchor */
  conflictByLayer: (number | null)[]
}

/** The numbers of a setup's geometry, which is computed where it is not known yet. */
export async function summariseGeometry(
  session: Session,
  setup: Setup,
  options: JobOptions = {},
): Promise<GeometryNumbers> {
  const geometry = await session.prepare(setup, options)
  const checks = await session.metricChecks(setup, options)
  const K = setup.experts.length
  const experts = setup.experts.map(({ id }) => session.get(id).model)
  const conflict = await layerConflict(session.get(setup.anchor).model, experts, options.signal)
  const equal = new Float64Array(K).fill(1 / K)
  const basis = geometry.bases.own
  return {
    eigenvalues: Array.from(basis.eigenvalues),
    rank: basis.rank,
    explained: basis.explained,
    metricCorrelation: checks.metric,
    fastFormCorrelation: checks.fastForm,
    // At the hard projection with equal weights: a function of the geometry alone, like all of this summary.
    identityDifference: identityDifference(geometry, equal, Number.POSITIVE_INFINITY, MAXIMUM_RANK),
    alignmentCoordinates: expertCoordinates(geometry, 'own'),
    heldOutCoordinates: expertCoordinates(geometry, 'heldOut'),
    otherCoordinates: expertCoordinates(geometry, 'other'),
    gram: Array.from({ length: K }, (_, k) => Array.from(geometry.gram.subarray(k * K, (k + 1) * K))),
    conflictByLayer: conflict.map((value) => (Number.isFinite(value) ? value : null)),
  }
}
