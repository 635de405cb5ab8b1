// The metric against its formula, unit and padding included.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { flatBuffers } from '../../testing/tinyMerge.ts'
import { relativeError, TINY_CONFIGS, tinyModel } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { DeviceModel, paddedCount } from '../model/deviceModel.ts'
import { createGradients } from '../model/gradientSink.ts'
import { Random } from '../tensors/random.ts'
import type { Fisher } from './fisher.ts'
import { dampedMetric, destroyBuffers, identityMetric, sampleDiagonal } from './metric.ts'

// Counts that are no multiples of four: padding must enter no mean.
const tiny = tinyModel(TINY_CONFIGS['llama, odd sizes: hidden 18, head 6, inner 26'])
const TOKENS = 37

let gpu: Gpu
let model: DeviceModel
beforeAll(async () => {
  gpu = await openTestDevice()
  model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
})
afterAll(() => gpu?.close())

/** A made-up Fisher with values over four powers of ten, or all `fill`. */
function madeFisher(fill?: number): Fisher {
  const sums = createGradients(gpu, model.config)
  let stream = 0
  for (const [name, buffer] of sums) {
    const random = new Random(5, stream++)
    const { count } = model.tensor(name)
    gpu.write(
      buffer,
      Float32Array.from({ length: count }, () => fill ?? 10 ** (4 * random.uniform() - 4)),
    )
  }
  return { sums, tokens: TOKENS, sequences: 1 }
}

describe('damped metric', () => {
  test.each([1e-4, 0.01, 1, 100])('g = F/tokens + %d · mean(F)', async (damping) => {
    const fisher = madeFisher()
    const perToken = (await flatBuffers(model, fisher.sums)).map((value) => value / TOKENS)
    const mean = perToken.reduce((sum, value) => sum + value, 0) / perToken.length
    const metric = await dampedMetric(model, fisher, damping)
    expect(perToken.length).toBe(model.parameterCount)
    expect(metric.meanFisher / mean).toBeCloseTo(1, 5)
    const g = await flatBuffers(model, metric.diagonal)
    expect(
      relativeError(
        g,
        perToken.map((value) => value + damping * mean),
      ),
    ).toBeLessThan(1e-6)
    expect(g.every((value) => value > 0)).toBe(true)
    destroyBuffers(fisher.sums)
    destroyBuffers(metric.diagonal)
  })

  test.each([
    [0, 'check-failed'],
    [Number.NaN, 'not-finite'],
    [Number.POSITIVE_INFINITY, 'not-finite'],
  ])('a Fisher of %d is refused', async (fill, code) => {
    const fisher = madeFisher(fill)
    await expect(dampedMetric(model, fisher, 0.01)).rejects.toMatchObject({ code })
    destroyBuffers(fisher.sums)
  })
})

test('identity metric is one everywhere', async () => {
  const { diagonal, meanFisher } = identityMetric(model)
  const g = await flatBuffers(model, diagonal)
  expect(g.length).toBe(model.parameterCount)
  expect(g.every((value) => value === 1)).toBe(true)
  expect(meanFisher).toBeNaN()
  destroyBuffers(diagonal)
})

test('a sample is every n-th element through all tensors, without padding', async () => {
  const { sums } = madeFisher()
  const all = await flatBuffers(model, sums)
  expect([...model.tensors.values()].some(({ count }) => paddedCount(count) !== count)).toBe(true)
  for (const limit of [100_000, 1000, 10]) {
    const step = Math.max(1, Math.ceil(all.length / limit))
    const expected = Array.from({ length: Math.ceil(all.length / step) }, (_, i) => all[i * step])
    expect(Array.from(await sampleDiagonal(model, sums, limit))).toEqual(expected)
  }
  destroyBuffers(sums)
})
