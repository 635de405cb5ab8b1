// Layer conflict: limits of κ, and the device pass against explicit task vectors.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { type TinyMerge, tinyMerge } from '../../testing/tinyMerge.ts'
import type { Gpu } from '../gpu/device.ts'
import { layerOf } from '../merge/deviceMerge.ts'
import { conflictOf, layerConflict } from './conflict.ts'

let gpu: Gpu
let tiny: TinyMerge
beforeAll(async () => {
  gpu = await openTestDevice()
  tiny = await tinyMerge(gpu, { experts: 3 })
})
afterAll(() => gpu?.close())

describe('κ', () => {
  test.each([
    ['equal task vectors', [4, 4, 4, 4], 0],
    ['orthogonal ones', [9, 0, 0, 9], 1 - Math.SQRT1_2],
    ['opposite ones', [4, -4, -4, 4], 1],
    ['one alone', [2, 0, 0, 0], 0],
  ])('of %s', (_name, gram, expected) => {
    expect(conflictOf(Float64Array.from(gram), 2)).toBeCloseTo(expected, 12)
  })
  test('is no number where nothing differs', () => {
    expect(conflictOf(new Float64Array(4), 2)).toBeNaN()
  })
})

test('by layer equals explicit sums', async () => {
  const { anchor, experts } = tiny
  const found = await layerConflict(anchor, experts)
  expect(found).toHaveLength(anchor.config.layerCount)
  for (let layer = 0; layer < anchor.config.layerCount; layer++) {
    let together = 0
    const apart = experts.map(() => 0)
    for (const name of anchor.tensors.keys()) {
      if (layerOf(name) !== layer) continue
      const base = await anchor.read(name)
      const deltas = await Promise.all(
        experts.map(async (e) => (await e.read(name)).map((v, i) => v - base[i])),
      )
      base.forEach((_, i) => {
        together += deltas.reduce((sum, delta) => sum + delta[i], 0) ** 2
        deltas.forEach((delta, k) => {
          apart[k] += delta[i] ** 2
        })
      })
    }
    const expected = 1 - Math.sqrt(together) / apart.reduce((sum, square) => sum + Math.sqrt(square), 0)
    expect(found[layer]).toBeCloseTo(expected, 5)
  }
})
