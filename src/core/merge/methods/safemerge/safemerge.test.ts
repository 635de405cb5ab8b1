import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../../../testing/openTestDevice.ts'
import { mergeSmall, referenceSmall, roundNormals, type SmallMerge } from '../../../../testing/smallMerge.ts'
import type { Gpu } from '../../../gpu/device.ts'
import { reference } from './reference.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const [rows, columns] = [3, 2]
const shapes = { w: [rows, columns] }
const aligned = { w: [1, 2, 3, 4, 5, 6] }
const plus = (w: readonly number[], by: readonly number[], share = 1) => w.map((x, i) => x + share * by[i])
/** V: the alignment direction lies in the first row alone. */
const unaligned = { w: plus(aligned.w, [2, -1, 0, 0, 0, 0], -1) }
const inside = [3, 1, 0, 0, 0, 0]
const outside = [0, 0, 1, 0, -2, 4]

const merge = async (deltas: readonly number[][], rest: Partial<SmallMerge> = {}) => {
  const models = deltas.map((delta) => ({ w: plus(aligned.w, delta) }))
  const merged = await mergeSmall(gpu, {
    method: 'safemerge',
    base: aligned,
    shapes,
    models,
    parameters: { weight: 1 },
    references: { unaligned },
    ...rest,
  })
  return Array.from(merged.get('w')!, (x, i) => x - aligned.w[i])
}
const close = (found: number[], wanted: readonly number[]) =>
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i], 5)
  })

describe('closed forms', () => {
  test('a change along the alignment direction stays, one across it keeps the share α', async () => {
    close(await merge([inside]), inside)
    close(
      await merge([outside]),
      outside.map((x) => 0.8 * x),
    )
    close(
      await merge([outside], { parameters: { weight: 1, alpha: 0.25 } }),
      outside.map((x) => 0.25 * x),
    )
  })

  test('τ decides at the cosine of a change with its projection', async () => {
    // A change of (1, 1) in rows 1 and 2: CΔ keeps the first, cos = 1/√2.
    const half = [1, 0, 1, 0, 0, 0]
    const at = (tau: number) => merge([half], { parameters: { weight: 1, tau } })
    close(await at(0.7), half)
    close(
      await at(0.72),
      half.map((x) => 0.8 * x),
    )
  })

  test('a safe model takes the rest; weights are shares of all', async () => {
    const safe = { w: plus(aligned.w, [5, 5, 5, 5, 5, 5]) }
    const found = await merge([inside, outside], {
      references: { unaligned, safe },
      parameters: {},
      modelParameters: [{ weight: 1 }, { weight: 3 }],
    })
    close(
      found,
      inside.map((x, i) => 0.25 * x + 0.75 * (0.8 * outside[i] + 0.2 * 5)),
    )
  })

  test('tensors that are no matrices are averaged', async () => {
    const [a, b] = [{ v: [2, 0] }, { v: [0, 4] }]
    const merged = await mergeSmall(gpu, {
      method: 'safemerge',
      base: { v: [0, 0] },
      models: [a, b],
      parameters: { weight: 1, tau: 1 },
    })
    expect([...merged.get('v')!]).toEqual([1, 2])
  })

  test.each([
    ['tall', [700, 5]],
    ['wide', [6, 301]],
    ['odd square', [17, 17]],
  ])('%s: as in float64, on both sides of the bound', async (_name, shape) => {
    const n = shape[0] * shape[1]
    const columnsOf = shape[1]
    const base = { w: roundNormals(n, 1) }
    const parts = {
      method: 'safemerge',
      base,
      shapes: { w: shape },
      // Both V and the second change are larger toward one corner, but not toward the same.
      models: [3, 4].map((seed) => ({
        w: plus(
          base.w,
          roundNormals(n, seed).map((x, i) => (seed === 3 || i < n / 9 ? x : x / 64)),
          0.125,
        ),
      })),
      references: {
        unaligned: {
          w: plus(
            base.w,
            roundNormals(n, 2).map((x, i) => (i > n / 2 && i % columnsOf > columnsOf / 2 ? 4 * x : x / 4)),
            0.25,
          ),
        },
      },
    }
    for (const tau of [-1, 0.5, 1]) {
      const parameters = { weight: 1, alpha: 0.5, tau }
      const device = (await mergeSmall(gpu, { ...parts, parameters })).get('w')!
      const truth = referenceSmall(reference, { ...parts, parameters }).get('w')!
      device.forEach((value, i) => {
        expect(Math.abs(value - truth[i])).toBeLessThan(1e-6)
      })
    }
    // The mean's own ρ lies inside: the bound is found by both alike.
    const found: string[] = []
    for (let tau = 0; tau <= 1; tau += 0.05) {
      const parameters = { weight: 1, alpha: 0, tau }
      const kept = (values: ArrayLike<number>) =>
        Math.hypot(...Array.from(values, (x, i) => x - base.w[i])).toFixed(3)
      const device = kept((await mergeSmall(gpu, { ...parts, parameters })).get('w')!)
      expect(device).toBe(kept(referenceSmall(reference, { ...parts, parameters }).get('w')!))
      found.push(device)
    }
    expect(new Set(found).size).toBe(3)
  })
})

describe('bad input', () => {
  test('no model before alignment, weights without a sum, numbers that are none', async () => {
    await expect(merge([inside], { references: {} })).rejects.toThrow(/before alignment.*tensor w/)
    const modelParameters = [{ weight: 1 }, { weight: -1 }]
    await expect(merge([inside, outside], { parameters: {}, modelParameters })).rejects.toThrow(/add up to 0/)
    const broken = inside.map((x, i) => (i === 2 ? Number.NaN : x))
    await expect(merge([broken])).rejects.toMatchObject({ code: 'not-finite', where: { tensor: 'w' } })
  })

  test('no alignment direction and no change: ρ is 0', async () => {
    const same = { references: { unaligned: aligned } }
    close(
      await merge([inside], same),
      inside.map((x) => 0.8 * x),
    )
    close(await merge([[0, 0, 0, 0, 0, 0]]), [0, 0, 0, 0, 0, 0])
  })
})
