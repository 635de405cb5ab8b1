// Several models at one question: the tokens are those of each alone, they come in turns, a failure is one column's,
// and a stop is heard at the next token.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { TINY_CONFIGS, tinyModel } from '../../testing/tinyModels.ts'
import { EngineError } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'
import { referenceForward } from '../model/decoder.reference.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { generate } from '../model/generate.ts'
import { converse, type Speaker } from './converse.ts'
import type { ForwardModel } from './forwardModel.ts'
import { GREEDY } from './sampling.ts'

const PROMPT = [5, 9, 30, 2]
const settings = { sampling: GREEDY, maxNewTokens: 6, endTokens: [] }

let gpu: Gpu
let models: DeviceModel[]
const tiny = tinyModel(TINY_CONFIGS['llama, separate'])
beforeAll(async () => {
  gpu = await openTestDevice()
  const other = new Map([...tiny.arrays].map(([name, values]) => [name, values.map((value) => value * 1.3)]))
  const ruined = new Map(tiny.arrays)
  ruined.set(
    'lm_head.weight',
    tiny.arrays.get('lm_head.weight')!.map((v, i) => (i === 40 ? Number.NaN : v)),
  )
  models = [tiny.arrays, other, ruined].map((arrays) => DeviceModel.fromArrays(gpu, tiny.config, arrays))
})
afterAll(() => {
  for (const model of models ?? []) model.dispose()
  gpu?.close()
})

const speakers = (...which: number[]): Speaker[] =>
  which.map((m) => ({ prompt: PROMPT, open: async () => models[m] }))

describe('converse', () => {
  it('gives each model’s own greedy tokens, one each in turn', async () => {
    const order: number[] = []
    const found = await converse(speakers(0, 1), { ...settings, onToken: (s) => order.push(s) })
    for (const [m, { ids }] of found.entries()) {
      const [alone] = await generate(models[m], [PROMPT], { maxNewTokens: 6, endTokens: [] })
      expect(ids).toEqual(alone)
    }
    expect(order).toEqual(Array.from({ length: 12 }, (_, i) => i % 2))
    expect(found.every(({ durationMs, failure }) => durationMs > 0 && !failure)).toBe(true)
  })

  it('samples what the float64 logits say, through the cache, and repeats for a seed', async () => {
    const sampling = { temperature: 1.4, seed: 8, topK: 6, topP: 0.95, repetitionPenalty: 1.3 }
    const [{ ids }] = await converse(speakers(0), { ...settings, sampling })
    const { chooseToken } = await import('./sampling.ts')
    const said = [...PROMPT]
    for (const [step, id] of ids.entries()) {
      const { logits } = referenceForward(tiny.config, tiny.arrays, said)
      const V = tiny.config.vocabSize
      const last = Float32Array.from(logits.subarray((said.length - 1) * V, said.length * V))
      expect(chooseToken(last, sampling, new Set(said), step)).toBe(id)
      said.push(id)
    }
    const [again] = await converse(speakers(0), { ...settings, sampling })
    const [different] = await converse(speakers(0), { ...settings, sampling: { ...sampling, seed: 9 } })
    expect(again.ids).toEqual(ids)
    expect(different.ids).not.toEqual(ids)
  })

  it('an end token closes one answer while the other goes on', async () => {
    const [first] = await generate(models[0], [PROMPT], { maxNewTokens: 6, endTokens: [] })
    const end = first[2]
    const found = await converse(speakers(0, 1), { ...settings, endTokens: [end] })
    expect(found[0].ids).toEqual(first.slice(0, first.indexOf(end) + 1))
    expect(found[1].ids.length === 6 || found[1].ids.at(-1) === end).toBe(true)
  })

  it('logits that are not finite, and a chat that is too long, are one speaker’s failure', async () => {
    const long: Speaker = { prompt: new Array(tiny.config.maxPositions).fill(3), open: async () => models[0] }
    const found = await converse([...speakers(0, 2), long], settings)
    expect(found[0].ids).toHaveLength(6)
    expect(found[1].failure).toMatchObject({ code: 'not-finite' })
    expect(found[2].failure).toMatchObject({
      code: 'request-invalid',
      message: expect.stringContaining(`${tiny.config.maxPositions} tokens`),
    })
  })

  it('who stands in answers from the start', async () => {
    const breaking: ForwardModel = {
      kind: 'forward',
      config: tiny.config,
      poolHidden: () => Promise.reject(new Error('not asked')),
      targetLosses: () => Promise.reject(new Error('not asked')),
      async generate(_prompts, { choose }) {
        const logits = new Float32Array(tiny.config.vocabSize)
        logits[7] = 1
        await choose!(logits, 0)
        throw new EngineError('gpu-limit', 'too large')
      },
    }
    const speaker: Speaker = { prompt: PROMPT, open: async () => breaking, instead: () => models[0] }
    const [found] = await converse([speaker], settings)
    const [alone] = await generate(models[0], [PROMPT], { maxNewTokens: 6, endTokens: [] })
    expect(found).toMatchObject({ ids: alone })
    const [failed] = await converse([{ ...speaker, instead: undefined }], settings)
    expect(failed.failure).toMatchObject({ code: 'gpu-limit' })
  })

  it('a stop is heard at the next token, and no buffer is kept', async () => {
    await converse(speakers(0, 1), settings)
    const before = gpu.pool.byteLength
    const controller = new AbortController()
    let tokens = 0
    const stopped = converse(speakers(0, 1), {
      ...settings,
      signal: controller.signal,
      onToken: () => {
        if (++tokens === 3) controller.abort()
      },
    })
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' })
    expect(tokens).toBe(3)
    await converse(speakers(0, 1), settings)
    expect(gpu.pool.byteLength).toBe(before)
  })
})
