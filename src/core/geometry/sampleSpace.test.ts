import { describe, expect, it } from 'vitest'
import { Random } from '../tensors/random.ts'
import {
  crossCoordinates,
  driftNorm,
  layerProfile,
  metricDifference,
  randomSubspace,
  relativeDrift,
  shrunkNorm,
} from './drift.ts'
import {
  type AlignmentBasis,
  alignmentBasis,
  alignmentCoordinates,
  directionWeights,
  mixRows,
  shrinkCoefficients,
  truncateBasis,
} from './sampleSpace.ts'

// Explicit vectors with a diagonal metric: D parameters in three layers, n gradient rows.
const D = 30
const N = 6
const LAYERS = [0, 1, 2]
const layerOf = (j: number) => Math.floor((j * LAYERS.length) / D)
const random = new Random(11, 0)
const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal())
const g = Float64Array.from({ length: D }, () => 0.1 + 10 * random.uniform())
const rowsA = Array.from({ length: N }, (_, k) => draw(D).map((x) => x * (1 + 2 * k)))
const rowsB = Array.from({ length: N - 1 }, () => draw(D))
const delta = draw(D)

const sum = (entry: (j: number) => number, keep = (_: number) => true) => {
  let total = 0
  for (let j = 0; j < D; j++) if (keep(j)) total += entry(j)
  return total
}
const products = (rows: Float64Array[], x: Float64Array, keep?: (j: number) => boolean) =>
  Float64Array.from(rows, (row) => sum((j) => row[j] * x[j], keep))
const grams = (left: Float64Array[], right: Float64Array[], power: number, keep?: (j: number) => boolean) =>
  Float64Array.from(left.flatMap((x) => right.map((y) => sum((j) => x[j] * y[j] * g[j] ** power, keep))))
const kernelOf = (rows: Float64Array[]) => grams(rows, rows, -1).map((value) => value / rows.length)
/** u_i = G^-1 A^T w_i as an explicit vector, or any combination of rows. */
const lift = (rows: Float64Array[], w: Float64Array) =>
  Float64Array.from({ length: D }, (_, j) => rows.reduce((s, row, k) => s + row[j] * w[k], 0) / g[j])
const direction = (rows: Float64Array[], basis: AlignmentBasis, i: number) =>
  lift(rows, basis.rows.subarray(i * basis.n, (i + 1) * basis.n))
const innerG = (x: Float64Array, y: Float64Array) => sum((j) => x[j] * g[j] * y[j])

const basis = alignmentBasis(kernelOf(rowsA), N, { rank: 4 })
const basisPrime = alignmentBasis(kernelOf(rowsB), N - 1, { rank: 3 })

describe('alignmentBasis', () => {
  it('is G-orthonormal and diagonalises F_A', () => {
    for (let i = 0; i < 4; i++) {
      const u = direction(rowsA, basis, i)
      for (let k = 0; k < 4; k++)
        expect(innerG(u, direction(rowsA, basis, k))).toBeCloseTo(i === k ? 1 : 0, 12)
      // F_A u = mu G u, entry by entry, F_A = A^T A / n.
      const along = products(rowsA, u)
      for (let j = 0; j < D; j++) {
        const left = rowsA.reduce((s, row, k) => s + row[j] * along[k], 0) / N
        expect(left).toBeCloseTo(basis.eigenvalues[i] * g[j] * u[j], 9)
      }
      const v = basis.vectors.subarray(i * N, (i + 1) * N)
      expect(v.reduce((s, x) => s + x * x, 0)).toBeCloseTo(1, 12)
    }
  })

  it('chooses the rank by the share of the spectrum, at most `maximum`', () => {
    const diagonal = (...mu: number[]) =>
      Float64Array.from({ length: mu.length ** 2 }, (_, at) =>
        at % (mu.length + 1) === 0 ? mu[at / (mu.length + 1)] : 0,
      )
    const kernel = diagonal(2, 5, 1, 1, 1)
    expect(alignmentBasis(kernel, 5).rank).toBe(4)
    expect(alignmentBasis(kernel, 5).explained).toBeCloseTo(0.9, 12)
    expect(alignmentBasis(kernel, 5, { explained: 0.91 }).rank).toBe(5)
    expect(alignmentBasis(kernel, 5, { explained: 0.7 }).rank).toBe(2)
    expect(alignmentBasis(kernel, 5, { maximum: 1 }).explained).toBeCloseTo(0.5, 12)
    const all = alignmentBasis(kernel, 5, { rank: 9 })
    expect(all.rank).toBe(5)
    const two = truncateBasis(all, 2)
    expect([two.rank, two.rows.length, two.spectrum.length]).toEqual([2, 10, 5])
    expect(two.explained).toBeCloseTo(0.7, 12)
    expect([...truncateBasis(all, 2).eigenvalues]).toEqual([5, 2])
  })

  it('drops numerically zero directions, refuses nonsense', () => {
    const doubled = [...rowsA, ...rowsA]
    expect(alignmentBasis(kernelOf(doubled), 2 * N, { rank: 12 }).rank).toBe(N)
    expect(alignmentBasis(new Float64Array(9), 3, { rank: 2 }).rank).toBe(0)
    expect(alignmentBasis(new Float64Array(9), 3).explained).toBe(0)
    expect(() => alignmentBasis(Float64Array.of(1, 0, 0, -1), 2)).toThrow(/not a Gram/)
    expect(() => alignmentBasis(Float64Array.of(1, 0, 0, 1), 2, { rank: 0 })).toThrow(/rank/)
    expect(() => alignmentBasis(Float64Array.of(1, 0, 0, Number.NaN), 2)).toThrow(/NaN/)
  })

  it('weights directions equally or by eigenvalue', () => {
    expect([...directionWeights(basis, 'equal')]).toEqual([1, 1, 1, 1])
    const w = directionWeights(basis, 'eigenvalue')
    expect(w[0]).toBe(1)
    expect(w[2]).toBeCloseTo(basis.eigenvalues[2] / basis.eigenvalues[0], 14)
  })
})

describe('coordinates and shrink', () => {
  const c = alignmentCoordinates(basis, products(rowsA, delta))

  it('c_i = u_i^T G delta', () => {
    c.forEach((value, i) => {
      expect(value).toBeCloseTo(innerG(direction(rowsA, basis, i), delta), 11)
    })
  })

  it.each([0, 0.5, 4, 1e6, Number.POSITIVE_INFINITY])(
    'lambda %d: delta - G^-1 A^T b has coordinates c / (1 + lambda w)',
    (lambda) => {
      const w = Float64Array.of(1, 0.5, 0.25, 0)
      const b = shrinkCoefficients(basis, c, lambda, w)
      const step = lift(rowsA, b)
      const shielded = delta.map((x, j) => x - step[j])
      const after = Float64Array.from(c, (value, i) => (w[i] === 0 ? value : value / (1 + lambda * w[i])))
      after.forEach((value, i) => {
        expect(innerG(direction(rowsA, basis, i), shielded)).toBeCloseTo(value, 11)
      })
      expect(shrunkNorm(innerG(delta, delta), c, after)).toBeCloseTo(
        Math.sqrt(innerG(shielded, shielded)),
        11,
      )
    },
  )

  it('refuses a negative lambda, negative weights, wrong lengths, NaN', () => {
    const w = Float64Array.of(1, 1, 1, 1)
    expect(() => shrinkCoefficients(basis, c, -1, w)).toThrow(/lambda_align/)
    expect(() => shrinkCoefficients(basis, c, Number.NaN, w)).toThrow(/lambda_align/)
    expect(() => shrinkCoefficients(basis, c, 1, Float64Array.of(1, 1, -1, 1))).toThrow(/negative/)
    expect(() => shrinkCoefficients(basis, c.slice(1), 1, w)).toThrow(/expected 4/)
    expect(() => alignmentCoordinates(basis, Float64Array.of(1, 2, 3, 4, 5, Number.NaN))).toThrow(/NaN/)
  })

  it('mixes row products and checks them', () => {
    expect([...mixRows([0.25, 0.75], [Float64Array.of(4, 8), Float64Array.of(0, 4)])]).toEqual([1, 5])
    expect(() => mixRows([1], [Float64Array.of(1), Float64Array.of(1)])).toThrow(/expected 2/)
  })
})

describe('drift', () => {
  const w = directionWeights(basis, 'equal')
  const b = shrinkCoefficients(basis, alignmentCoordinates(basis, products(rowsA, delta)), 3, w)
  const removed = lift(rowsA, b)
  const shielded = delta.map((x, j) => x - removed[j])

  it('cross coordinates are u_i^T G delta* in the other basis', () => {
    const cross = grams(rowsB, rowsA, -1)
    const c = crossCoordinates(basisPrime, products(rowsB, delta), cross, b)
    expect(c.length).toBe(3)
    c.forEach((value, i) => {
      expect(value).toBeCloseTo(innerG(direction(rowsB, basisPrime, i), shielded), 11)
    })
    // In its own basis X = n K gives the coordinates after the shrink.
    const own = crossCoordinates(
      basis,
      products(rowsA, delta),
      kernelOf(rowsA).map((x) => x * N),
      b,
    )
    const before = alignmentCoordinates(basis, products(rowsA, delta))
    own.forEach((value, i) => {
      expect(value).toBeCloseTo(before[i] / 4, 11)
    })
  })

  it('layer profile restricts every product to the layer', () => {
    const inLayer = (l: number) => (j: number) => layerOf(j) === l
    const profile = layerProfile(
      basisPrime,
      LAYERS.map((l) => products(rowsB, delta, inLayer(l))),
      LAYERS.map((l) => grams(rowsB, rowsA, -1, inLayer(l))),
      b,
    )
    LAYERS.forEach((l) => {
      let squares = 0
      for (let i = 0; i < 3; i++) {
        const u = direction(rowsB, basisPrime, i)
        squares += sum((j) => u[j] * g[j] * shielded[j], inLayer(l)) ** 2
      }
      expect(profile[l]).toBeCloseTo(Math.sqrt(squares), 11)
    })
  })

  it('norm and relative drift', () => {
    expect(driftNorm([3, 4])).toBe(5)
    expect(relativeDrift(1, 4)).toBe(0.25)
    expect(relativeDrift(0, 0)).toBe(0)
    expect(() => relativeDrift(2, 1)).toThrow(/exceeds/)
    expect(() => driftNorm([Number.NaN])).toThrow(/NaN/)
    expect(() => shrunkNorm(1, [2], [0])).toThrow(/negative/)
  })

  it('random subspace is G-orthonormal, in the span, reproducible, and not the leading one', () => {
    const full = alignmentBasis(kernelOf(rowsA), N, { rank: N })
    const control = randomSubspace(full, 2, new Random(5, 1))
    expect(randomSubspace(full, 2, new Random(5, 1)).rows).toEqual(control.rows)
    for (let i = 0; i < 2; i++) {
      const u = direction(rowsA, control, i)
      for (let k = 0; k < 2; k++)
        expect(innerG(u, direction(rowsA, control, k))).toBeCloseTo(i === k ? 1 : 0, 11)
      // Rayleigh value u^T F_A u.
      const along = products(rowsA, u)
      expect(along.reduce((s, x) => s + x * x, 0) / N).toBeCloseTo(control.eigenvalues[i], 9)
    }
    expect(control.explained).toBeLessThan(truncateBasis(full, 2).explained)
    expect(() => randomSubspace(full, N + 1, new Random(5, 1))).toThrow(/rank 7 of 6/)
  })

  it('metric difference equals the explicit distance', () => {
    const other = draw(N)
    const gap = lift(rowsA, b).map((x, j) => x - rowsA.reduce((s, row, k) => s + row[j] * other[k], 0))
    const found = metricDifference(
      {
        gramSquared: grams(rowsA, rowsA, -2),
        gramMetric: grams(rowsA, rowsA, -1),
        gramPlain: grams(rowsA, rowsA, 0),
      },
      b,
      other,
    )
    expect(found / Math.hypot(...gap)).toBeCloseTo(1, 11)
  })
})
