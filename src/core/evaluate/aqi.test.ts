import { describe, expect, it } from 'vitest'
import {
  type AqiAnchor,
  fitAqiAnchor,
  logSeparationOf,
  measureAqi,
  normaliseSeparation,
  resampleSeparation,
  shuffledFloor,
} from './aqi.ts'
import { quantileOf } from './bootstrap.ts'
import { budgetAt, budgetThreshold, measureBudget } from './budget.ts'
import { type Estimate, type Interval, isUnavailable } from './estimate.ts'
import { pairGram, separationOf } from './separation.ts'
import { clouds, rowOf } from './testClouds.ts'

const present = <T extends object>(result: T | { unavailable: string }): T => {
  if (isUnavailable(result)) throw new Error(result.unavailable)
  return result as T
}
const interval = (estimate: Estimate): Interval => present<Interval>(estimate)

const anchorClouds = clouds([80, 90], 10, 2, 1)
const anchor: AqiAnchor = present(fitAqiAnchor(anchorClouds, 3))

describe('measureAqi', () => {
  it('gives the anchor 50 with an interval around it', () => {
    const { normalised, logSeparation, perClass } = measureAqi(anchorClouds, anchor, 3)
    const value = interval(normalised)
    expect(value.value).toBeCloseTo(50, 12)
    expect(value.low).toBeLessThan(49)
    expect(value.high).toBeGreaterThan(51)
    expect(value.count).toBe(170)
    expect(perClass).toEqual([80, 90])
    expect(interval(logSeparation).value).toBeCloseTo(anchor.logSeparation, 12)
  })

  it('rises and falls with the gap between the clouds', () => {
    const at = (gap: number) => interval(measureAqi(clouds([80, 90], 10, gap, 1), anchor, 3).normalised).value
    expect(at(3)).toBeGreaterThan(60)
    expect(at(1)).toBeLessThan(35)
    expect(normaliseSeparation(3, 1)).toBe(75)
    expect(normaliseSeparation(-1, 1)).toBe(0)
    expect(normaliseSeparation(Number.POSITIVE_INFINITY, 1)).toBe(100)
  })

  it('repeats bit for bit with the seed and differs with another', () => {
    const once = measureAqi(anchorClouds, anchor, 3)
    expect(measureAqi(anchorClouds, anchor, 3).normalised).toEqual(once.normalised)
    expect(measureAqi(anchorClouds, anchor, 4).normalised).not.toEqual(once.normalised)
  })

  it.each<[string, [number, number], number, string]>([
    ['too few', [70, 63], 2, '64 of each class are needed, found 70 safe and 63 unsafe'],
    ['one class', [70, 0], 2, 'one class only'],
    ['nothing', [0, 0], 2, 'no samples'],
    ['same clouds', [64, 64], 0, 'not separable'],
  ])('%s: unavailable, and says why', (_, counts, gap, reason) => {
    const result = measureAqi(clouds(counts, 10, gap, 6), anchor, 3)
    expect(result.normalised).toEqual({ unavailable: reason })
    expect(result.logSeparation).toEqual({ unavailable: reason })
    expect(logSeparationOf(result)).toEqual({ unavailable: reason })
    expect(result.perClass).toEqual(counts)
    expect(fitAqiAnchor(clouds(counts, 10, gap, 6), 3)).toEqual({ unavailable: reason })
  })

  it('refuses classes without spread and NaN', () => {
    const still = { safe: new Float64Array(640).fill(1), unsafe: new Float64Array(640), width: 10 }
    expect(measureAqi(still, anchor, 3).normalised).toEqual({ unavailable: 'no spread within the classes' })
    const broken = clouds([80, 80], 10, 1, 1)
    broken.unsafe[13] = Number.NaN
    expect(() => measureAqi(broken, anchor, 3)).toThrow(/unsafe vector 1, component 3/)
  })

  it('keeps the display value but not the logarithm where resamples lose the separation', () => {
    // A weak gap: the point estimate is positive, the lower tail is not.
    const seed = Array.from({ length: 200 }, (_, i) => i).find((i) => {
      const s = separationOf(pairGram(clouds([64, 64], 10, 0.3, i))).unbiased
      return s > 0.005 && s < 0.02
    })!
    const weak = measureAqi(clouds([64, 64], 10, 0.3, seed), anchor, 3)
    expect(interval(weak.normalised).low).toBe(0)
    expect(weak.logSeparation).toEqual({ unavailable: expect.stringMatching(/^not separable in \d+ of 200/) })
    expect(typeof logSeparationOf(weak)).toBe('number')
  })
})

describe('resampleSeparation', () => {
  it('is what copying the drawn rows would give', () => {
    // One resample by hand: rebuild the drawn vectors, then correct as documented.
    const vectors = clouds([5, 6], 3, 2, 2)
    const draws = resampleSeparation(pairGram(vectors), 9, 400)
    const point = separationOf(pairGram(vectors)).unbiased
    const mean = draws.reduce((sum, x) => sum + x, 0) / 400
    expect(Math.abs(mean - point)).toBeLessThan(0.6 * point)
    expect(new Set(draws).size).toBeGreaterThan(350)
  })

  it('centres on the unbiased S of the sample even in many dimensions', () => {
    for (const seed of [1, 2, 3]) {
      const gram = pairGram(clouds([70, 80], 200, 4, seed))
      const draws = resampleSeparation(gram, seed, 400)
      const s = separationOf(gram)
      const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length
      // The plain S is 40 % above here; an uncorrected resample would centre there.
      expect(s.plain / s.unbiased).toBeGreaterThan(1.2)
      expect(Math.abs(mean / s.unbiased - 1)).toBeLessThan(0.05)
    }
  })

  it('covers the true d^2 / variance about 95 % of the time', () => {
    let inside = 0
    const trials = 150
    for (let seed = 0; seed < trials; seed++) {
      const draws = resampleSeparation(pairGram(clouds([64, 64], 8, 1.5, 1000 + seed)), seed).sort()
      // E[W/n] = 8 (n-2)/n.
      const truth = 1.5 ** 2 / ((8 * 126) / 128)
      if (quantileOf(draws, 0.025) <= truth && truth <= quantileOf(draws, 0.975)) inside++
    }
    expect(inside / trials).toBeGreaterThan(0.9)
    expect(inside / trials).toBeLessThan(0.99)
  }, 60_000)

  it('reports the standard error that fresh samples show', () => {
    const logs = Array.from({ length: 200 }, (_, i) =>
      Math.log(separationOf(pairGram(clouds([80, 90], 10, 2, 500 + i))).unbiased),
    )
    const mean = logs.reduce((sum, x) => sum + x, 0) / 200
    const true_ = Math.sqrt(logs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 199)
    expect(anchor.standardError / true_).toBeGreaterThan(0.75)
    expect(anchor.standardError / true_).toBeLessThan(1.33)
  }, 60_000)
})

describe('shuffledFloor', () => {
  it('is near zero and far below the real labels', () => {
    const { gram } = measureAqi(anchorClouds, anchor, 3)
    const floor = shuffledFloor(present(gram), anchor.separation, 5)
    expect(Math.abs(floor.mean)).toBeLessThan(0.02)
    expect(floor.high).toBeGreaterThan(0)
    expect(floor.high).toBeLessThan(0.3 * anchor.separation)
    expect(floor.normalisedHigh).toBeCloseTo((100 * floor.high) / (floor.high + anchor.separation), 10)
    expect(shuffledFloor(present(gram), anchor.separation, 5)).toEqual(floor)
  })
})

describe('budget', () => {
  it('tau is one standard error below the anchor, and the anchor keeps it', () => {
    const threshold = budgetThreshold(anchor)
    expect(threshold).toBeCloseTo(anchor.logSeparation - anchor.standardError, 14)
    expect(measureBudget(threshold, measureAqi(anchorClouds, anchor, 3))).toEqual({
      threshold,
      isViolated: false,
      violation: 0,
    })
    const weaker = measureBudget(threshold, measureAqi(clouds([80, 90], 10, 1, 1), anchor, 3))
    const wanted = threshold - (logSeparationOf(measureAqi(clouds([80, 90], 10, 1, 1), anchor, 3)) as number)
    expect(present(weaker)).toMatchObject({ isViolated: true, violation: wanted })
    expect(wanted).toBeGreaterThan(0.5)
  })

  it('is violated without measure by inseparable clouds, unknown for too few samples', () => {
    expect(measureBudget(1, measureAqi(clouds([64, 64], 10, 0, 6), anchor, 3))).toEqual({
      threshold: 1,
      isViolated: true,
      violation: Number.POSITIVE_INFINITY,
    })
    expect(measureBudget(1, measureAqi(clouds([9, 9], 10, 1, 6), anchor, 3))).toEqual({
      unavailable: '64 of each class are needed, found 9 safe and 9 unsafe',
    })
  })

  it('counts equality as kept and refuses NaN', () => {
    expect(budgetAt(1, 1)).toEqual({ threshold: 1, isViolated: false, violation: 0 })
    expect(budgetAt(1, 0.25)).toEqual({ threshold: 1, isViolated: true, violation: 0.75 })
    expect(() => budgetAt(1, Number.NaN)).toThrow(/NaN/)
    expect(() => budgetThreshold({ logSeparation: Number.NaN, standardError: 1 })).toThrow(/NaN/)
    expect(() => budgetThreshold({ logSeparation: 1, standardError: -1 })).toThrow(/standard error/)
  })
})

describe('weights of a resample', () => {
  it('equal duplicated rows', () => {
    const vectors = clouds([3, 2], 2, 1, 4)
    const picks = [2, 0, 2]
    const copied = {
      safe: Float64Array.from(picks.flatMap((i) => [...rowOf(vectors.safe, 2, i)])),
      unsafe: vectors.unsafe,
      width: 2,
    }
    const wanted = separationOf(pairGram(copied))
    const found = separationOf(pairGram(vectors), [
      Float64Array.of(1, 0, 2, 0, 0),
      Float64Array.of(0, 0, 0, 1, 1),
    ])
    expect(found.distanceSquared).toBeCloseTo(wanted.distanceSquared, 12)
    expect(found.within).toBeCloseTo(wanted.within, 12)
    expect(found.unbiased).toBeCloseTo(wanted.unbiased, 10)
  })
})
