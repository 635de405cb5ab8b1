// Points of the merge at a λ that is not measured, while the slider moves: between two measured neighbours, and
// only where the same probes stand behind the same points. Beyond them nothing is drawn.

import type { AqiView, ClusterPoints } from '../../../workers/api.ts'
import { numberParameters } from '../../share/parameters.ts'
import { positionOf } from '../../share/scale.ts'
import type { SweepPoint } from '../../state/selectors.ts'

export type ShownClusters =
  | { kind: 'measured'; points: ClusterPoints }
  | { kind: 'between'; points: ClusterPoints; low: number; high: number }
  | { kind: 'none' }

function mix(a: Float32Array, b: Float32Array, share: number): Float32Array {
  return a.map((value, index) => value + share * (b[index]! - value))
}

/** One object, so that nothing is redrawn while there is nothing. */
export const noClusters: ShownClusters = { kind: 'none' }

export function clustersAt(sweep: readonly SweepPoint[], lambdaAlign: number, view: AqiView): ShownClusters {
  let below: { lambda: number; points: ClusterPoints } | undefined
  let above: { lambda: number; points: ClusterPoints } | undefined
  for (const { lambdaAlign: lambda, measurement } of sweep) {
    const points = measurement.clusters[view]
    if (!points) continue
    if (lambda === lambdaAlign) return { kind: 'measured', points }
    if (lambda < lambdaAlign) below = { lambda, points }
    else if (!above) above = { lambda, points }
  }
  if (!below || !above) return noClusters
  const isSameProbes =
    below.points.safe.length === above.points.safe.length &&
    below.points.unsafe.length === above.points.unsafe.length
  // A model's own answers change sides: then there is no path from one picture to the other.
  if (!isSameProbes || view === 'answers') return noClusters
  const place = (lambda: number) => positionOf(numberParameters.lambdaAlign, lambda)
  const share = (place(lambdaAlign) - place(below.lambda)) / (place(above.lambda) - place(below.lambda))
  return {
    kind: 'between',
    low: below.lambda,
    high: above.lambda,
    points: {
      safe: mix(below.points.safe, above.points.safe, share),
      unsafe: mix(below.points.unsafe, above.points.unsafe, share),
    },
  }
}
