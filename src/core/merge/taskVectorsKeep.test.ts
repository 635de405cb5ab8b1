// The selection of elements by magnitude on large vectors, and the steps on which masks hang bit by bit.

import { beforeAll, describe, expect, it, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import type { Gpu } from '../gpu/device.ts'
import { Random } from '../tensors/random.ts'
import type { TensorTask } from './method.ts'
import { sumInLanes } from './methods/arcee_fusion/floatDivergence.ts'
import { roundDown } from './taskVectors.ts'
import { encodeWindows } from './taskVectorsKeep.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})

describe('selection', () => {
  // More than one turn of a thread, more than one block, both roundings of blocks.
  test.each([
    [300_001, 7],
    [300_001, 40_000],
    [70_003, 1],
  ])('%i elements of %i magnitudes: exactly the places asked for, in order', async (count, magnitudes) => {
    const random = new Random(count, magnitudes)
    const values = Float32Array.from(
      { length: count },
      () => (random.integer(2 * magnitudes + 1) - magnitudes) / 64,
    )
    const order = Array.from(values, (_, i) => i).sort(
      (a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b,
    )
    const padded = Math.ceil(count / 4) * 4
    const model = gpu.upload(Float32Array.from({ length: padded }, (_, i) => values[i] ?? 0))
    const base = gpu.upload(new Float32Array(padded))
    const taken: GPUBuffer[] = []
    const scratch = (byteLength: number) => {
      taken.push(gpu.pool.take(byteLength))
      return taken[taken.length - 1]
    }
    const task = {
      gpu,
      count,
      start: 0,
      total: count,
      padded,
      type: 'f32',
      models: [model],
      base,
      scratch,
      name: 'w',
    } as unknown as TensorTask
    for (const [top, end] of [
      [0, 1],
      [0, 123],
      [1000, 50_000],
      [69_999, 70_000],
      [3, count],
    ]) {
      const keep = encodeWindows(task, [{ top, bottom: count - end }])!
      const words = await gpu.readWords(keep.buffer, padded / 4)
      const kept = Array.from(values, (_, i) => i).filter((i) => (words[i >> 2] >> (i & 3)) & 1)
      expect(kept).toEqual(order.slice(top, end).sort((a, b) => a - b))
      gpu.pool.release(...taken.splice(0))
    }
    model.destroy()
    base.destroy()
  })
})

describe('small steps', () => {
  it('rounds a bound down to float32', () => {
    expect(roundDown(0.5)).toBe(0.5)
    for (const value of [1e-5, 0.1, 0.3, 1e-30]) {
      const below = roundDown(value)
      expect(below).toBeLessThanOrEqual(value)
      expect(below * (1 + 2 ** -22)).toBeGreaterThan(value)
      expect(Math.fround(below)).toBe(below)
    }
  })
  it('adds sixteen lanes, halves them, then the rest', () => {
    // 2²⁴ swallows a one that is added to it alone, but not a pair of them.
    const values = Float32Array.from({ length: 34 }, (_, i) => [2 ** 24, 1][i] ?? 0)
    values[16 + 1] = 1
    expect(sumInLanes(values, 34)).toBe(2 ** 24 + 2)
    values[16 + 1] = 0
    values[8] = 1
    expect(sumInLanes(values, 34)).toBe(2 ** 24)
    values.fill(0)
    values[0] = 2 ** 24
    values[32] = 1
    values[33] = 1
    expect(sumInLanes(values, 34)).toBe(2 ** 24)
    expect(sumInLanes(values, 16)).toBe(2 ** 24)
    expect(sumInLanes(Float32Array.of(1, 2, 3, 100), 3)).toBe(6)
  })
})
