// Decoding through the key-value cache against picking the largest logit of a full recompute, step by step.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { TINY_CONFIGS, tinyModel } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { referenceForward } from './decoder.reference.ts'
import { DeviceModel } from './deviceModel.ts'
import { generate } from './generate.ts'

const PROMPTS = [[5, 9, 30, 2], [7], [11, 12, 13, 14, 15, 16, 17]]

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

/** The greedy continuation by recomputing the whole sequence in float64 for every token. */
function recompute(
  { config, arrays }: ReturnType<typeof tinyModel>,
  prompt: number[],
  steps: number,
): { ids: number[]; margin: number } {
  const ids = [...prompt]
  let margin = Number.POSITIVE_INFINITY
  for (let step = 0; step < steps; step++) {
    const { logits } = referenceForward(config, arrays, ids)
    const row = Array.from(logits.subarray((ids.length - 1) * config.vocabSize))
    const best = row.indexOf(Math.max(...row))
    margin = Math.min(margin, row[best] - Math.max(...row.filter((_, v) => v !== best)))
    ids.push(best)
  }
  return { ids: ids.slice(prompt.length), margin }
}

// Longrope changes its factors when a sequence outgrows the original length, and keys already in the cache keep
// theirs, here as in other engines; so the case that has it stays on one side.
test.each(Object.keys(TINY_CONFIGS))(
  'tokens of the cache are those of a full recompute: %s',
  async (name) => {
    const tiny = tinyModel(TINY_CONFIGS[name])
    const isLongrope = name.includes('longrope')
    const prompts = isLongrope ? PROMPTS.slice(0, 2) : PROMPTS
    const steps = isLongrope ? 4 : 9
    const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
    const ours = await generate(model, prompts, { maxNewTokens: steps, endTokens: [] })
    prompts.forEach((prompt, b) => {
      const { ids, margin } = recompute(tiny, prompt, steps)
      // A near tie would test the rounding, not the cache.
      expect(margin).toBeGreaterThan(1e-4)
      expect(ours[b]).toEqual(ids)
    })
    model.dispose()
  },
)

test('a prompt of a batch stops at its end token, the others go on', async () => {
  const tiny = tinyModel(TINY_CONFIGS['llama, separate'])
  const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
  const free = await generate(model, PROMPTS, { maxNewTokens: 8, endTokens: [] })
  const end = free[0][2]
  const until = (ids: number[]) => ids.slice(0, ids.indexOf(end) < 0 ? undefined : ids.indexOf(end) + 1)
  const stopped = await generate(model, PROMPTS, { maxNewTokens: 8, endTokens: [end] })
  expect(stopped).toEqual(free.map(until))
  expect(stopped[0].length).toBeLessThan(8)
  expect(await generate(model, [], { maxNewTokens: 8, endTokens: [] })).toEqual([])
  expect(await generate(model, PROMPTS, { maxNewTokens: 1, endTokens: [] })).toEqual(
    free.map((ids) => ids.slice(0, 1)),
  )
  model.dispose()
})

// Of the second the logits are capped: greedy tokens would not tell, samples do.
test.each([
  ['phi3, tied, odd vocabulary', 3],
  ['gemma2', 0.5],
])(
  'samples follow softmax(logits / temperature), at the first step and through the cache: %s',
  async (name, temperature) => {
    const tiny = tinyModel(TINY_CONFIGS[name])
    const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
    const V = tiny.config.vocabSize
    const count = 4000
    const prompts = Array.from({ length: count }, () => PROMPTS[0])
    const draw = (seed: number, t = temperature) =>
      generate(model, prompts, { maxNewTokens: 2, endTokens: [], sampling: { temperature: t, seed } })
    const drawn = await draw(3)
    /** χ² of counted tokens against the float64 softmax after `ids`, tokens expected below five times pooled */
    const chiSquared = (tokens: number[], ids: number[]) => {
      const { logits } = referenceForward(tiny.config, tiny.arrays, ids)
      const weights = Array.from(logits.subarray((ids.length - 1) * V), (value) =>
        Math.exp(value / temperature),
      )
      const total = weights.reduce((a, b) => a + b, 0)
      let [sum, rest, restExpected, cells] = [0, 0, 0, 0]
      weights.forEach((weight, v) => {
        const expected = (tokens.length * weight) / total
        const seen = tokens.filter((token) => token === v).length
        if (expected < 5) {
          rest += seen
          restExpected += expected
          return
        }
        sum += (seen - expected) ** 2 / expected
        cells++
      })
      if (restExpected > 0) sum += (rest - restExpected) ** 2 / restExpected
      return { sum, cells }
    }
    const first = chiSquared(
      drawn.map(([token]) => token),
      PROMPTS[0],
    )
    // Mean `cells`, deviation √(2 cells): four deviations above is one in ten thousand.
    expect(first.cells).toBeGreaterThan(8)
    expect(first.sum).toBeLessThan(first.cells + 4 * Math.sqrt(2 * first.cells))
    const counts = Array.from({ length: V }, (_, v) => drawn.filter(([token]) => token === v).length)
    const common = counts.indexOf(Math.max(...counts))
    const second = chiSquared(
      drawn.filter(([token]) => token === common).map(([, token]) => token),
      [...PROMPTS[0], common],
    )
    expect(second.sum).toBeLessThan(second.cells + 4 * Math.sqrt(2 * second.cells))
    expect(await draw(3)).toEqual(drawn)
    expect(await draw(4)).not.toEqual(drawn)
    const cold = await draw(3, 1e-5)
    expect(cold).toEqual(await generate(model, prompts, { maxNewTokens: 2, endTokens: [] }))
    await expect(draw(3, 0)).rejects.toMatchObject({ code: 'request-invalid' })
    model.dispose()
  },
)

test('cancelling rejects and gives the buffers back', async () => {
  const tiny = tinyModel(TINY_CONFIGS['phi3, fused, grouped'])
  const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
  const run = (signal?: AbortSignal) => generate(model, PROMPTS, { maxNewTokens: 6, endTokens: [], signal })
  await run()
  const before = gpu.pool.byteLength
  await expect(run(AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
  await run()
  expect(gpu.pool.byteLength).toBe(before)
  model.dispose()
})
