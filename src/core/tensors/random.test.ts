import { describe, expect, it } from 'vitest'
import { pcgHash, Random } from './random.ts'

/** The definition in exact arithmetic, independent of Math.imul and of signed shifts. */
function pcgReference(x: number): number {
  const mask = 0xffffffffn
  const s = (BigInt(x) * 747796405n + 2891336453n) & mask
  const w = (((s >> ((s >> 28n) + 4n)) ^ s) * 277803737n) & mask
  return Number((w >> 22n) ^ w)
}

function moments(values: number[]) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length
  const kurtosis = values.reduce((a, b) => a + (b - mean) ** 4, 0) / values.length / variance ** 2
  return { mean, variance, kurtosis }
}

describe('pcgHash', () => {
  it('equals the definition in exact arithmetic', () => {
    const edges = [0, 1, 2, 31, 32, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]
    const spread = Array.from({ length: 5000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0)
    for (const x of [...edges, ...spread]) expect(pcgHash(x)).toBe(pcgReference(x))
  })

  it('keeps its known values', () => {
    expect(pcgHash(0)).toBe(129708002)
    expect(pcgHash(1)).toBe(2831084092)
  })

  it('takes its input modulo 2^32', () => {
    expect(pcgHash(2 ** 32 + 5)).toBe(pcgHash(5))
    expect(pcgHash(-1)).toBe(pcgHash(0xffffffff))
  })
})

describe('Random', () => {
  it('repeats for equal seeds and parts for others', () => {
    const draw = (seed: number, stream?: number) => {
      const random = new Random(seed, stream)
      return Array.from({ length: 64 }, () => random.nextU32())
    }
    expect(draw(7, 3)).toEqual(draw(7, 3))
    expect(draw(7)).toEqual(draw(7, 0))
    const others = [draw(8, 3), draw(7, 4), draw(3, 7), draw(7 + 2 ** 32, 3), draw(-7, 3)]
    for (const other of others) expect(other.filter((v, i) => v === draw(7, 3)[i])).toEqual([])
  })

  it('stays where it was: the sequence of seed 1', () => {
    const random = new Random(1)
    expect([random.nextU32(), random.nextU32(), random.nextU32()]).toMatchInlineSnapshot(`
      [
        3058794293,
        1678504692,
        1105304804,
      ]
    `)
  })

  it('is uniform in [0, 1) in mean, variance and every bin', () => {
    const random = new Random(11, 5)
    const values = Array.from({ length: 100_000 }, () => random.uniform())
    expect(Math.min(...values.slice(0, 50_000))).toBeGreaterThanOrEqual(0)
    expect(Math.max(...values.slice(0, 50_000))).toBeLessThan(1)
    const { mean, variance } = moments(values)
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.004) // 4 σ: σ = 0.289/√100000
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.001)
    const bins = new Array(100).fill(0)
    for (const v of values) bins[Math.floor(v * 100)]++
    const chi2 = bins.reduce((a, n) => a + (n - 1000) ** 2 / 1000, 0)
    expect(chi2).toBeLessThan(160) // 99 degrees of freedom, p ≈ 1e-4
  })

  it('is normal in mean, variance and kurtosis', () => {
    const random = new Random(12)
    const { mean, variance, kurtosis } = moments(Array.from({ length: 100_000 }, () => random.normal()))
    expect(Math.abs(mean)).toBeLessThan(0.013)
    expect(Math.abs(variance - 1)).toBeLessThan(0.02)
    expect(Math.abs(kurtosis - 3)).toBeLessThan(0.07)
    const scaled = new Random(12).normals(1000, 2)
    expect(scaled[0]).toBeCloseTo(2 * new Random(12).normal(), 5)
  })

  it('has streams that do not go together', () => {
    for (const [a, b] of [
      [new Random(1, 0), new Random(1, 1)],
      [new Random(0, 0), new Random(1, 0)],
      [new Random(1, 2), new Random(2, 1)],
    ]) {
      let product = 0
      for (let i = 0; i < 50_000; i++) product += (a.uniform() - 0.5) * (b.uniform() - 0.5)
      expect(Math.abs((product / 50_000) * 12)).toBeLessThan(0.018) // 4/√50000
    }
  })

  it('draws whole numbers without bias and refuses bad limits', () => {
    const random = new Random(3)
    const counts = [0, 0, 0]
    for (let i = 0; i < 30_000; i++) counts[random.integer(3)]++
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(330)
    // A limit of 3·2^30 makes a plain remainder favour the lower third two to one.
    let low = 0
    for (let i = 0; i < 30_000; i++) if (random.integer(3 * 2 ** 30) < 2 ** 30) low++
    expect(Math.abs(low - 10_000)).toBeLessThan(330)
    expect(random.integer(1)).toBe(0)
    for (const bad of [0, -1, 1.5, 2 ** 33, Number.NaN]) expect(() => random.integer(bad)).toThrow(RangeError)
    expect(() => new Random(0.5)).toThrow(RangeError)
  })

  it('shuffles to a permutation, each place as likely', () => {
    const random = new Random(4)
    const places = new Array(5).fill(0)
    for (let i = 0; i < 10_000; i++) {
      const items = random.shuffle([0, 1, 2, 3, 4])
      places[items.indexOf(0)]++
      if (i === 0) expect([...items].sort()).toEqual([0, 1, 2, 3, 4])
    }
    for (const count of places) expect(Math.abs(count - 2000)).toBeLessThan(160)
  })
})
