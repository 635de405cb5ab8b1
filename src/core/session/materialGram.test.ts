// Gram matrices against dense float64 products of the reference decoder's own activations, for every family and layout.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { watchBuffers } from '../../testing/liveBuffers.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { randomSequences } from '../../testing/tinyMerge.ts'
import { relativeError, TINY_CONFIGS, TINY_SEQUENCES, tinyModel } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import type { Sequence } from '../model/batch.ts'
import { referenceForward } from '../model/decoder.reference.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { destroyGrams, inputGrams } from './materialGram.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

/** Σ_t x xᵀ by weight, from the slow decoder. */
function referenceGrams(tiny: ReturnType<typeof tinyModel>, sequences: readonly Sequence[]) {
  const grams = new Map<string, Float64Array>()
  for (const { ids } of sequences)
    referenceForward(tiny.config, tiny.arrays, ids, (weight, x) => {
      const n = x.length / ids.length
      const sum = grams.get(weight) ?? new Float64Array(n * n)
      for (let t = 0; t < ids.length; t++)
        for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) sum[i * n + j] += x[t * n + i] * x[t * n + j]
      grams.set(weight, sum)
    })
  if (tiny.config.tied) grams.delete('model.embed_tokens.weight')
  return grams
}

test.each(Object.keys(TINY_CONFIGS))('of every linear layer: %s', async (name) => {
  const tiny = tinyModel(TINY_CONFIGS[name])
  const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
  const { sums, tokens } = await inputGrams(model, TINY_SEQUENCES)
  const expected = referenceGrams(tiny, TINY_SEQUENCES)
  expect(new Set(sums.keys())).toEqual(new Set(expected.keys()))
  expect(tokens).toBe(20)
  for (const [weight, values] of expected) {
    const ours = await gpu.readFloats(sums.get(weight)!, values.length)
    expect(relativeError(ours, values), weight).toBeLessThan(3e-6)
    const n = Math.sqrt(values.length)
    // The solver takes it as symmetric.
    expect(ours.every((value, at) => value === ours[(at % n) * n + Math.floor(at / n)])).toBe(true)
  }
  destroyGrams(gpu, sums)
  model.dispose()
})

test('layers that read the same share one matrix', async () => {
  const tiny = tinyModel(TINY_CONFIGS['llama, separate'])
  const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
  const { sums } = await inputGrams(model, TINY_SEQUENCES)
  const of = (name: string) => sums.get(`model.layers.1.${name}.weight`)
  expect(of('self_attn.k_proj')).toBe(of('self_attn.q_proj'))
  expect(of('self_attn.v_proj')).toBe(of('self_attn.q_proj'))
  expect(of('mlp.up_proj')).toBe(of('mlp.gate_proj'))
  expect(new Set(sums.values()).size).toBe(4 * 3 + 1)
  destroyGrams(gpu, sums)
  model.dispose()
})

test('does not depend on the batch size, and targets do not matter', async () => {
  const tiny = tinyModel(TINY_CONFIGS['phi3, fused, grouped'])
  const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
  const sequences = randomSequences(7, tiny.config.vocabSize, 3)
  const whole = await inputGrams(model, sequences)
  const parts = await inputGrams(
    model,
    sequences.map(({ ids }) => ({ ids })),
    { batchSequences: 2 },
  )
  expect(parts.tokens).toBe(whole.tokens)
  for (const [weight, buffer] of whole.sums) {
    const count = model.tensor(weight).spec.shape[1] ** 2
    const expected = await gpu.readFloats(buffer, count)
    expect(relativeError(await gpu.readFloats(parts.sums.get(weight)!, count), expected)).toBeLessThan(1e-6)
  }
  destroyGrams(gpu, whole.sums)
  destroyGrams(gpu, parts.sums)
  model.dispose()
})

test('a raised signal stops before the next batch and leaves nothing on the device', async () => {
  const tiny = tinyModel(TINY_CONFIGS['phi3, fused, grouped'])
  const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
  const live = watchBuffers(gpu)
  const abort = new AbortController()
  const seen: number[] = []
  const attempt = inputGrams(model, randomSequences(6, tiny.config.vocabSize, 2), {
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
  const { sums } = await inputGrams(model, randomSequences(2, tiny.config.vocabSize, 2))
  expect(live.made().length).toBe(9)
  destroyGrams(gpu, sums)
  expect(live.made()).toEqual([])
  live.stop()
  model.dispose()
})
