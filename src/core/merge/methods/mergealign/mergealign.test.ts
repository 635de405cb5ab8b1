// A closed form on two coordinates, identities, and what is refused.

import { afterAll, beforeAll, expect, test } from 'vitest'
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

async function merged(merge: SmallMerge): Promise<number[]> {
  const ours = (await mergeSmall(gpu, merge)).get('a')!
  expect(relativeError(ours, referenceSmall(reference, merge).get('a')!)).toBeLessThan(1e-6)
  return [...ours]
}
const close = (ours: number[], expected: number[]) =>
  expect(relativeError(ours, expected), `${ours}`).toBeLessThan(1e-6)

const TWO: SmallMerge = {
  method: 'mergealign',
  base: { a: [1, 10] },
  models: [{ a: [3, 10] }, { a: [1, 6] }],
  references: { aligned: { a: [1, 20] } },
}

test('adds half of every difference by default; shares as given', async () => {
  close(await merged(TWO), [2, 10 - 2 + 5])
  const given = { ...TWO, modelParameters: [{ weight: 0.25 }, { weight: -1 }], parameters: { beta: 0.1 } }
  close(await merged(given), [1.5, 10 + 4 + 1])
})

test('no shares: the base; β alone 1: the aligned model; experts that are the aligned model: a sum of shares', async () => {
  const [base, one, aligned] = [roundNormals(101, 1), roundNormals(101, 2), roundNormals(101, 3)]
  const merge = (weight: number, beta: number, expert = one): SmallMerge => ({
    method: 'mergealign',
    base: { a: base },
    models: [{ a: expert }],
    references: { aligned: { a: aligned } },
    parameters: { beta },
    modelParameters: [{ weight }],
  })
  close(await merged(merge(0, 0)), base)
  close(await merged(merge(0, 1)), aligned)
  close(await merged(merge(1, 0)), one)
  close(await merged(merge(0.75, 0.25, aligned)), aligned)
  // Without differences there is nothing to add, whatever the shares.
  close(await merged({ ...merge(3, 0, base), references: { aligned: { a: base } } }), base)
})

test('stops without an aligned model, and names the tensor', async () => {
  await expect(mergeSmall(gpu, { ...TWO, references: {} })).rejects.toMatchObject({
    code: 'request-invalid',
    message: expect.stringMatching(/aligned model.*tensor a/),
  })
})

test('stops without a base', async () => {
  const { base: _, ...rest } = TWO
  await expect(mergeSmall(gpu, rest)).rejects.toThrow(/needs a base model/)
})
