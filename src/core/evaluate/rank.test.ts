import { describe, expect, it } from 'vitest'
import { Random } from '../tensors/random.ts'
import { averageRanks, spearman } from './rank.ts'

describe('averageRanks', () => {
  it('shares ranks among ties, and takes -0 and 0 as one', () => {
    expect([...averageRanks([30, 10, 20, 20])]).toEqual([4, 1, 2.5, 2.5])
    expect([...averageRanks([0, -0, -1])]).toEqual([2.5, 2.5, 1])
    expect([...averageRanks([7, 7, 7])]).toEqual([2, 2, 2])
    expect(() => averageRanks([1, Number.NaN])).toThrow(/entry 1/)
  })
})

describe('spearman', () => {
  it('agrees with 1 - 6 sum d^2 / n(n^2-1) without ties', () => {
    const x = [86, 97, 99, 100, 101, 103, 106, 110, 112, 113]
    const y = [2, 20, 28, 27, 50, 29, 7, 17, 6, 12]
    expect(spearman(x, y)).toBeCloseTo(-29 / 165, 12)
  })

  it('agrees with a hand-worked example with ties', () => {
    // Ranks (1, 2.5, 2.5, 4) and (1, 3, 2, 4): 4.5 / sqrt(4.5 * 5).
    expect(spearman([1, 2, 2, 3], [1, 5, 4, 9])).toBeCloseTo(4.5 / Math.sqrt(22.5), 14)
  })

  it('sees only order', () => {
    const x = [0.1, 3, -2, 8, 5]
    expect(
      spearman(
        x,
        x.map((v) => v ** 3),
      ),
    ).toBeCloseTo(1, 14)
    expect(
      spearman(
        x,
        Float32Array.from(x, (v) => -Math.exp(v)),
      ),
    ).toBeCloseTo(-1, 14)
  })

  it('takes a million values', () => {
    const random = new Random(3, 0)
    const x = new Float32Array(1_000_000)
    const y = new Float32Array(x.length)
    for (let i = 0; i < x.length; i++) {
      x[i] = random.uniform()
      y[i] = x[i] + random.uniform()
    }
    // X and X + Y of independent uniforms: the correlation of ranks is near that of values, 1/sqrt 2.
    const found = spearman(x, y) as number
    expect(found).toBeGreaterThan(0.68)
    expect(found).toBeLessThan(0.72)
  }, 60_000)

  it('has no value for constants or fewer than two pairs', () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toEqual({ unavailable: 'all values of one side are equal' })
    expect(spearman([1], [1])).toEqual({ unavailable: '1 pairs' })
    expect(() => spearman([1, 2], [1])).toThrow(/2 and 1/)
    expect(() => spearman([1, 2], [1, Number.NaN])).toThrow(/NaN/)
  })
})
