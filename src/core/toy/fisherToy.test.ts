// The toy against brute force: a Fisher matrix from differences of KL, a merge from blind search, and the dense
// float64 reference of the large model's closed form.

import { describe, expect, it } from 'vitest'
import { matrix, referenceBasis, referenceMerge } from '../merge/closedForm.reference.ts'
import { Random } from '../tensors/random.ts'
import {
  alignmentDirections,
  behaviourOf,
  divergence,
  fisherAt,
  metricOf,
  refusalOf,
  solveToy,
  type ToyProblem,
} from './fisherToy.ts'
import { eigen, ellipseOf, inner, inverse, length, minus, type Symmetric, type Vector } from './plane.ts'

function randomProblem(seed: number): ToyProblem {
  const random = new Random(seed, 1)
  const draw = (scale: number) => scale * (2 * random.uniform() - 1)
  const at = (scale: number): Vector => ({ x: draw(scale), y: draw(scale) })
  return {
    points: Array.from({ length: 12 }, (_, i) => ({ ...at(2), isHarmful: i < 5 })),
    anchor: at(1.5),
    experts: Array.from({ length: 2 + (seed % 2) }, () => ({ at: at(3), weight: random.uniform() + 0.1 })),
    lambdaAlign: [0, 0.25, 1, 4, 64, 1024][seed % 6],
    rank: seed % 5 === 0 ? 2 : 1,
    metric: seed % 4 === 3 ? 'identity' : 'fisher',
    damping: 0.01,
  }
}

/** Least value of f from a start, by steps along the axes and diagonals that are halved when none helps. */
function search(f: (at: Vector) => number, start: Vector): Vector {
  let [at, best, step] = [start, f(start), 1]
  while (step > 1e-10) {
    const tries = [-1, 0, 1].flatMap((x) =>
      [-1, 0, 1].map((y) => ({ x: at.x + x * step, y: at.y + y * step })),
    )
    const found = tries.map((next) => ({ next, value: f(next) })).sort((a, b) => a.value - b.value)[0]
    if (found.value < best) [at, best] = [found.next, found.value]
    else step /= 2
  }
  return at
}

const seeds = Array.from({ length: 24 }, (_, i) => i)
const near = (got: Vector, wanted: Vector, within: number) =>
  expect(Math.hypot(got.x - wanted.x, got.y - wanted.y)).toBeLessThan(within)

describe('Fisher information', () => {
  it.each(seeds)('is the second difference of the KL divergence, seed %i', (seed) => {
    const { points, anchor } = randomProblem(seed)
    const fisher = fisherAt(points, anchor)
    const h = 1e-4
    for (const direction of [
      { x: 1, y: 0 },
      { x: 0, y: 1 },
      { x: 0.6, y: -0.8 },
    ]) {
      const to = (by: number) => ({ x: anchor.x + by * direction.x, y: anchor.y + by * direction.y })
      const second = (divergence(points, anchor, to(h)) + divergence(points, anchor, to(-h))) / h ** 2
      expect(second).toBeCloseTo(inner(fisher, direction, direction), 4)
    }
  })

  it('of one point is p(1−p) x xᵀ', () => {
    const x = { x: 2, y: -1 }
    const theta = { x: 0.3, y: 0.7 }
    const p = 1 / (1 + Math.exp(0.1))
    expect(refusalOf(theta, x)).toBeCloseTo(p, 14)
    const { xx, xy, yy } = fisherAt([x], theta)
    expect([xx, xy, yy].map((value) => value / (p * (1 - p)))).toEqual([
      expect.closeTo(4, 12),
      expect.closeTo(-2, 12),
      expect.closeTo(1, 12),
    ])
  })

  it('stays finite where every answer is certain', () => {
    const points = [{ x: 900, y: 0, isHarmful: true }]
    expect(divergence(points, { x: 1, y: 0 }, { x: -1, y: 0 })).toBeCloseTo(900, 9)
    expect(refusalOf({ x: -1, y: 0 }, points[0])).toBe(0)
  })
})

describe('the merge', () => {
  it.each(seeds)('is where blind search ends, seed %i', (seed) => {
    const problem = randomProblem(seed)
    const { metric, directions, weights, merge, geometric, alignment } = solveToy(problem)
    const objective = (theta: Vector) => {
      const delta = minus(theta, problem.anchor)
      let sum = 0
      problem.experts.forEach(({ at }, k) => {
        sum += weights[k] * length(metric, minus(theta, at)) ** 2
      })
      for (const u of directions) sum += problem.lambdaAlign * inner(metric, u, delta) ** 2
      return sum
    }
    const found = search(objective, { x: 0, y: 0 })
    // A search on values alone sees a minimum to the square root of rounding.
    expect(objective(merge)).toBeLessThanOrEqual(objective(found) * (1 + 1e-12))
    near(merge, found, 2e-5)
    expect(geometric + problem.lambdaAlign * alignment).toBeCloseTo(objective(merge), 9)
  })

  it.each(seeds)('is that of the dense reference, seed %i', (seed) => {
    const problem = randomProblem(seed)
    const { metric: g, directions, weights, merge, eigenvalues } = solveToy(problem)
    const metric = matrix(2, 2, (i, j) => (i === j ? (i === 0 ? g.xx : g.yy) : g.xy))
    const rows = problem.points.filter(({ isHarmful }) => isHarmful)
    const gradients = matrix(rows.length, 2, (i, j) => (j === 0 ? rows[i].x : rows[i].y))
    const { u, mu } = referenceBasis(gradients, metric, directions.length)
    const delta = referenceMerge({
      metric,
      u,
      experts: problem.experts.map(({ at }) =>
        Float64Array.of(at.x - problem.anchor.x, at.y - problem.anchor.y),
      ),
      weights,
      lambdaAlign: problem.lambdaAlign,
      w: directions.map(() => 1),
    })
    near(minus(merge, problem.anchor), { x: delta[0], y: delta[1] }, 1e-9)
    for (const [i, value] of mu.entries()) expect(eigenvalues[i]).toBeCloseTo(value, 9)
  })

  it('keeps what is at right angles to the directions, and takes all else at λ = ∞', () => {
    const problem = { ...randomProblem(2), lambdaAlign: Number.POSITIVE_INFINITY }
    const { merge, shielded, directions, metric, after, share } = solveToy(problem)
    near(merge, shielded, 1e-12)
    expect(share).toBe(1)
    expect(after[0]).toBeCloseTo(0, 15)
    expect(inner(metric, directions[0], minus(merge, problem.anchor))).toBeCloseTo(0, 12)
  })

  it('is the anchor when all of the plane is shielded', () => {
    const problem = { ...randomProblem(4), rank: 2 as const, lambdaAlign: Number.POSITIVE_INFINITY }
    near(solveToy(problem).merge, problem.anchor, 1e-12)
  })

  it('with no harmful request is the average', () => {
    const { points, ...rest } = randomProblem(3)
    const problem = { ...rest, points: points.map((point) => ({ ...point, isHarmful: false })) }
    const { merge, average } = solveToy(problem)
    expect(merge).toEqual(average)
  })
})

describe('directions', () => {
  it.each(seeds)('are orthonormal in G, and refusals fall along them, seed %i', (seed) => {
    const problem = randomProblem(seed)
    const metric = metricOf(problem)
    const rows = problem.points.filter(({ isHarmful }) => isHarmful)
    const { directions } = alignmentDirections(rows, metric)
    expect(inner(metric, directions[0], directions[0])).toBeCloseTo(1, 10)
    expect(inner(metric, directions[1], directions[1])).toBeCloseTo(1, 10)
    expect(inner(metric, directions[0], directions[1])).toBeCloseTo(0, 10)
    const odds = (theta: Vector) => rows.reduce((sum, x) => sum + theta.x * x.x + theta.y * x.y, 0)
    expect(odds(directions[0])).toBeLessThanOrEqual(0)
  })
})

it.each(seeds)('the Fisher average is where blind search ends, seed %i', (seed) => {
  const problem = randomProblem(seed)
  const { expertFishers, weights, fisherAverage } = solveToy(problem)
  const objective = (theta: Vector) =>
    problem.experts.reduce(
      (sum, { at }, k) => sum + weights[k] * length(expertFishers[k], minus(theta, at)) ** 2,
      0,
    )
  expect(objective(fisherAverage)).toBeLessThanOrEqual(
    objective(search(objective, problem.anchor)) * (1 + 1e-9) + 1e-12,
  )
})

describe('the plane', () => {
  const m: Symmetric = { xx: 3, xy: -1.2, yy: 0.9 }

  it('has eigenvectors and an inverse', () => {
    const { values, vectors } = eigen(m)
    expect(values[0]).toBeGreaterThan(values[1])
    vectors.forEach((v, i) => {
      expect(m.xx * v.x + m.xy * v.y).toBeCloseTo(values[i] * v.x, 12)
      expect(m.xy * v.x + m.yy * v.y).toBeCloseTo(values[i] * v.y, 12)
    })
    const one = inverse(m)
    expect(m.xx * one.xx + m.xy * one.xy).toBeCloseTo(1, 12)
    expect(m.xx * one.xy + m.xy * one.yy).toBeCloseTo(0, 12)
  })

  it('draws ellipses whose points lie at the level', () => {
    const { radii, angle } = ellipseOf(m, 0.5)
    for (const turn of [0, 0.7, 2]) {
      const [x, y] = [radii[0] * Math.cos(turn), radii[1] * Math.sin(turn)]
      const point = {
        x: x * Math.cos(angle) - y * Math.sin(angle),
        y: x * Math.sin(angle) + y * Math.cos(angle),
      }
      expect(length(m, point)).toBeCloseTo(0.5, 12)
    }
    expect(ellipseOf({ xx: 1, xy: 0, yy: 0 }, 1).radii[0]).toBe(Number.POSITIVE_INFINITY)
  })
})

it('behaviour is the mean probability of refusing each kind', () => {
  const points = [
    { x: 1, y: 0, isHarmful: true },
    { x: -1, y: 0, isHarmful: false },
  ]
  const { refusal, overRefusal } = behaviourOf(points, { x: 2, y: 5 })
  expect(refusal).toBeCloseTo(1 / (1 + Math.exp(-2)), 12)
  expect(overRefusal).toBeCloseTo(1 / (1 + Math.exp(2)), 12)
})
