// What a model writes: of which tokens, how often, and when it ends.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { randomModel, tinyCodec } from '../../testing/answeringModels.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import { Batch } from '../model/batch.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { allLogits } from '../model/gradients.ts'
import { type WritingOptions, writeQuestions } from './writeQuestions.ts'

const SEEDS = ['ab cd', 'ab ce', 'xb d']
const OPTIONS: WritingOptions = { count: 90, seed: 4, temperature: 1, support: 'seen' }

let model: DeviceModel
let codec: TextCodec
beforeAll(async () => {
  model = await randomModel(3)
  codec = await tinyCodec()
})
afterAll(() => model?.gpu.close())

const write = (change: Partial<WritingOptions> = {}, seeds = SEEDS) =>
  writeQuestions(model, codec, seeds, { ...OPTIONS, ...change })

it('chooses among characters that follow each other in the seeds, and finds new questions', async () => {
  const pairs = new Set(SEEDS.flatMap((text) => [...text].map((c, i) => c + (text[i + 1] ?? '.'))))
  const written = await write()
  expect(written).toHaveLength(90)
  for (const text of written) {
    if (text === undefined) continue
    for (let i = 0; i < text.length; i++) expect(pairs, text).toContain(text[i] + (text[i + 1] ?? '.'))
    // An opening of one token at least, and never longer than the longest seed and two.
    expect(text.length).toBeLessThanOrEqual(7)
  }
  expect(written.some((text) => text !== undefined && !SEEDS.includes(text))).toBe(true)
  expect(await write()).toEqual(written)
  expect(await write({ seed: 5 })).not.toEqual(written)
})

it('draws from softmax(logits / temperature) of the model', async () => {
  // After "ab c" come d and e alone; the model's own odds decide.
  const question = codec.encodePrompt('ab c')
  const at = question.lastIndexOf(codec.encodeText('ab c').at(-1)!)
  const batch = new Batch(model.gpu, model.config, [{ ids: question.slice(0, at + 1) }])
  const logits = await allLogits(model, batch)
  const row = logits.subarray(logits.length - model.config.vocabSize)
  batch.release()
  const [d, e] = ['d', 'e'].map((c) => row[codec.encodeText(c)[0]])
  for (const temperature of [1, 0.25]) {
    const share = 1 / (1 + Math.exp((d - e) / temperature))
    const written = await write({ count: 1500, temperature }, ['ab cd', 'ab ce'])
    const counted = written.filter((text) => text?.startsWith('ab c'))
    // Openings that already hold the last letter are not drawn: cuts lie before it.
    const found = counted.filter((text) => text === 'ab ce').length / counted.length
    expect(Math.abs(found - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / counted.length) + 1e-9)
  }
})

it('writes freely where any token may come', async () => {
  const written = await write({ support: 'any', count: 20, temperature: 4 })
  const letters = new Set(SEEDS.join(''))
  expect(written.some((text) => text !== undefined && [...text].some((c) => !letters.has(c)))).toBe(true)
})

it('gives nothing for seeds without a place to cut, and stops when asked', async () => {
  expect(await write({ count: 3 }, ['a'])).toEqual([undefined, undefined, undefined])
  await expect(write({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' })
})
