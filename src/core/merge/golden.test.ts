// Every method against golden values of a second implementation (golden/generate.py, numpy float64): the device
// path, and the method's own float64 reference.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeFolder } from '../../cli/nodeFolder.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { compareCase, readMergeVectors, referenceInput, runCase } from '../evaluate/verifyMerge.ts'
import type { Gpu } from '../gpu/device.ts'
import type { MergeReference } from './method.ts'
import { METHODS } from './methods/registry.ts'

const references = import.meta.glob<{ reference: MergeReference }>('./methods/*/reference.ts', {
  eager: true,
})
const referenceOf = (id: string) => references[`./methods/${id}/reference.ts`]?.reference

/** AlignMerge has its own truth: closedForm.reference.ts. */
const WITHOUT_GOLDEN = ['alignmerge']

const vectors = await readMergeVectors(await nodeFolder(new URL('./golden', import.meta.url).pathname))

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

describe.each(vectors.cases.map((merge) => [merge.case, merge.method, merge] as const))(
  'case %i, %s',
  (_case, method, merge) => {
    test('device', async () => {
      const row = compareCase(vectors, merge, await runCase(gpu, vectors, merge))
      expect(row).toMatchObject({ passed: true })
    })
    test('float64 reference', () => {
      const reference = referenceOf(method)
      expect(reference, `${method} has no reference.ts`).toBeDefined()
      // Vectors are stored as float32.
      expect(compareCase(vectors, merge, reference!(referenceInput(vectors, merge)), 2e-7)).toMatchObject({
        passed: true,
      })
    })
  },
)

test.each(METHODS.map(({ declaration }) => declaration.id).filter((id) => !WITHOUT_GOLDEN.includes(id)))(
  '%s has golden values and a float64 reference',
  (id) => {
    expect(vectors.cases.filter(({ method }) => method === id).length).toBeGreaterThanOrEqual(2)
    expect(referenceOf(id)).toBeDefined()
  },
)

test('a changed value is noticed', async () => {
  const merge = vectors.cases[0]
  const merged = await runCase(gpu, vectors, merge)
  const [first] = merged.values()
  first[1] += 1e-3 * (1 + Math.abs(first[1]))
  expect(compareCase(vectors, merge, merged).passed).toBe(false)
})
