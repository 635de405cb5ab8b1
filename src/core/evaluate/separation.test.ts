import { describe, expect, it } from 'vitest'
import { clusterIndices } from './clusterIndices.ts'
import { isUnavailable } from './estimate.ts'
import { type ClassVectors, meanVector, pairGram, separationGradient, separationOf } from './separation.ts'
import { chainStandardisation, fitStandardisation, standardise } from './standardise.ts'
import { clouds, distance, rowOf } from './testClouds.ts'

const rowsOf = (values: Float32Array | Float64Array, width: number) =>
  Array.from({ length: values.length / width }, (_, i) => rowOf(values, width, i))

/** d^2, scatters and S point by point. */
function direct({ safe, unsafe, width }: ClassVectors) {
  const rows = [rowsOf(safe, width), rowsOf(unsafe, width)]
  const means = [meanVector(safe, width), meanVector(unsafe, width)]
  const scatter = rows.map((set, k) => set.reduce((sum, x) => sum + distance(x, means[k]) ** 2, 0))
  const n = rows[0].length + rows[1].length
  const d2 = distance(means[0], means[1]) ** 2
  const traces = scatter.map((w, k) => w / (rows[k].length - 1) / rows[k].length)
  const within = scatter[0] + scatter[1]
  const unbiased = d2 - traces[0] - traces[1]
  return { rows, means, d2, within, plain: d2 / (within / n), unbiased: unbiased / (within / n), n }
}

describe('separationOf', () => {
  it.each([0, 1000])('agrees with point-by-point sums, shift %d', (shift) => {
    const vectors = clouds([13, 21], 5, 1.5, 1, shift)
    const found = separationOf(pairGram(vectors))
    const wanted = direct(vectors)
    expect(found.counts).toEqual([13, 21])
    expect(found.distanceSquared / wanted.d2).toBeCloseTo(1, 9)
    expect(found.within / wanted.within).toBeCloseTo(1, 9)
    expect(found.plain / wanted.plain).toBeCloseTo(1, 9)
    expect(found.unbiased / wanted.unbiased).toBeCloseTo(1, 9)
  })

  it('is unbiased in d^2 where the plain form is not', () => {
    let plain = 0
    let unbiased = 0
    const trials = 400
    for (let seed = 0; seed < trials; seed++) {
      const s = separationOf(pairGram(clouds([10, 15], 12, 1, seed)))
      plain += s.distanceSquared / trials
      unbiased += s.unbiasedDistanceSquared / trials
    }
    // True d^2 = 1; plain carries 12/10 + 12/15 = 2 more. The mean over trials has a deviation of about 0.06.
    expect(Math.abs(unbiased - 1)).toBeLessThan(0.25)
    expect(Math.abs(plain - 3)).toBeLessThan(0.25)
  })

  it('refuses NaN, ragged rows and a class of one', () => {
    const bad = { safe: Float64Array.of(1, 2, Number.NaN, 4), unsafe: Float64Array.of(1, 2), width: 2 }
    expect(() => pairGram(bad)).toThrow(/safe vector 1, component 0, is NaN/)
    expect(() => pairGram({ ...bad, safe: Float64Array.of(1) })).toThrow(/rows of 2/)
    expect(() => separationOf(pairGram(clouds([1, 5], 2, 1, 1)))).toThrow(/two of each/)
  })
})

describe('separationGradient', () => {
  for (const form of ['plain', 'unbiased'] as const)
    it(`${form}: agrees with central differences at every component, through the standardisation`, () => {
      const raw = clouds([6, 9], 4, 2.5, 3)
      const standardisation = fitStandardisation(clouds([20, 20], 4, 2, 4))
      const at = (vectors: ClassVectors) => standardise(standardisation, vectors)
      const gradient = separationGradient(at(raw), form)
      const h = 1e-5
      let largest = 0
      for (const name of ['safe', 'unsafe'] as const) {
        const chained = chainStandardisation(standardisation, gradient[name])
        for (let i = 0; i < raw[name].length; i++) {
          const value = (step: number) => {
            const moved = raw[name].slice()
            moved[i] += step
            return Math.log(separationOf(pairGram(at({ ...raw, [name]: moved })))[form])
          }
          const numeric = (value(h) - value(-h)) / (2 * h)
          expect(Math.abs(numeric - chained[i])).toBeLessThan(1e-8)
          largest = Math.max(largest, Math.abs(numeric))
        }
      }
      expect(largest).toBeGreaterThan(0.05)
    })

  it('refuses clouds without separation', () => {
    const mixed = clouds([30, 30], 20, 0, 2)
    expect(separationOf(pairGram(mixed)).unbiased).toBeLessThan(0)
    expect(() => separationGradient(mixed, 'unbiased')).toThrow(/no gradient/)
  })
})

describe('clusterIndices', () => {
  const vectors = clouds([7, 11], 3, 2, 5, 40)
  const found = clusterIndices(pairGram(vectors))
  if (isUnavailable(found)) throw new Error(found.unavailable)
  const { rows, means, plain, n, d2, within } = direct(vectors)

  it('CHI * XB is the constant (n-2) n1 n2 / n^2, each by its own definition', () => {
    expect(found.xieBeni * found.calinskiHarabasz).toBeCloseTo((16 * 77) / 324, 10)
    expect(found.xieBeni).toBeCloseTo(within / (n * d2), 9)
    const overall = means[0].map((x, k) => (7 * x + 11 * means[1][k]) / 18)
    const between = 7 * distance(means[0], overall) ** 2 + 11 * distance(means[1], overall) ** 2
    expect(found.calinskiHarabasz).toBeCloseTo(between / (within / 16), 8)
    expect(found.xieBeni * plain).toBeCloseTo(1, 9)
  })

  it('Davies-Bouldin, Dunn and silhouette point by point', () => {
    const spread = rows.map((set, k) => set.reduce((sum, x) => sum + distance(x, means[k]), 0) / set.length)
    expect(found.daviesBouldin).toBeCloseTo((spread[0] + spread[1]) / Math.sqrt(d2), 9)
    const pairs = (x: ArrayLike<number>[], y: ArrayLike<number>[]) =>
      x.flatMap((p) => y.map((q) => distance(p, q)))
    const diameter = Math.max(...pairs(rows[0], rows[0]), ...pairs(rows[1], rows[1]))
    expect(found.dunn).toBeCloseTo(Math.min(...pairs(rows[0], rows[1])) / diameter, 9)
    let silhouette = 0
    for (const own of [0, 1])
      for (const x of rows[own]) {
        const a = rows[own].reduce((sum, y) => sum + distance(x, y), 0) / (rows[own].length - 1)
        const b = rows[1 - own].reduce((sum, y) => sum + distance(x, y), 0) / rows[1 - own].length
        silhouette += (b - a) / Math.max(a, b) / 18
      }
    expect(found.silhouette).toBeCloseTo(silhouette, 9)
  })

  it('names degenerate clouds', () => {
    const point = Float64Array.of(1, 1, 1, 1)
    expect(clusterIndices(pairGram({ safe: point, unsafe: point, width: 1 }))).toEqual({
      unavailable: 'the class means coincide',
    })
    expect(clusterIndices(pairGram({ safe: point, unsafe: point.map(() => 3), width: 1 }))).toEqual({
      unavailable: 'no spread within the classes',
    })
  })
})

describe('standardise', () => {
  it('gives the anchor mean 0 and deviation 1, drops constant dimensions, keeps the frame for others', () => {
    const anchor = clouds([40, 30], 3, 2, 8, 5)
    for (const values of [anchor.safe, anchor.unsafe])
      for (let i = 0; i < values.length; i += 3) values[i + 1] = 7.25
    const s = fitStandardisation(anchor)
    expect(s.activeCount).toBe(2)
    const { safe, unsafe } = standardise(s, anchor)
    for (const k of [0, 2]) {
      const column = [...safe, ...unsafe].filter((_, i) => i % 3 === k)
      const mean = column.reduce((sum, x) => sum + x, 0) / 70
      expect(mean).toBeCloseTo(0, 12)
      expect(column.reduce((sum, x) => sum + x * x, 0) / 70).toBeCloseTo(1, 12)
    }
    const other = clouds([2, 2], 3, 0, 9)
    const moved = standardise(s, other)
    // The anchor's constant dimension varies in the other model, and must not explode.
    expect(Math.abs(moved.safe[1])).toBe(0)
    expect(moved.safe[2]).toBeCloseTo((other.safe[2] - s.mean[2]) * s.inverseDeviation[2], 14)
    expect(() => standardise(s, clouds([2, 2], 4, 0, 9))).toThrow(/width 4/)
  })

  it('treats float32 rounding on a large mean as constant, but a small real spread as signal', () => {
    const column = (spread: number) => Float64Array.from({ length: 10 }, (_, i) => 1000 + spread * (i % 2))
    const kept = (spread: number) =>
      fitStandardisation({ safe: column(spread), unsafe: column(spread), width: 1 }).activeCount
    expect(kept(6e-5)).toBe(0)
    expect(kept(0.05)).toBe(1)
  })
})
