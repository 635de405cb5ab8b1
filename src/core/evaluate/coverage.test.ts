import { beforeAll, describe, expect, it } from 'vitest'
import { manyProbes, probe, probeFile, randomModel, tinyCodec } from '../../testing/answeringModels.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { Random } from '../tensors/random.ts'
import { aqiItems, poolItems } from './aqiVectors.ts'
import {
  type Cover,
  cosineSimilarity,
  coverage,
  lazyGreedy,
  randomCoverage,
  type Similarity,
} from './coverage.ts'
import { coverRowProbes, keepRowProbes, probeSimilarity, rowCandidates } from './coverageProbes.ts'
import { pickProbes } from './probes.ts'

const cloud = (n: number, width: number, seed: number): Similarity =>
  cosineSimilarity(new Random(seed).normals(n * width), width)
const subsets = (n: number) =>
  Array.from({ length: 1 << n }, (_, bits) =>
    Array.from({ length: n }, (_, i) => i).filter((i) => bits & (1 << i)),
  )

/** Plain greedy, every gain computed anew. */
function plainGreedy(similarity: Similarity, count: number): number[] {
  const chosen: number[] = []
  while (chosen.length < count) {
    let best = -1
    let top = -1
    for (let s = 0; s < similarity.n; s++) {
      if (chosen.includes(s)) continue
      const value = coverage(similarity, [...chosen, s])
      if (value > top + 1e-12) [best, top] = [s, value]
    }
    chosen.push(best)
  }
  return chosen
}

describe('facility location', () => {
  it.each([1, 2, 3])('is monotone and submodular over all subsets, cloud %d', (seed) => {
    const n = 7
    const similarity = cloud(n, 3, seed)
    const all = subsets(n)
    const f = all.map((subset) => coverage(similarity, subset))
    expect(f[0]).toBe(0)
    expect(f[all.length - 1]).toBeCloseTo(n, 12)
    for (let small = 0; small < all.length; small++)
      for (let large = small; large < all.length; large++) {
        if ((small & large) !== small) continue
        expect(f[large]).toBeGreaterThanOrEqual(f[small] - 1e-12)
        for (let e = 0; e < n; e++) {
          const bit = 1 << e
          if (large & bit) continue
          // What e adds to a set it adds at most to any larger one.
          expect(f[small | bit] - f[small]).toBeGreaterThanOrEqual(f[large | bit] - f[large] - 1e-12)
        }
      }
  })

  it('greedy reaches 1 − 1/e of the best subset of its size, always', () => {
    let worst = 1
    for (let seed = 0; seed < 30; seed++) {
      const similarity = cloud(9, 2 + (seed % 4), 100 + seed)
      const all = subsets(9)
      for (const k of [1, 2, 3, 4]) {
        const best = Math.max(...all.filter((s) => s.length === k).map((s) => coverage(similarity, s)))
        const ratio = coverage(similarity, lazyGreedy(similarity, k).chosen) / best
        worst = Math.min(worst, ratio)
        expect(ratio).toBeGreaterThanOrEqual(1 - 1 / Math.E)
        expect(ratio).toBeLessThanOrEqual(1 + 1e-12)
      }
    }
    // Greedy is not exact: somewhere in these clouds it misses the best subset.
    expect(worst).toBeLessThan(1)
  })

  it('lazy greedy chooses what greedy chooses and computes fewer gains', () => {
    for (const seed of [1, 2, 3, 4]) {
      const similarity = cloud(60, 6, seed)
      const { chosen, curve, gains } = lazyGreedy(similarity, 20)
      expect(chosen).toEqual(plainGreedy(similarity, 20))
      curve.forEach((value, k) => {
        expect(value).toBeCloseTo(coverage(similarity, chosen.slice(0, k + 1)) / 60, 12)
      })
      const steps = curve.map((value, k) => value - (curve[k - 1] ?? 0))
      for (let k = 1; k < steps.length; k++) expect(steps[k]).toBeLessThanOrEqual(steps[k - 1] + 1e-12)
      expect(gains).toBeLessThan((60 * 20 - (19 * 20) / 2) / 2)
    }
  })

  it('takes one of each cluster first', () => {
    const centres = [
      [5, 0, 0],
      [-5, 1, 0],
      [0, -1, 6],
    ]
    const random = new Random(6)
    const points = Array.from({ length: 30 }, (_, i) => centres[i % 3].map((x) => x + 0.1 * random.normal()))
    const { chosen, curve } = lazyGreedy(cosineSimilarity(points.flat(), 3), 4)
    expect(new Set(chosen.slice(0, 3).map((i) => i % 3)).size).toBe(3)
    expect(curve[2]).toBeGreaterThan(0.99)
  })

  it('has its limits: none, all, more than there are, copies, one point, and refuses what is none', () => {
    const similarity = cloud(5, 3, 9)
    expect(lazyGreedy(similarity, 0)).toEqual({ chosen: [], curve: [], gains: 5 } satisfies Cover)
    expect(lazyGreedy(similarity, 9).curve.at(-1)).toBeCloseTo(1, 12)
    const copies = cosineSimilarity([1, 0, 1, 0, -1, 0, -1, 0], 2)
    expect(lazyGreedy(copies, 4).chosen).toEqual([0, 2, 1, 3])
    expect(lazyGreedy(copies, 2).curve).toEqual([0.5, 1])
    expect(Array.from(cosineSimilarity([3, 4], 2).values)).toEqual([1])
    // A vector equal to the mean has no direction: it is like itself alone.
    expect(Array.from(cosineSimilarity([1, 0, 0], 1).values.slice(0, 3))).not.toContain(Number.NaN)
    expect(Array.from(cosineSimilarity([-1, 0, 1], 1).values)).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1])
    expect(() => lazyGreedy(similarity, -1)).toThrow(/count/)
    expect(() => cosineSimilarity([1, 2, 3], 2)).toThrow(/no rows/)
    expect(() => cosineSimilarity([1, Number.NaN], 1)).toThrow(/not a number/)
  })

  it('compares with random subsets of the same size', () => {
    const similarity = cloud(40, 4, 12)
    const { curve } = lazyGreedy(similarity, 16)
    const drawn = randomCoverage(similarity, [4, 16, 40], 200, 1)
    expect(randomCoverage(similarity, [4, 16, 40], 200, 1)).toEqual(drawn)
    for (const { size, low, mean, high } of drawn.slice(0, 2)) {
      expect(low).toBeLessThan(mean)
      expect(mean).toBeLessThan(high)
      expect(curve[size - 1]).toBeGreaterThan(high)
    }
    expect(drawn[2]).toEqual({ size: 40, mean: expect.closeTo(1, 12), low: 1, high: 1 })
  })
})

describe('cosineSimilarity', () => {
  it('is the cosine about the mean, cut at 0', () => {
    const vectors = new Random(3).normals(6 * 4)
    const { n, values } = cosineSimilarity(vectors, 4)
    expect(n).toBe(6)
    const rows = Array.from({ length: 6 }, (_, i) => Array.from(vectors.slice(4 * i, 4 * i + 4)))
    const mean = rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j] / 6, 0))
    const centred = rows.map((row) => row.map((value, j) => value - mean[j]))
    const dot = (a: number[], b: number[]) => a.reduce((sum, value, j) => sum + value * b[j], 0)
    for (let a = 0; a < 6; a++)
      for (let b = 0; b < 6; b++) {
        const cosine =
          dot(centred[a], centred[b]) / Math.sqrt(dot(centred[a], centred[a]) * dot(centred[b], centred[b]))
        expect(values[a * 6 + b]).toBeCloseTo(Math.max(0, cosine), 12)
      }
  })
})

describe('probes', () => {
  const file = probeFile([
    ...manyProbes(20, 1),
    ...manyProbes(16, 2).map((one) => ({
      ...one,
      id: `e-${one.id}`,
      prompt: `${one.prompt} k`,
      split: 'estimate' as const,
    })),
    probe('x', 'harmful', 'no other completion', { split: 'estimate' }),
  ])
  let codec: TextCodec
  let model: DeviceModel
  beforeAll(async () => {
    codec = await tinyCodec()
    model = await randomModel(3)
  })

  it('covers the estimating harmful probes and no others', async () => {
    const candidates = rowCandidates(file)
    expect(candidates).toHaveLength(16)
    const { probes, cover, similarity } = await coverRowProbes(model, codec, file, 6)
    expect(probes).toHaveLength(6)
    expect(probes.map(({ id }) => id)).toEqual(cover.chosen.map((i) => candidates[i].id))
    expect(similarity).toEqual(await probeSimilarity(model, codec, candidates))
    // The user's words alone, as in the prompts view of AQI.
    const items = aqiItems(
      codec,
      'prompts',
      { ...file, items: candidates },
      { perClass: 99, seed: 1, split: 'estimate' },
    )
    const order = pickProbes({ items: candidates }, 'harmful', 'estimate', 99, 1)
    const { unsafe, width } = await poolItems(model, items)
    const inOrder = candidates.flatMap((one) => {
      const at = order.indexOf(one) * width
      return Array.from(unsafe.subarray(at, at + width))
    })
    const expected = cosineSimilarity(inOrder, width).values
    similarity.values.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 5)
    })
    expect(cover.curve[5]).toBeGreaterThan(randomCoverage(similarity, [6], 100, 1)[0].mean)
    await expectFailure(coverRowProbes(model, codec, file, 17), 'request-invalid')
    await expectFailure(coverRowProbes(model, codec, file, 4, { signal: AbortSignal.abort() }), 'cancelled')
  })

  it('keeps the chosen rows and everything that is no candidate', () => {
    const kept = rowCandidates(file).slice(2, 5)
    const left = keepRowProbes(file, kept)
    expect(rowCandidates(left)).toEqual(kept)
    expect(left.items).toHaveLength(file.items.length - 13)
    expect(left.items.some(({ id }) => id === 'x')).toBe(true)
  })
})
