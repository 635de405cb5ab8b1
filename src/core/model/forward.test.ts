// Logits and hidden states of every switch of the engine against the float64 reference, in all three storage
// types, and a packed batch against its sequences alone.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { relativeError, TINY_CONFIGS, TINY_SEQUENCES, tinyModel } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import type { WeightType } from '../tensors/dtype.ts'
import { Batch } from './batch.ts'
import { referenceForward } from './decoder.reference.ts'
import { DeviceModel } from './deviceModel.ts'
import { allLogits, hiddenStates, poolHidden, targetLosses } from './gradients.ts'
import { rotaryFrequencies } from './rotary.ts'

// As for the stored vectors of other implementations: float32 against float64 through a few layers.
const BOUND = 3e-5

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const types: WeightType[] = ['f32', 'bf16', 'f16']

describe.each(Object.entries(TINY_CONFIGS))('%s', (_name, raw) => {
  test.each(types)('logits and hidden states equal the float64 reference, stored in %s', async (type) => {
    const { config, arrays } = tinyModel(raw, type)
    const model = DeviceModel.fromArrays(gpu, config, arrays, type)
    const batch = new Batch(gpu, config, TINY_SEQUENCES)
    const logits = await allLogits(model, batch)
    const states = await hiddenStates(model, batch)
    expect(states.length).toBe(config.layerCount + 1)
    TINY_SEQUENCES.forEach(({ ids }, s) => {
      const expected = referenceForward(config, arrays, ids)
      const rows = (values: Float32Array, width: number) =>
        values.subarray(batch.starts[s] * width, batch.starts[s + 1] * width)
      expect(relativeError(rows(logits, config.vocabSize), expected.logits)).toBeLessThan(BOUND)
      states.forEach((state, l) => {
        expect(relativeError(rows(state, config.hiddenSize), expected.hidden[l])).toBeLessThan(BOUND)
      })
    })
    batch.release()
    model.dispose()
  })
})

test('a packed batch gives the bits of its sequences alone', async () => {
  for (const raw of Object.values(TINY_CONFIGS)) {
    const { config, arrays } = tinyModel(raw)
    const model = DeviceModel.fromArrays(gpu, config, arrays)
    const packed = new Batch(gpu, config, TINY_SEQUENCES)
    const logits = await allLogits(model, packed)
    const losses = await targetLosses(model, packed)
    for (const [s, sequence] of TINY_SEQUENCES.entries()) {
      const alone = new Batch(gpu, config, [sequence])
      const V = config.vocabSize
      const part = logits.subarray(packed.starts[s] * V, packed.starts[s + 1] * V)
      expect(Array.from(part)).toEqual(Array.from(await allLogits(model, alone)))
      const rows = losses.subarray(packed.rowStarts[s], packed.rowStarts[s + 1])
      expect(Array.from(rows)).toEqual(Array.from(await targetLosses(model, alone)))
      alone.release()
    }
    packed.release()
    model.dispose()
  }
})

test('pooled hidden states are means over their spans', async () => {
  const { config, arrays } = tinyModel(TINY_CONFIGS['llama, odd sizes: hidden 18, head 6, inner 26'])
  const model = DeviceModel.fromArrays(gpu, config, arrays)
  const batch = new Batch(gpu, config, TINY_SEQUENCES)
  const hidden = [0, 2, 1]
  const spans = [
    [1, 4],
    [7, 8],
    [12, 20],
  ]
  const pooled = await poolHidden(model, batch, {
    spanStart: Uint32Array.from(spans, ([start]) => start),
    spanEnd: Uint32Array.from(spans, ([, end]) => end),
    hidden,
  })
  const C = config.hiddenSize
  const expected: number[] = []
  spans.forEach(([start, end], s) => {
    const states = referenceForward(config, arrays, TINY_SEQUENCES[s].ids).hidden
    const first = batch.starts[s]
    for (const l of hidden)
      for (let c = 0; c < C; c++) {
        let sum = 0
        for (let t = start; t < end; t++) sum += states[l][(t - first) * C + c]
        expected.push(sum / (end - start))
      }
  })
  expect(relativeError(pooled, expected)).toBeLessThan(BOUND)
  batch.release()
  model.dispose()
})

test('longrope takes the short factors up to the original length and the long ones above', () => {
  const { config } = tinyModel(TINY_CONFIGS['phi3, longrope (short and long sequences)'])
  expect(Array.from(rotaryFrequencies(config.rotary, 8))).toEqual([1, 0.01 / 1.2])
  expect(Array.from(rotaryFrequencies(config.rotary, 9))).toEqual([1 / 1.5, 0.01 / 4])
  const scaling = config.rotary.scaling
  expect(scaling.kind === 'longrope' && scaling.attentionFactor).toBeCloseTo(
    Math.sqrt(1 + Math.log(6) / Math.log(8)),
    14,
  )
})

test('llama3 scaling keeps short waves, divides long ones, and blends between', () => {
  const { config } = tinyModel(TINY_CONFIGS['llama, llama3 scaling'])
  // Pairs of 1, 0.1, 0.01, 0.001 rad per token: waves of 6.3, 63, 628 and 6283 tokens; kept below 32/4 = 8,
  // divided by 8 above 32/0.25 = 128.
  const smooth = ((32 * 0.1) / (2 * Math.PI) - 0.25) / (4 - 0.25)
  const expected = [1, 0.1 * (smooth + (1 - smooth) / 8), 0.01 / 8, 0.001 / 8]
  const found = rotaryFrequencies(config.rotary, 20)
  expected.forEach((value, i) => {
    expect(found[i]).toBeCloseTo(value, 14)
  })
})

test('linear scaling divides every angle', () => {
  const plain = rotaryFrequencies(tinyModel(TINY_CONFIGS['phi3, fused, grouped']).config.rotary, 5)
  const scaled = rotaryFrequencies(tinyModel(TINY_CONFIGS['llama, linear scaling']).config.rotary, 5)
  expect(Array.from(scaled)).toEqual(Array.from(plain, (value) => value / 2.5))
})

test('a batch refuses empty sequences, tokens outside the vocabulary and targets outside the sequence', () => {
  const { config } = tinyModel(TINY_CONFIGS['llama, separate'])
  const open = (ids: number[], firstTarget = 1) => new Batch(gpu, config, [{ ids, firstTarget }])
  for (const attempt of [() => open([]), () => open([3, 40]), () => open([3, 4], 0), () => open([3, 4], 3)])
    expect(attempt).toThrow(expect.objectContaining({ code: 'request-invalid' }))
})
