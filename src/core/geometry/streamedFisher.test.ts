// The streamed Fisher diagonal is the resident one: every family's switches, both forms, tied and untied heads, one
// round and several.

import { beforeAll, describe, expect, it } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { storedWeight } from '../../testing/storedWeights.ts'
import { TINY_CONFIGS, tinyModel } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import type { Sequence } from '../model/batch.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import type { WeightType } from '../tensors/dtype.ts'
import { fisherDiagonal } from './fisher.ts'
import { destroyBuffers } from './metric.ts'
import { roundsOf, streamFisher } from './streamedFisher.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})

const SEQUENCES: Sequence[] = [
  { ids: [3, 1, 4, 12, 5, 24, 1], firstTarget: 2 },
  { ids: [2, 7, 1, 8], firstTarget: 1 },
  { ids: [6, 6, 3, 5, 6], firstTarget: 3 },
]

async function both(
  name: string,
  form: 'sequence' | 'fast',
  labels: 'sampled' | 'data',
  type: WeightType,
  limits: { rowBytes?: number; logitBytes?: number } = {},
) {
  const tiny = tinyModel(TINY_CONFIGS[name], type)
  const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays, type)
  const options = { form, labels, seed: 9 }
  const resident = await fisherDiagonal(model, SEQUENCES, options)
  const expected = new Map<string, Float32Array>()
  for (const { spec, count } of model.tensors.values())
    expected.set(spec.name, await gpu.readFloats(resident.sums.get(spec.name)!, count))
  const stored = new Map<string, ReturnType<typeof storedWeight>>()
  for (const { spec } of model.tensors.values())
    stored.set(spec.name, storedWeight(spec.name, tiny.arrays.get(spec.name)!, type, spec.shape))
  const found = new Map(Array.from(expected, ([key, { length }]) => [key, new Float32Array(length)]))
  const add = async (key: string, start: number, values: Float32Array) => {
    const sums = found.get(key)!
    values.forEach((value, i) => {
      sums[start + i] += value
    })
  }
  const shared = { gpu, config: tiny.config, stored, sequences: SEQUENCES, ...options, ...limits }
  const { tokens } = await streamFisher({ ...shared, out: { add } })
  expect(tokens).toBe(resident.tokens)
  destroyBuffers(resident.sums)
  model.dispose()
  return { expected, found }
}

function farthest(expected: Map<string, Float32Array>, found: Map<string, Float32Array>): number {
  let worst = 0
  for (const [name, values] of expected) {
    const scale = values.reduce((most, value) => Math.max(most, value), 0)
    expect(scale, name).toBeGreaterThan(0)
    const other = found.get(name)!
    values.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - other[i]) / scale)
    })
  }
  return worst
}

describe('streamed Fisher diagonal', () => {
  it.each(Object.keys(TINY_CONFIGS))('%s', async (name) => {
    const { expected, found } = await both(name, 'sequence', 'sampled', 'f32')
    expect(farthest(expected, found)).toBeLessThan(1e-5)
  })

  it.each(['phi3, tied, odd vocabulary', 'llama, separate'])(
    '%s: per token, data labels, bf16',
    async (name) => {
      const { expected, found } = await both(name, 'fast', 'data', 'bf16')
      expect(farthest(expected, found)).toBeLessThan(1e-5)
    },
  )

  // Twelve rows of embedding and head at once, two tokens the first of theirs, and as many rows of each matrix; two rounds.
  it.each(['phi3, tied, odd vocabulary', 'llama, separate', 'llama, all biases, tied'])(
    '%s: in parts and rounds',
    async (name) => {
      const { hidden_size: C = 16 } = TINY_CONFIGS[name] as { hidden_size?: number }
      const limits = { rowBytes: 12 * C * 4, logitBytes: 4 * 40 * 5 }
      expect(roundsOf(SEQUENCES, 40, limits.logitBytes)).toHaveLength(2)
      for (const form of ['sequence', 'fast'] as const) {
        const { expected, found } = await both(name, form, 'sampled', 'bf16', limits)
        expect(farthest(expected, found), form).toBeLessThan(1e-5)
      }
    },
  )

  it('takes sequences in rounds whose logits and activations fit', () => {
    const long = { ids: Array.from({ length: 200 }, () => 1), firstTarget: 1 }
    expect(roundsOf([long, long, long], 40).map(({ length }) => length)).toEqual([2, 1])
    const rows = 96 * 2 ** 20
    expect(roundsOf([SEQUENCES[0], SEQUENCES[1]], rows / 4 / 5).map(({ length }) => length)).toEqual([1, 1])
  })
})
