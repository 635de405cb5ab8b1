// Importance of weights against finite differences of the float64 reference, one sequence at a time.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { watchBuffers } from '../../testing/liveBuffers.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { flatBuffers, randomSequences } from '../../testing/tinyMerge.ts'
import {
  referenceLosses,
  relativeError,
  TINY_CONFIGS,
  TINY_SEQUENCES,
  tinyModel,
} from '../../testing/tinyModels.ts'
import { destroyBuffers } from '../geometry/metric.ts'
import type { Gpu } from '../gpu/device.ts'
import { DeviceModel, paddedCount } from '../model/deviceModel.ts'
import { Random } from '../tensors/random.ts'
import { absoluteGradients, encodeImportance } from './materialImportance.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

test.each([
  'phi3, fused, grouped',
  'llama, all biases, tied',
  'phi3, odd sizes: hidden 18, head 6, window 4, tied',
])('is |w| times the mean over sequences of |d mean loss / d w|: %s', async (name) => {
  const tiny = tinyModel(TINY_CONFIGS[name])
  const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
  const gradients = await absoluteGradients(model, TINY_SEQUENCES)
  expect(gradients.sequences).toBe(3)
  const weights = new Map(Array.from(tiny.arrays, ([tensor, values]) => [tensor, Float64Array.from(values)]))
  const misses: string[] = []
  let stream = 0
  let opposed = 0
  for (const [tensor, values] of weights) {
    const out = gpu.pool.take(paddedCount(values.length) * 4)
    encodeImportance(model, gradients, tensor, out)
    const ours = await gpu.readFloats(out, values.length)
    gpu.pool.release(out)
    const scale = ours.reduce((a, b) => Math.max(a, b), 0)
    expect(scale).toBeGreaterThan(0)
    expect(ours.every((value) => value >= 0)).toBe(true)
    const random = new Random(17, stream++)
    for (let place = 0; place < 5; place++) {
      let i = random.integer(values.length)
      if (place % 2 === 0) while (ours[i] === 0) i = random.integer(values.length)
      const before = values[i]
      const means = (step: number) => {
        values[i] = before + step
        const result = TINY_SEQUENCES.map((sequence) => {
          const losses = referenceLosses(tiny.config, weights, sequence)
          return losses.reduce((a, b) => a + b, 0) / losses.length
        })
        values[i] = before
        return result
      }
      const [up, down] = [means(1e-4), means(-1e-4)]
      const slopes = up.map((value, s) => (value - down[s]) / 2e-4)
      if (slopes.some((slope) => slope > 1e-3) && slopes.some((slope) => slope < -1e-3)) opposed++
      const expected = (Math.abs(before) * slopes.reduce((sum, slope) => sum + Math.abs(slope), 0)) / 3
      if (!(Math.abs(expected - ours[i]) <= 3e-5 * scale))
        misses.push(`${tensor}[${i}]: ${ours[i]}, differences give ${expected}`)
    }
  }
  expect(misses).toEqual([])
  // Without places where sequences disagree, a plain gradient would have passed.
  expect(opposed).toBeGreaterThan(10)
  destroyBuffers(gradients.sums)
  model.dispose()
})

test('does not depend on the batch size', async () => {
  const tiny = tinyModel(TINY_CONFIGS['phi3, fused, grouped'])
  const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
  const sequences = randomSequences(7, tiny.config.vocabSize, 3)
  const whole = await absoluteGradients(model, sequences)
  const expected = await flatBuffers(model, whole.sums)
  for (const batchSequences of [1, 3]) {
    const parts = await absoluteGradients(model, sequences, { batchSequences })
    expect(relativeError(await flatBuffers(model, parts.sums), expected)).toBeLessThan(2e-6)
    destroyBuffers(parts.sums)
  }
  destroyBuffers(whole.sums)
  model.dispose()
})

test('a raised signal stops before the next batch and leaves nothing on the device', async () => {
  const tiny = tinyModel(TINY_CONFIGS['phi3, fused, grouped'])
  const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
  const live = watchBuffers(gpu)
  const abort = new AbortController()
  const seen: number[] = []
  const attempt = absoluteGradients(model, randomSequences(6, tiny.config.vocabSize, 2), {
    batchSequences: 2,
    signal: abort.signal,
    onProgress: (done) => {
      seen.push(done)
      if (done === 4) abort.abort()
    },
  })
  await expect(attempt).rejects.toMatchObject({ code: 'cancelled' })
  expect(seen).toEqual([2, 4])
  expect(live.made()).toEqual([])
  expect(live.taken()).toBe(0)
  live.stop()
  model.dispose()
})
