import { describe, expect, it } from 'vitest'
import type { GeometrySummary } from '../../workers/api.ts'
import {
  barycentreNorm,
  expertCosine,
  expertDrift,
  explainedShare,
  shieldedDrift,
  unshieldedDrift,
} from './algebra.ts'

// Two experts in a space of four coordinates with metric g, two G-orthonormal directions; everything below is
// computed once through the summary and once from the vectors themselves.
const g = [2, 0.5, 3, 1]
const unit = (index: number) => g.map((value, position) => (position === index ? 1 / Math.sqrt(value) : 0))
const directions = [unit(0), unit(2)]
const experts = [
  [0.3, -1, 0.7, 0.2],
  [-0.9, 0.4, 1.1, -0.6],
]
const inner = (a: number[], b: number[]) =>
  g.reduce((sum, value, index) => sum + value * a[index]! * b[index]!, 0)

const geometry: GeometrySummary = {
  key: 'k',
  eigenvalues: [3, 1],
  rank: 2,
  explained: 1,
  metricCorrelation: 1,
  fastFormCorrelation: 1,
  identityDifference: 0,
  alignmentCoordinates: experts.map((delta) => directions.map((u) => inner(u, delta))),
  heldOutCoordinates: experts.map((delta) => [inner(unit(1), delta)]),
  otherCoordinates: experts.map((delta) => [inner(unit(3), delta)]),
  conflictByLayer: [],
  gram: experts.map((a) => experts.map((b) => inner(a, b))),
  durationMs: 0,
}

/** The closed form, written out on vectors. */
function shielded(weights: number[], lambda: number, rank: number): number[] {
  const mean = g.map((_, index) => weights.reduce((sum, w, k) => sum + w * experts[k]![index]!, 0))
  return directions.slice(0, rank).reduce((delta, u) => {
    const step = (lambda / (1 + lambda)) * inner(u, mean)
    return delta.map((value, index) => value - step * u[index]!)
  }, mean)
}

describe('algebra', () => {
  it.each([
    [0.5, 0, 2],
    [0.5, 4, 2],
    [0.2, 1024, 2],
    [0.8, 0.25, 1],
    [1, 3, 1],
  ])('agrees with the vectors at weight %d, λ %d, rank %d', (weight, lambda, rank) => {
    const weights = [weight, 1 - weight]
    const delta = shielded(weights, lambda, rank)
    const drift = shieldedDrift(geometry, weights, lambda, rank)
    const own = Math.hypot(...directions.slice(0, rank).map((u) => inner(u, delta)))
    expect(drift.own).toBeCloseTo(own, 12)
    expect(drift.total).toBeCloseTo(Math.sqrt(inner(delta, delta)), 12)
    expect(drift.relative).toBeCloseTo(own / Math.sqrt(inner(delta, delta)), 12)
  })

  it('has the plain average at λ = 0', () => {
    const weights = [0.3, 0.7]
    const plain = unshieldedDrift(geometry, weights, 2)
    expect(plain.own).toBeCloseTo(shieldedDrift(geometry, weights, 0, 2).own, 12)
    expect(plain.total).toBeCloseTo(barycentreNorm(geometry, weights), 12)
    const mean = shielded(weights, 0, 2)
    expect(plain.heldOut).toBeCloseTo(Math.abs(inner(unit(1), mean)), 12)
    expect(plain.otherSource).toBeCloseTo(Math.abs(inner(unit(3), mean)), 12)
  })

  it('takes an expert alone for a merge with all weight on it', () => {
    expect(expertDrift(geometry, 1, 2)).toEqual(unshieldedDrift(geometry, [0, 1], 2))
  })

  it('explains by the eigenvalues and measures angles by the Gram matrix', () => {
    expect(explainedShare(geometry, 1)).toBeCloseTo(0.75, 12)
    expect(explainedShare(geometry, 16)).toBe(1)
    // The listed eigenvalues are the leading ones of more: together they explain what the summary says.
    expect(explainedShare({ ...geometry, explained: 0.8 }, 1)).toBeCloseTo(0.6, 12)
    const [a, b] = experts as [number[], number[]]
    expect(expertCosine(geometry, 0, 1)).toBeCloseTo(inner(a, b) / Math.sqrt(inner(a, a) * inner(b, b)), 12)
  })
})
