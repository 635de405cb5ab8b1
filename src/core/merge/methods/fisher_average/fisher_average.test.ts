// Closed forms on a few coordinates, identities, who gets the floor, and what is refused.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../../../testing/openTestDevice.ts'
import { mergeSmall, referenceSmall, roundNormals, type SmallMerge } from '../../../../testing/smallMerge.ts'
import { relativeError } from '../../../../testing/tinyModels.ts'
import type { Gpu } from '../../../gpu/device.ts'
import { reference } from './reference.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

/** Device and reference of tensor `a`, which must agree. */
async function merged(merge: SmallMerge): Promise<number[]> {
  const ours = (await mergeSmall(gpu, merge)).get('a')!
  expect(relativeError(ours, referenceSmall(reference, merge).get('a')!)).toBeLessThan(1e-6)
  return [...ours]
}

// ‖F_0‖ = 5 and ‖F_1‖ = 13 over both tensors.
const TWO: SmallMerge = {
  method: 'fisher_average',
  models: [
    { a: [1, 2, 8], b: [0] },
    { a: [3, -2, 4], b: [1] },
  ],
  modelParameters: [{ weight: 1 }, { weight: 1 }],
  parameters: { floor: 0 },
  material: {
    'fisher.0.a': [3, 0, 0],
    'fisher.0.b': [4],
    'fisher.1.a': [5, 0, 12],
    'fisher.1.b': [0],
  },
}
const close = (ours: number[], expected: number[]) =>
  expect(relativeError(ours, expected), `${ours}`).toBeLessThan(1e-6)

describe('the paper’s definition', () => {
  test('weighs by F over the length of the whole model’s F; nobody sure: the target', async () => {
    const [f, g] = [3 / 5, 5 / 13]
    close(await merged(TWO), [(f * 1 + g * 3) / (f + g), 2, 4])
  })

  test('without normalisation by F itself', async () => {
    const plain = { ...TWO, parameters: { floor: 0, normalize_fishers: false } }
    close(await merged(plain), [(3 * 1 + 5 * 3) / 8, 2, 4])
  })

  test('floors the first model’s F alone, and only where it is smaller', async () => {
    const floored: SmallMerge = { ...TWO, parameters: { floor: 1, normalize_fishers: false } }
    close(await merged(floored), [(3 * 1 + 5 * 3) / 8, 2, (1 * 8 + 12 * 4) / 13])
  })

  test('a base is the target: it joins with the floor, and no expert is floored', async () => {
    const based: SmallMerge = {
      ...TWO,
      base: { a: [10, 20, 30], b: [0] },
      parameters: { floor: 0.5, normalize_fishers: false },
    }
    close(await merged(based), [(3 + 15 + 5) / 8.5, 20, (48 + 15) / 12.5])
    close(await merged({ ...based, parameters: { floor: 0 } }).then((a) => a.slice(1)), [20, 4])
  })

  test('an expert without any Fisher information has no say, and no division by its length', async () => {
    const none: SmallMerge = {
      ...TWO,
      parameters: { floor: 0 },
      material: { ...TWO.material, 'fisher.1.a': [0, 0, 0] },
    }
    close(await merged(none), [1, 2, 8])
  })
})

test('the common definition adds the floor to every expert and knows no lengths', async () => {
  const common: SmallMerge = { ...TWO, parameters: { floor: 1, variant: 'common', normalize_fishers: true } }
  close(await merged(common), [(4 * 1 + 6 * 3) / 10, 0, (1 * 8 + 13 * 4) / 14])
  close(await merged({ ...common, parameters: { floor: 0, variant: 'common' } }), [18 / 8, 2, 4])
})

test.each(['paper', 'common'])('equal experts, and one alone, are themselves (%s)', async (variant) => {
  const weights = roundNormals(37, 1)
  const fisher = roundNormals(37, 2).map((value) => value ** 2)
  const equal: SmallMerge = {
    method: 'fisher_average',
    models: [{ a: weights }, { a: weights }],
    modelParameters: [{ weight: 0.3 }, { weight: 0.7 }],
    parameters: { variant },
    material: { 'fisher.0.a': fisher, 'fisher.1.a': fisher.slice().reverse() },
  }
  close(await merged(equal), weights)
  close(await merged({ ...equal, models: [{ a: weights }], modelParameters: [{ weight: 0.3 }] }), weights)
})

test('with equal Fishers it is the weighted mean', async () => {
  const [x, y] = [roundNormals(50, 3), roundNormals(50, 4)]
  const fisher = roundNormals(50, 5).map((value) => 1e-9 + value ** 2)
  const merge: SmallMerge = {
    method: 'fisher_average',
    models: [{ a: x }, { a: y }],
    modelParameters: [{ weight: 3 }, { weight: 1 }],
    parameters: { floor: 0 },
    material: { 'fisher.0.a': fisher, 'fisher.1.a': fisher },
  }
  close(
    await merged(merge),
    x.map((value, i) => 0.75 * value + 0.25 * y[i]),
  )
})

describe('refusals', () => {
  test('an expert without a Fisher diagonal is named with the tensor', async () => {
    const { 'fisher.1.b': _, ...rest } = TWO.material!
    await expect(mergeSmall(gpu, { ...TWO, material: rest })).rejects.toMatchObject({
      code: 'request-invalid',
      message: expect.stringMatching(/expert 2 .*tensor b/),
    })
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('a Fisher diagonal with %d', async (value) => {
    const material = { ...TWO.material, 'fisher.0.a': [1, value, 1] }
    await expect(mergeSmall(gpu, { ...TWO, material })).rejects.toMatchObject({
      code: 'not-finite',
      where: { tensor: 'a' },
    })
  })
})
