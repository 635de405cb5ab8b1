// The election by hand and against sorting, identities, both ends of every parameter, and what is refused.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../../../testing/openTestDevice.ts'
import { mergeSmall, referenceSmall, roundNormals, type SmallMerge } from '../../../../testing/smallMerge.ts'
import { relativeError } from '../../../../testing/tinyModels.ts'
import type { Gpu } from '../../../gpu/device.ts'
import { Random } from '../../../tensors/random.ts'
import { elect, markLargest } from './elect.ts'
import { reference } from './reference.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

async function merged(merge: SmallMerge): Promise<number[]> {
  const ours = (await mergeSmall(gpu, merge)).get('a')!
  expect(relativeError(ours, referenceSmall(reference, merge).get('a')!)).toBeLessThan(1e-6)
  return [...ours]
}
const close = (ours: number[], expected: number[]) =>
  expect(relativeError(ours, expected), `${ours}`).toBeLessThan(1e-6)

const TWO: SmallMerge = {
  method: 'led',
  base: { a: [0, 0, 0, 0, 0, 10] },
  models: [{ a: [1, 1, 1, 1, 1, 11] }, { a: [2, 2, 2, 2, 2, 12] }],
  parameters: { r: 0.5 },
  material: {
    'importance.0.a': [9, 8, 7, 1, 1, 1],
    'importance.1.a': [1, 5, 1, 6, 1, 7],
    'importance.base.a': [3, 2, 0, 4, 1, 1],
  },
}

describe('which weights move', () => {
  test('those that matter to one expert and to the base, and to no other', async () => {
    // Expert 1 elects 0, 1, 2, expert 2 elects 1, 3, 5, the base 0, 1, 3: left are 0 to the first, 3 to the second.
    close(await merged(TWO), [1, 0, 0, 2, 0, 10])
  })

  test('the base may score each expert’s own data', async () => {
    const material = {
      ...TWO.material,
      'baseImportance.0.a': [0, 0, 5, 0, 4, 3],
      'baseImportance.1.a': [0, 0, 0, 9, 9, 9],
    }
    close(await merged({ ...TWO, material }), [0, 0, 1, 2, 0, 12])
    const { 'baseImportance.1.a': _, ...first } = material
    close(await merged({ ...TWO, material: first }), [0, 2, 1, 2, 0, 10])
  })

  test('weights and λ scale the differences', async () => {
    const scaled = {
      ...TWO,
      parameters: { r: 0.5, lambda: -2 },
      modelParameters: [{ weight: 0.5 }, { weight: 3 }],
    }
    close(await merged(scaled), [-1, 0, 0, -12, 0, 10])
  })

  test('shares differ by model; int() of r n', async () => {
    // 0.49 · 6 cuts to 2: the second expert elects 3 and 5, the base 0 and 3.
    close(
      await merged({ ...TWO, parameters: {}, modelParameters: [{ r: 0.5 }, { r: 0.49 }] }),
      [1, 1, 0, 2, 0, 10],
    )
  })
})

describe('ends of the range', () => {
  test('r = 0, or so small that no weight is left: the base', async () => {
    close(await merged({ ...TWO, parameters: { r: 0 } }), TWO.base!.a as number[])
    close(await merged({ ...TWO, parameters: { r: 0.16 } }), TWO.base!.a as number[])
  })

  test('r = 1: one expert is itself, two have everything in common and nothing moves', async () => {
    const one = { ...TWO, models: [TWO.models[0]], parameters: { r: 1 } }
    close(await merged(one), TWO.models[0].a as number[])
    close(await merged({ ...TWO, parameters: { r: 1 } }), TWO.base!.a as number[])
  })

  test('equal scores: the lower indices', async () => {
    const equal = [1, 1, 1, 1, 1, 1]
    const material = {
      'importance.0.a': equal,
      'importance.1.a': [0, 0, 0, 0, 0, 0],
      'importance.base.a': equal,
    }
    const parameters = { ...TWO, material, parameters: {}, modelParameters: [{ r: 0.5 }, { r: 0.2 }] }
    close(await merged(parameters), [0, 1, 1, 0, 0, 10])
  })

  test('no differences: the base, whatever is elected', async () => {
    close(await merged({ ...TWO, models: [TWO.base!, TWO.base!] }), TWO.base!.a as number[])
  })
})

test('the election is that of a full sort, for many sizes and for scores with ties and zeros', () => {
  const random = new Random(5)
  for (let trial = 0; trial < 60; trial++) {
    const n = 1 + random.integer(700)
    const scores = Float32Array.from({ length: n }, () => {
      const kind = random.integer(4)
      if (kind === 0) return 0
      if (kind === 1) return random.integer(3) / 8
      return random.uniform() * 10 ** (random.integer(60) - 40)
    })
    const keep = random.integer(n + 1)
    const marks = new Uint8Array(n)
    markLargest(scores, keep, marks, 4)
    const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b)
    const expected = new Uint8Array(n)
    for (const i of order.slice(0, keep)) expected[i] = 4
    expect(marks).toEqual(expected)
  }
})

test('eight experts share a tensor of odd size without meeting', async () => {
  const n = 1003
  const random = new Random(8)
  const scores = () => Array.from({ length: n }, () => random.uniform())
  const models = Array.from({ length: 8 }, (_, k) => ({ a: roundNormals(n, 20 + k) }))
  const merge: SmallMerge = {
    method: 'led',
    base: { a: roundNormals(n, 1) },
    models,
    parameters: { r: 0.4, lambda: 0.9 },
    material: Object.fromEntries(['base', ...models.keys()].map((k) => [`importance.${k}.a`, scores()])),
  }
  const ours = await merged(merge)
  const moved = ours.filter((value, i) => value !== merge.base!.a[i]).length
  // About 1003 · 0.4 · 8 · 0.4 · 0.6⁷ weights belong to one expert alone.
  expect(moved).toBeGreaterThan(15)
  expect(moved).toBeLessThan(60)
  const choice = elect(
    [Float32Array.of(1, 2), Float32Array.of(1, 2), Float32Array.of(1, 2)],
    [Float32Array.of(1, 2), Float32Array.of(1, 2), Float32Array.of(1, 2)],
    [0.5, 0.5, 0.5],
    4,
  )
  // Three experts of the same mind are not one expert.
  expect([...choice]).toEqual([0, 0, 0, 0])
})

describe('refusals', () => {
  test.each([
    ['importance.1.a', 'expert 2'],
    ['importance.base.a', 'the base'],
  ])('without %s', async (key, who) => {
    const { [key]: _, ...rest } = TWO.material!
    await expect(mergeSmall(gpu, { ...TWO, material: rest })).rejects.toThrow(
      new RegExp(`no importance of ${who} .*tensor a`),
    )
  })

  test.each([
    [Number.NaN, 'not-finite'],
    [Number.POSITIVE_INFINITY, 'not-finite'],
    [-1, 'request-invalid'],
  ])('an importance of %d', async (value, code) => {
    const material = { ...TWO.material, 'importance.0.a': [1, value, 3, 4, 5, 6] }
    await expect(mergeSmall(gpu, { ...TWO, material })).rejects.toMatchObject({
      code,
      where: { tensor: 'a' },
    })
  })

  test('a share above 1, and no base', async () => {
    await expect(mergeSmall(gpu, { ...TWO, parameters: { r: 1.5 } })).rejects.toThrow(/r: found 1.5/)
    const { base: _, ...rest } = TWO
    await expect(mergeSmall(gpu, rest)).rejects.toThrow(/needs a base model/)
  })
})
