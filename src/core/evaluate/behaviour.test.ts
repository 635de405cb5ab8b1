import { beforeAll, describe, expect, it } from 'vitest'
import {
  manyProbes,
  probe,
  probeFile,
  randomModel,
  ruleModel,
  tinyCodec,
} from '../../testing/answeringModels.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import { Batch } from '../model/batch.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { allLogits } from '../model/gradients.ts'
import { type Behaviour, expectedLosses, measureBehaviour } from './behaviour.ts'
import { bootstrapMean, wilsonShare } from './bootstrap.ts'

let codec: TextCodec
let rule: DeviceModel

beforeAll(async () => {
  codec = await tinyCodec()
  rule = await ruleModel()
})

/** `ends`: last characters of the prompts; "!" is refused, "?" babbled at, anything else complied with. */
const several = (set: 'harmful' | 'harmless' | 'attack' | 'fact', ends: string, split = 'heldout' as const) =>
  [...ends].map((end, i) => probe(`${set}${i}`, set, `${set} ${i}${end}`, { split }))
const skill = (name: string, ends: string, aligned: string) =>
  [...ends].map((end, i) => probe(`${name}${i}`, 'skill', `${name} ${i}${end}`, { skill: name, aligned }))

const file = probeFile([
  ...several('harmful', '!!!!!!??aa'),
  ...several('harmless', '!?aaaaaa'),
  ...several('attack', '!!aa'),
  ...skill('sort', '!!aaa', 'no.'),
  ...skill('agree', '!aaa', 'yes.'),
  ...several('fact', 'a?'),
  probe('estimate', 'harmful', 'estimate a', { split: 'estimate' }),
])

describe('measureBehaviour', () => {
  it('counts what the rules make foreseeable', async () => {
    const { behaviour, answered } = await measureBehaviour(rule, codec, file, { perClass: 64, seed: 1 })
    expect(behaviour.refusal).toEqual(wilsonShare(6, 10))
    expect(behaviour.compliance).toEqual(wilsonShare(2, 10))
    expect(behaviour.overRefusal).toEqual(wilsonShare(1, 8))
    expect(behaviour.attackRefusal).toEqual(wilsonShare(2, 4))
    expect(behaviour.skills).toEqual({
      sort: wilsonShare(2, 5),
      agree: wilsonShare(3, 4),
      fact: wilsonShare(1, 2),
    })
    expect(behaviour.gibberish).toEqual(wilsonShare(4, 33))
    expect(answered.map((answer) => answer.probe.set).join()).toBe(
      [
        ['harmful', 10],
        ['harmless', 8],
        ['attack', 4],
        ['skill', 9],
        ['fact', 2],
      ]
        .flatMap(([set, count]) => Array(count).fill(set))
        .join(),
    )
    const one = answered.find((answer) => answer.probe.id === 'harmful0')!
    expect(one).toMatchObject({ kind: 'refusal', text: 'no.', isEnded: true })
    expect(answered.find((answer) => answer.probe.id === 'fact1')!.kind).toBe('gibberish')
  })

  it('cuts babble at half as much again as the longest expected answer, whoever was drawn', async () => {
    const long = probe('long', 'harmful', 'z?', { aligned: 'no.', misaligned: 'yes yes yes yes.' })
    // 17 tokens with the end token: ⌈25.5⌉ + 4. The other set expects 4.
    const both = probeFile([...several('harmful', '??'), long, ...several('harmless', '?')])
    for (const seed of [1, 2, 3, 4]) {
      const { answered } = await measureBehaviour(rule, codec, both, { perClass: 1, seed })
      for (const { probe: asked, text } of answered)
        expect(text).toBe('z'.repeat(asked.set === 'harmful' ? 30 : asked.set === 'harmless' ? 12 : 0))
    }
  })

  it('streams parts in order, refusal first, and they add up to the whole', async () => {
    const parts: Partial<Behaviour>[] = []
    const steps: [number, number][] = []
    const { behaviour } = await measureBehaviour(rule, codec, file, {
      perClass: 64,
      seed: 1,
      onPart: (part) => parts.push(part),
      onProgress: (done, total) => steps.push([done, total]),
    })
    expect(parts.map((part) => Object.keys(part).join())).toEqual([
      'refusal,compliance',
      'overRefusal',
      'attackRefusal',
      ...['skills', 'skills', 'skills'],
      'gibberish',
      'answerLoss',
    ])
    const skills = Object.assign({}, ...parts.map((part) => part.skills))
    expect({ ...Object.assign({}, ...parts), skills }).toEqual(behaviour)
    // 33 answers and 17 losses of harmless and skill probes.
    expect(steps.at(-1)).toEqual([50, 50])
    expect(steps.every(([done, total], i) => total === 50 && (i === 0 || done >= steps[i - 1][0]))).toBe(true)
  })

  it('takes so many of each set and skill, and reports none where there are none', async () => {
    const { answered } = await measureBehaviour(rule, codec, file, { perClass: 3, seed: 2 })
    expect(answered.filter((answer) => answer.probe.skill === 'sort')).toHaveLength(3)
    expect(answered).toHaveLength(3 * 5 + 2)
    const estimate = await measureBehaviour(rule, codec, file, { perClass: 3, seed: 2, split: 'estimate' })
    expect(estimate.answered.map((answer) => answer.probe.id)).toEqual(['estimate'])
    expect(estimate.behaviour).toEqual({
      refusal: wilsonShare(0, 1),
      compliance: wilsonShare(1, 1),
      overRefusal: { unavailable: 'no samples' },
      attackRefusal: { unavailable: 'no samples' },
      skills: {},
      gibberish: wilsonShare(0, 1),
      answerLoss: { unavailable: 'no samples' },
    })
  })

  it('stops when told to', async () => {
    const controller = new AbortController()
    const run = measureBehaviour(rule, codec, file, {
      perClass: 64,
      seed: 1,
      signal: controller.signal,
      onPart: () => controller.abort(),
    })
    await expectFailure(run, 'cancelled')
  })
})

describe('expectedLosses', () => {
  it('is the mean cross-entropy of the completion and its end, one value per probe', async () => {
    const model = await randomModel(3)
    const probes = manyProbes(80, 4)
    const losses = await expectedLosses(model, codec, probes)
    for (const at of [0, 79, 127, 128, 159]) {
      const { prompt, aligned } = probes[at]
      const before = codec.encodePrompt(prompt)
      const completion = codec.encodeCompletion(aligned)
      const batch = new Batch(model.gpu, model.config, [{ ids: [...before, ...completion] }])
      const logits = await allLogits(model, batch)
      batch.release()
      const V = model.config.vocabSize
      const each = completion.map((id, i) => {
        const row = logits.subarray((before.length + i - 1) * V, (before.length + i) * V)
        return Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[id]
      })
      expect(losses[at]).toBeCloseTo(each.reduce((a, b) => a + b) / each.length, 4)
    }
  })

  it('feeds the answer loss of harmless and skill probes, with the seed', async () => {
    const model = await randomModel(3)
    const picked = file.items.filter(({ set }) => set === 'harmless' || set === 'skill')
    const { behaviour } = await measureBehaviour(model, codec, file, { perClass: 64, seed: 9 })
    const expected = bootstrapMean(await expectedLosses(model, codec, picked), 9)
    if ('unavailable' in expected || 'unavailable' in behaviour.answerLoss) throw new Error('no loss')
    expect(behaviour.answerLoss.value).toBeCloseTo(expected.value, 6)
    expect(behaviour.answerLoss.count).toBe(17)
    expect(behaviour.answerLoss.low).toBeLessThan(expected.value)
  })
})
