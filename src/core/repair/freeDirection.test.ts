import { describe, expect, it } from 'vitest'
import { Random } from '../tensors/random.ts'
import { freeDirection, type Protection } from './freeDirection.ts'

const D = 12
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0)

/** Rows, a metric, K, and d = G⁻¹Aᵀα in full. */
function problem(rows: number[][], g = Array.from({ length: D }, (_, i) => 0.5 + (i % 3))) {
  const n = rows.length
  const gram = Float64Array.from({ length: n * n }, (_, k) => {
    const [a, b] = [rows[Math.floor(k / n)], rows[k % n]]
    return a.reduce((sum, value, i) => sum + (value * b[i]) / g[i], 0)
  })
  const solve = (protection: Protection) => {
    const found = freeDirection(gram, n, protection)
    const d = g.map((gi, i) => found.coefficients.reduce((sum, c, j) => sum + c * rows[j][i], 0) / gi)
    return { ...found, d }
  }
  return { g, gram, solve }
}
const random = new Random(4)
const row = () => Array.from(random.normals(D))

describe('freeDirection', () => {
  it('without protection is the natural gradient', () => {
    const rows = [row(), row(), row()]
    const { g, solve } = problem(rows)
    const { d, norm, kept, slopes } = solve('none')
    for (let i = 0; i < D; i++) expect(d[i]).toBeCloseTo(rows[0][i] / g[i], 12)
    expect(kept).toBe(1)
    expect(norm ** 2).toBeCloseTo(
      d.reduce((sum, value, i) => sum + g[i] * value * value, 0),
      10,
    )
    for (const [j, slope] of slopes.entries()) expect(slope).toBeCloseTo(dot(rows[j], d), 10)
  })

  it('two-sided is G-orthogonal to every spared natural gradient, and nothing else is removed', () => {
    const rows = [row(), row(), row(), row()]
    const { g, solve } = problem(rows)
    const { d, kept } = solve('two-sided')
    for (const spared of rows.slice(1)) {
      const natural = spared.map((value, i) => value / g[i])
      expect(
        dot(
          d.map((value, i) => value * g[i]),
          natural,
        ),
      ).toBeCloseTo(0, 9)
    }
    // h − G d lies in the span of the spared rows: it is orthogonal to whatever is orthogonal to them.
    const probe = problem([row(), ...rows.slice(1)]).solve('two-sided').d
    expect(
      dot(
        rows[0].map((value, i) => value - g[i] * d[i]),
        probe,
      ),
    ).toBeCloseTo(0, 9)
    expect(kept).toBeGreaterThan(0)
    expect(kept).toBeLessThan(1)
  })

  it('one-sided removes what would harm and keeps what helps', () => {
    const h = [1, 1, 0, ...Array(D - 3).fill(0)]
    const harmed = [1, 0, 0, ...Array(D - 3).fill(0)]
    const helped = [0, -1, 0, ...Array(D - 3).fill(0)]
    const { solve } = problem([h, harmed, helped], Array(D).fill(1))
    expect(
      solve('one-sided')
        .d.slice(0, 3)
        .map((value) => value + 0),
    ).toEqual([0, 1, 0])
    expect(() => solve('two-sided')).toThrow(/no direction is left/)
  })

  it('one-sided meets the conditions of the projection onto a cone', () => {
    for (let trial = 0; trial < 20; trial++) {
      const rows = [row(), row(), row(), row(), row(), row()]
      const { coefficients, slopes, kept } = problem(rows).solve('one-sided')
      for (let j = 1; j < rows.length; j++) {
        expect(coefficients[j]).toBeLessThanOrEqual(0)
        expect(slopes[j]).toBeLessThan(1e-7)
        expect(Math.abs(coefficients[j] * slopes[j])).toBeLessThan(1e-6)
      }
      expect(kept).toBeGreaterThanOrEqual(problem(rows).solve('two-sided').kept - 1e-9)
    }
  })

  it('takes copies of one spared gradient as one', () => {
    const [h, t] = [row(), row()]
    for (const protection of ['one-sided', 'two-sided'] as const) {
      const once = problem([h, t]).solve(protection)
      const thrice = problem([h, t, t, t]).solve(protection)
      for (let i = 0; i < D; i++) expect(thrice.d[i]).toBeCloseTo(once.d[i], 7)
    }
  })

  it('says so where there is no direction', () => {
    const zero = Array(D).fill(0)
    const [t, u] = [row(), row()]
    expect(() => problem([zero, t]).solve('one-sided')).toThrow(/no gradient/)
    const mixed = t.map((value, i) => value + 2 * u[i])
    for (const protection of ['one-sided', 'two-sided'] as const)
      expect(() => problem([mixed, t, u]).solve(protection)).toThrow(/no direction is left/)
    expect(problem([t, zero]).solve('two-sided').kept).toBe(1)
    expect(() => freeDirection(Float64Array.of(1, Number.NaN, 0, 1), 2, 'none')).toThrow(/not a number/)
  })
})
