// On quadratics whose minimum under bounds or sums is known by its optimality conditions, and on a curved valley.

import { describe, expect, it } from 'vitest'
import { Random } from '../tensors/random.ts'
import { type Feasible, projectedSearch, projectInto } from './projectedSearch.ts'

/** ½ (x − c)ᵀ A (x − c), A = Rᵀ R + I of condition some tens. */
function quadratic(n: number, seed: number) {
  const random = new Random(seed)
  const r = Array.from({ length: n }, () => Float64Array.from(random.normals(n, 1)))
  const centre = Float64Array.from({ length: n }, () => random.normal())
  const apply = (d: Float64Array) => {
    const rd = r.map((row) => row.reduce((sum, value, i) => sum + value * d[i], 0))
    return d.map((value, i) => value + r.reduce((sum, row, k) => sum + row[i] * rd[k], 0))
  }
  const at = (x: Float64Array) => {
    const d = x.map((value, i) => value - centre[i])
    const gradient = apply(d)
    return { value: d.reduce((sum, value, i) => sum + value * gradient[i], 0) / 2, gradient }
  }
  return { at, centre }
}

const start = (n: number, value: number) => new Float64Array(n).fill(value)

describe('projected quasi-Newton', () => {
  it.each([1, 2, 3])('finds the minimum with coefficients of at least 0, problem %d', async (seed) => {
    const { at, centre } = quadratic(6, seed)
    const feasible: Feasible = { lower: 0 }
    const found = await projectedSearch(start(6, 0.5), feasible, async (x) => at(x), {
      passes: 200,
      tolerance: 1e-10,
    })
    const { x, gradient } = found!
    expect(centre.some((value) => value < 0)).toBe(true)
    // No gradient where the coefficient is free, none that points inward where it is at its bound.
    x.forEach((value, i) => {
      expect(value).toBeGreaterThanOrEqual(0)
      if (value > 1e-9) expect(Math.abs(gradient[i])).toBeLessThan(1e-5)
      else expect(gradient[i]).toBeGreaterThan(-1e-5)
    })
  })

  it.each([1, 2, 3])('finds the minimum where groups sum to 1, problem %d', async (seed) => {
    const { at } = quadratic(6, seed)
    const feasible: Feasible = { lower: 0, simplexSize: 3 }
    const found = await projectedSearch(start(6, 1 / 3), feasible, async (x) => at(x), {
      passes: 200,
      tolerance: 1e-10,
    })
    const { x, gradient } = found!
    for (const from of [0, 3]) {
      const ids = [from, from + 1, from + 2]
      expect(ids.reduce((sum, i) => sum + x[i], 0)).toBeCloseTo(1, 9)
      // Free coefficients share one slope, those at 0 have none smaller.
      const free = ids.filter((i) => x[i] > 1e-9)
      const slope = gradient[free[0]]
      for (const i of ids)
        if (x[i] > 1e-9) expect(Math.abs(gradient[i] - slope)).toBeLessThan(1e-5)
        else expect(gradient[i] - slope).toBeGreaterThan(-1e-5)
    }
  })

  it('comes close in ten passes and never passes more often than asked', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { at } = quadratic(8, seed)
      let count = 0
      const search = (passes: number) =>
        projectedSearch(
          start(8, 0.5),
          { lower: 0 },
          async (x) => {
            count++
            return at(x)
          },
          { passes, tolerance: 1e-9 },
        )
      const exact = (await search(60))!.value
      count = 0
      const found = (await search(10))!.value
      expect(count).toBeLessThanOrEqual(10)
      const gap = (found - exact) / (at(start(8, 0.5)).value - exact)
      expect(gap).toBeLessThan(0.02)
    }
  })

  it('follows a curved valley downhill and never accepts a worse point', async () => {
    const seen: number[] = []
    const found = await projectedSearch(
      [0.1, 2],
      { lower: 0 },
      async (x) => {
        const [u, v] = [1 - x[0], x[1] - x[0] ** 2]
        const value = u * u + 20 * v * v
        seen.push(value)
        return { value, gradient: Float64Array.of(-2 * u - 80 * v * x[0], 40 * v) }
      },
      { passes: 60 },
    )
    expect(found!.value).toBe(Math.min(...seen))
    expect(found!.value).toBeLessThan(1e-4)
  })

  it('steps back from values that are no numbers, and keeps the best where it is stopped', async () => {
    let passes = 0
    const found = await projectedSearch(
      [0.5],
      { lower: 0 },
      async (x) => {
        if (++passes > 6) return undefined
        return x[0] > 0.6
          ? { value: Number.NaN, gradient: Float64Array.of(Number.NaN) }
          : { value: -x[0], gradient: Float64Array.of(-1) }
      },
      { passes: 20 },
    )
    expect(found!.x[0]).toBeGreaterThan(0.55)
    expect(found!.x[0]).toBeLessThanOrEqual(0.6)
    expect(await projectedSearch([1], { lower: 0 }, async () => undefined, { passes: 5 })).toBeUndefined()
  })
})

it('projects onto bounds and sums as their optimality conditions say', () => {
  const random = new Random(3)
  const centre = Float64Array.of(0.2, 0.3, 0.5, 1, 0, 0)
  for (let round = 0; round < 20; round++) {
    const x = Float64Array.from({ length: 6 }, () => random.normal())
    const y = projectInto(x, { lower: 0, simplexSize: 3 }, centre, 0.4)
    for (const from of [0, 3]) {
      const ids = [from, from + 1, from + 2]
      expect(ids.reduce((sum, i) => sum + y[i], 0)).toBeCloseTo(1, 9)
      // y = clamp(x − shift): those strictly inside their bounds are moved alike.
      const inside = ids.filter(
        (i) => y[i] > Math.max(0, centre[i] - 0.4) + 1e-9 && y[i] < centre[i] + 0.4 - 1e-9,
      )
      for (const i of inside) expect(x[i] - y[i]).toBeCloseTo(x[inside[0]] - y[inside[0]], 9)
    }
    y.forEach((value, i) => {
      expect(value).toBeGreaterThanOrEqual(0)
      expect(Math.abs(value - centre[i])).toBeLessThanOrEqual(0.4 + 1e-12)
    })
  }
})
