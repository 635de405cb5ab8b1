// The slider's path against the closed form written in one go, and its ends.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { expertOf, flatWeights, type TinyMerge, tinyMerge } from '../../testing/tinyMerge.ts'
import { relativeError, TINY_CONFIGS } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import type { WeightType } from '../tensors/dtype.ts'
import { mergeOnDevice } from './deviceMerge.ts'
import type { ShieldSource } from './method.ts'
import { methodOf } from './methods/registry.ts'
import { Slide } from './slide.ts'

const CONFIG = 'phi3, odd sizes: hidden 18, head 6, window 4, tied'
const WEIGHTS = [0.5, 0.3, 0.2]
const HARD = [0.3, -0.2, 0, 0.1, 0.4, -0.5]

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const shieldOf = ({ rows, metric }: TinyMerge, b: readonly number[]): ShieldSource => {
  const held = gpu.upload(Float32Array.from(b))
  return (name) => {
    const a = rows.own.rows.get(name)
    const g = metric.diagonal.get(name)
    return a && g ? { rows: b.length, a, metric: g, b: held } : undefined
  }
}

async function merged(
  tiny: TinyMerge,
  method: string,
  experts: readonly DeviceModel[],
  shield?: ShieldSource,
) {
  const out = new DeviceModel(gpu, tiny.anchor.config, tiny.anchor.type)
  const weights = WEIGHTS.slice(0, experts.length)
  const modelParameters = weights.map((weight) => ({ weight }))
  const seed = 0
  await mergeOnDevice(
    methodOf(method),
    { base: tiny.anchor, models: experts, parameters: {}, modelParameters, seed, shield },
    out,
  )
  return flatWeights(out)
}

async function slid(slide: Slide, tiny: TinyMerge, lambda: number) {
  const out = new DeviceModel(gpu, tiny.anchor.config, tiny.anchor.type)
  slide.encode(lambda, out)
  return flatWeights(out)
}

describe.each<WeightType>(['f32', 'bf16', 'f16'])('in %s', (type) => {
  test('λ = 0 is the linear merge bit for bit; any λ is the closed form beyond rounding', async () => {
    const tiny = await tinyMerge(gpu, { experts: 3, config: CONFIG, type })
    const slide = new Slide(tiny.anchor, tiny.experts, WEIGHTS, shieldOf(tiny, HARD))
    expect(await slid(slide, tiny, 0)).toEqual(await merged(tiny, 'linear', tiny.experts))
    const plain = await slid(slide, tiny, 0)
    for (const lambda of [0.5, 16, Number.POSITIVE_INFINITY]) {
      const share = lambda === Number.POSITIVE_INFINITY ? 1 : lambda / (1 + lambda)
      const closed = await merged(
        tiny,
        'alignmerge',
        tiny.experts,
        shieldOf(
          tiny,
          HARD.map((b) => share * b),
        ),
      )
      const found = await slid(slide, tiny, lambda)
      expect(relativeError(found, plain)).toBeGreaterThan(0.01)
      expect(relativeError(found, closed)).toBeLessThan(type === 'f32' ? 1e-6 : 2e-4)
    }
    slide.dispose()
  })
})

test('more than four experts', async () => {
  const tiny = await tinyMerge(gpu, { experts: 2, config: CONFIG })
  const experts = [61, 62, 63, 64, 65, 66].map((seed) => expertOf(gpu, TINY_CONFIGS[CONFIG], 'f32', seed))
  const weights = [0.1, 0.2, 0.3, 0.15, 0.05, 0.2]
  const slide = new Slide(tiny.anchor, experts, weights, undefined)
  const parts = await Promise.all(experts.map(flatWeights))
  const expected = parts[0].map((_, j) => parts.reduce((sum, part, k) => sum + weights[k] * part[j], 0))
  expect(relativeError(await slid(slide, tiny, 3), expected)).toBeLessThan(3e-7)
})
