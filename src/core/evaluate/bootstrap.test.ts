import { describe, expect, it } from 'vitest'
import { Random } from '../tensors/random.ts'
import {
  bootstrapMean,
  percentileInterval,
  quantileOf,
  STREAMS,
  standardDeviation,
  wilsonShare,
} from './bootstrap.ts'
import { type Interval, isUnavailable } from './estimate.ts'

describe('quantileOf', () => {
  it('interpolates', () => {
    expect(quantileOf([10, 20, 30, 40, 50], 0.5)).toBe(30)
    expect(quantileOf([10, 20], 0.25)).toBe(12.5)
    expect(quantileOf([10, 20], 1)).toBe(20)
    expect(quantileOf([Number.NEGATIVE_INFINITY, 1], 0.5)).toBe(Number.NEGATIVE_INFINITY)
    expect(() => quantileOf([], 0.5)).toThrow(/no values/)
  })

  it('percentileInterval leaves out 2.5 % at each end', () => {
    const { low, high } = percentileInterval(Array.from({ length: 1001 }, (_, i) => 1000 - i))
    expect([low, high]).toEqual([25, 975])
  })

  it('standardDeviation divides by n - 1', () => {
    expect(standardDeviation([1, 2, 3, 4])).toBeCloseTo(Math.sqrt(5 / 3), 14)
    expect(() => standardDeviation([1])).toThrow()
  })
})

describe('bootstrapMean', () => {
  it('has the width of the normal interval of a mean', () => {
    const random = new Random(1, 1)
    const values = Float64Array.from({ length: 400 }, () => 3 + 2 * random.normal())
    const found = bootstrapMean(values, 7, 4000) as Interval
    const mean = values.reduce((sum, x) => sum + x, 0) / 400
    const half = (1.96 * standardDeviation(values)) / 20
    expect(found.value).toBeCloseTo(mean, 12)
    expect(found.count).toBe(400)
    expect(Math.abs(found.low - (mean - half))).toBeLessThan(0.1 * half)
    expect(Math.abs(found.high - (mean + half))).toBeLessThan(0.1 * half)
  })

  it('repeats with its seed, not with another', () => {
    const values = [1, 2, 3, 4, 10]
    expect(bootstrapMean(values, 1)).toEqual(bootstrapMean(values, 1))
    expect(
      bootstrapMean(
        Array.from({ length: 50 }, (_, i) => i * i),
        1,
      ),
    ).not.toEqual(
      bootstrapMean(
        Array.from({ length: 50 }, (_, i) => i * i),
        2,
      ),
    )
    expect(new Set(Object.values(STREAMS)).size).toBe(Object.keys(STREAMS).length)
  })

  it('says what is missing and refuses NaN', () => {
    expect(bootstrapMean([], 1)).toEqual({ unavailable: 'no samples' })
    expect(bootstrapMean([5], 1)).toEqual({ unavailable: 'one sample only' })
    expect(isUnavailable(bootstrapMean([5, 6], 1))).toBe(false)
    expect(() => bootstrapMean([1, Number.NaN], 1)).toThrow(/sample 1 of 2 is NaN/)
  })
})

describe('wilsonShare', () => {
  it('agrees with a published table value and is exact at both ends', () => {
    // 15 of 148: (0.0624, 0.1605), Newcombe 1998, Table I, method 3.
    const found = wilsonShare(15, 148) as Interval
    expect(found.low).toBeCloseTo(0.0624, 4)
    expect(found.high).toBeCloseTo(0.1605, 4)
    expect(found.value).toBeCloseTo(15 / 148, 14)
    expect(wilsonShare(0, 20)).toMatchObject({ value: 0, low: 0, count: 20 })
    expect((wilsonShare(0, 20) as Interval).high).toBeCloseTo(0.1611, 4)
    expect((wilsonShare(20, 20) as Interval).low).toBeCloseTo(1 - 0.1611, 4)
    expect((wilsonShare(20, 20) as Interval).high).toBe(1)
  })

  it('refuses nonsense, and no trials are unavailable', () => {
    expect(wilsonShare(0, 0)).toEqual({ unavailable: 'no samples' })
    expect(() => wilsonShare(3, 2)).toThrow(/3 in 2/)
    expect(() => wilsonShare(Number.NaN, 2)).toThrow(/NaN/)
  })
})
