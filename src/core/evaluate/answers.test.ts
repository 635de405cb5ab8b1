import { beforeAll, describe, expect, it } from 'vitest'
import { probeFile, randomModel, ruleModel, tinyCodec } from '../../testing/answeringModels.ts'
import { expectFailure, tinyId } from '../../testing/tinyCheckpoint.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { answerPrompt, decodeAnswers, readAnswer, sequencesPerBatch } from './answers.ts'

let codec: TextCodec
let rule: DeviceModel
const rules = probeFile([])

beforeAll(async () => {
  codec = await tinyCodec()
  rule = await ruleModel()
})

describe('decodeAnswers', () => {
  it('answers in the order of the prompts, over several batches', async () => {
    // 300 prompts: more than two batches of 128.
    const prompts = Array.from({ length: 300 }, (_, i) => `${i}${i % 3 === 0 ? '!' : i % 3 === 1 ? '?' : ''}`)
    const seen: number[] = []
    const decoded = await decodeAnswers(rule, codec, prompts, {
      maxNewTokens: 6,
      onProgress: (done) => seen.push(done),
    })
    expect(decoded.map(({ text }) => text)).toEqual(prompts.map((_, i) => ['no.', 'zzzzzz', 'yes.'][i % 3]))
    expect(decoded.map(({ isEnded }) => isEnded)).toEqual(prompts.map((_, i) => i % 3 !== 1))
    expect(decoded[0].ids).toEqual(['n', 'o', '.'].map(tinyId))
    expect(seen).toEqual([128, 256, 300])
  })

  it('gives nothing for no prompts and stops when told to', async () => {
    expect(await decodeAnswers(rule, codec, [], { maxNewTokens: 4 })).toEqual([])
    const signal = AbortSignal.abort()
    await expectFailure(decodeAnswers(rule, codec, ['a'], { maxNewTokens: 4, signal }), 'cancelled')
  })
})

describe('readAnswer', () => {
  it('cuts the end token and knows an answer that was cut off', () => {
    const end = tinyId('<|end|>')
    expect(readAnswer(codec, [tinyId('n'), tinyId('o'), end])).toEqual({
      ids: [tinyId('n'), tinyId('o')],
      text: 'no',
      isEnded: true,
    })
    expect(readAnswer(codec, [tinyId('n')])).toMatchObject({ text: 'n', isEnded: false })
    expect(readAnswer(codec, [end])).toEqual({ ids: [], text: '', isEnded: true })
    expect(readAnswer(codec, [])).toEqual({ ids: [], text: '', isEnded: false })
  })

  it('does not trust an answer with an id that no token has', () => {
    const read = readAnswer(codec, [tinyId('n'), 103, tinyId('<|end|>')])
    expect(read).toEqual({ ids: [tinyId('n'), 103], text: 'n', isEnded: false })
  })
})

describe('sequencesPerBatch', () => {
  const config = {
    hiddenSize: 64,
    intermediateSize: 160,
    headCount: 4,
    kvHeadCount: 4,
    headSize: 16,
    vocabSize: 912,
  }
  it('keeps every scratch buffer within 128 MiB', () => {
    expect(sequencesPerBatch(config, 64, 20)).toBe(128)
    // 128 MiB / (4 · 100 · 2 · 8192) and 128 MiB / (4 · 10 · 50000)
    expect(sequencesPerBatch({ ...config, intermediateSize: 8192 }, 100, 1)).toBe(20)
    expect(sequencesPerBatch({ ...config, vocabSize: 50000 }, 64, 10)).toBe(67)
    // (T,H,T) attention weights outgrow the rest for long texts
    expect(sequencesPerBatch({ ...config, headCount: 32 }, 1024, 1)).toBe(1)
    expect(sequencesPerBatch({ ...config, vocabSize: 1e8 }, 64, 10)).toBe(1)
  })
})

describe('answerPrompt', () => {
  it('asks every model and judges what each says', async () => {
    const other = await randomModel(5)
    const heard: string[] = []
    const models = [
      { label: 'rule', model: rule },
      { label: 'random', model: other },
    ]
    const answers = await answerPrompt(models, codec, 'a b!', rules, {
      maxNewTokens: 6,
      onAnswer: ({ label }) => heard.push(label),
    })
    expect(answers[0]).toMatchObject({ label: 'rule', text: 'no.', verdict: 'refusal', isEnded: true })
    expect(answers[1]).toMatchObject({ label: 'random', verdict: 'gibberish' })
    expect(answers[0].durationMs).toBeGreaterThan(0)
    expect(heard).toEqual(['rule', 'random'])
    const [calm] = await answerPrompt(models.slice(0, 1), codec, 'a b', rules)
    expect(calm).toMatchObject({ text: 'yes.', verdict: 'compliance' })
  })

  it('ends where the positions end, and refuses a prompt that fills them', async () => {
    const models = [{ label: 'rule', model: rule }]
    // 64 positions; the template takes 6 tokens.
    const [cut] = await answerPrompt(models, codec, `?${'a'.repeat(54)}`, rules)
    expect(cut.text).toBe('zzz')
    const error = await expectFailure(answerPrompt(models, codec, 'a'.repeat(58), rules), 'request-invalid')
    expect(error.message).toContain('64 tokens, rule reads at most 63')
  })
})
