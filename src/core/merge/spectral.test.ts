import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { mergeSmall, roundNormals, type SmallMerge } from '../../testing/smallMerge.ts'
import type { Gpu } from '../gpu/device.ts'
import { rowOf, singularTriplets, sumOfProducts } from './singularValues.ts'
import { leadingTriplets, stackRows, whitenedSum } from './spectral.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const far = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.hypot(...Array.from(a, (x, i) => x - b[i])) / Math.hypot(...Array.from(b))

const METHODS = ['tsvm', 'iso_c', 'resm']
const [rows, columns] = [6, 5]
const shapes = { w: [rows, columns], v: [4] }
const base = { w: roundNormals(rows * columns, 1), v: [1, 2, 3, 4] }
const moved = (w: readonly number[], v = [1, 0, 0, 0]) => ({
  w: base.w.map((x, i) => x + w[i]),
  v: base.v.map((x, i) => x + v[i]),
})
/** u vᵀ of unit axes, times `size`. */
const single = (i: number, j: number, size: number) =>
  Array.from({ length: rows * columns }, (_, at) => (at === i * columns + j ? size : 0))
const deltaOf = async (merge: Omit<SmallMerge, 'base' | 'shapes'>) => {
  const merged = await mergeSmall(gpu, { base, shapes, ...merge })
  return Array.from(merged.get('w')!, (x, i) => x - base.w[i])
}

describe('closed forms', () => {
  test('one expert is itself under TSV-Merge and RESM; Iso-C evens its singular values', async () => {
    const expert = moved(roundNormals(rows * columns, 2))
    for (const method of ['tsvm', 'resm']) {
      const merged = await mergeSmall(gpu, { method, base, shapes, models: [expert] })
      expect(far(merged.get('w')!, expert.w)).toBeLessThan(2e-7)
      expect([...merged.get('v')!]).toEqual(expert.v)
    }
    const delta = Float64Array.from(await deltaOf({ method: 'iso_c', models: [expert] }))
    const before = singularTriplets({
      rows,
      columns,
      data: Float64Array.from(expert.w, (x, i) => x - base.w[i]),
    })
    const mean = before.values.reduce((a, b) => a + b) / columns
    for (const value of singularTriplets({ rows, columns, data: delta }).values)
      expect(value).toBeCloseTo(mean, 5)
  })

  test('orthogonal tasks do not disturb each other: TSV-Merge adds them', async () => {
    const models = [single(0, 0, 3), single(2, 1, -2), single(5, 4, 1)].map((w) => moved(w))
    const sum = models[0].w.map((_, i) => models.reduce((s, { w }) => s + w[i] - base.w[i], 0))
    expect(far(await deltaOf({ method: 'tsvm', models }), sum)).toBeLessThan(3e-7)
    const half = await deltaOf({ method: 'tsvm', models, parameters: { alpha: 0.5 } })
    expect(
      far(
        half,
        sum.map((x) => x / 2),
      ),
    ).toBeLessThan(3e-7)
    // Three singular values of 3, 2 and 1 of five: each becomes 6/5.
    const even = models[0].w.map((_, i) => Math.sign(sum[i]) * 1.2)
    expect(far(await deltaOf({ method: 'iso_c', models }), even)).toBeLessThan(3e-7)
  })

  test('the same direction twice: whitened to one, at the mean of both', async () => {
    // polar((u u)) = (u u)/√2 on both sides: u (s₁ + s₂)/2 vᵀ.
    const models = [single(1, 2, 3), single(1, 2, 1)].map((w) => moved(w))
    expect(far(await deltaOf({ method: 'tsvm', models }), single(1, 2, 2))).toBeLessThan(3e-7)
    // At a right angle on the left alone, they share v: each half in both places.
    const across = [single(1, 2, 3), single(4, 2, 3)].map((w) => moved(w))
    const delta = await deltaOf({ method: 'tsvm', models: across })
    expect(
      far(
        delta,
        single(1, 2, 3 / Math.SQRT2).map((x, i) => x + single(4, 2, 3 / Math.SQRT2)[i]),
      ),
    ).toBeLessThan(3e-7)
  })

  test('TSV-Merge keeps r/T directions of each: of two tasks of rank 5 two, of six at least one', () => {
    const wide = singularTriplets({ rows, columns, data: Float64Array.from(roundNormals(30, 3)) })
    expect(leadingTriplets(wide, 2).values).toEqual(wide.values.slice(0, 2))
    expect(leadingTriplets(wide, 9).left.rows).toBe(5)
    const flat = singularTriplets({ rows, columns, data: Float64Array.from(single(3, 3, 2)) })
    expect(leadingTriplets(flat, 4).values).toEqual(Float64Array.of(2))
    const parts = [wide, flat].map((triplets) => leadingTriplets(triplets, 2))
    const stacked = stackRows(
      parts.map(({ left }) => left),
      rows,
    )
    expect([stacked.rows, stacked.columns]).toEqual([3, rows])
    expect([...rowOf(stacked, 2)]).toEqual([...rowOf(flat.left, 0)])
    // Orthonormal factors stay what they are.
    const alone = whitenedSum([leadingTriplets(wide, 5)], rows, columns)
    expect(far(alone.data, sumOfProducts(wide.left, wide.right, wide.values).data)).toBeLessThan(1e-13)
  })

  test('RESM: an expert with outliers outweighs an even one, a sparse one keeps fewer directions', async () => {
    // Even magnitudes have no outlier beyond mean + 3 std: all weight goes to the other.
    const even = moved(Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? 0.5 : -0.5)))
    const spiked = moved(single(0, 0, 4))
    const delta = await deltaOf({ method: 'resm', models: [even, spiked], parameters: { sigma: 3 } })
    // The spike's share of entries is 1/30 and the even one's 1: round(2.5 · 2 · 1/31) = 0 of its directions stay.
    expect(delta.every((x) => Math.abs(x) < 1e-6)).toBe(true)
    const noisy = [roundNormals(30, 5), roundNormals(30, 6)].map((w) => moved(w))
    const tsvm = await deltaOf({ method: 'tsvm', models: noisy })
    const resm = await deltaOf({ method: 'resm', models: noisy, parameters: { sigma: 0 } })
    expect(far(resm, tsvm)).toBeGreaterThan(1e-3)
  })
})

describe('bad input', () => {
  test.each(METHODS)(
    '%s: zero task vectors are the base, equal experts and vectors the mean',
    async (method) => {
      const zero = await mergeSmall(gpu, { method, base, shapes, models: [base, base] })
      expect(Array.from(zero.get('w')!)).toEqual(base.w)
      const expert = moved(roundNormals(30, 7), [1, 2, 3, 4])
      const twice = await mergeSmall(gpu, { method, base, shapes, models: [expert, base] })
      expect(Array.from(twice.get('v')!)).toEqual([1.5, 3, 4.5, 6])
      for (const value of twice.get('w')!) expect(value).not.toBeNaN()
    },
  )

  test.each(METHODS)('%s: a number that is none is refused by name', async (method) => {
    const broken = { w: base.w.map((x, i) => (i === 7 ? Number.NaN : x)), v: base.v }
    await expect(mergeSmall(gpu, { method, base, shapes, models: [broken, base] })).rejects.toMatchObject({
      code: 'not-finite',
      where: { tensor: 'w' },
    })
  })

  test.each(METHODS)('%s: matrices of one row and one column', async (method) => {
    const thin = { a: [1, 4], b: [4, 1] }
    const start = { a: [1, 1, 1, 1], b: [0, 0, 0, 0] }
    const models = [
      { a: [1, 1, 1, 4], b: [0, 2, 0, 0] },
      { a: [1, 1, 1, 7], b: [0, 4, 0, 0] },
    ]
    const merged = await mergeSmall(gpu, { method, base: start, shapes: thin, models })
    for (const [name, place] of [
      ['a', 3],
      ['b', 1],
    ] as const)
      merged.get(name)!.forEach((value, i) => {
        if (i === place) expect(value).toBeGreaterThan(start[name][i])
        else expect(value).toBeCloseTo(start[name][i], 6)
      })
  })
})
