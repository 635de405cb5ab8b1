import { beforeAll, describe, expect, it } from 'vitest'
import { manyProbes, probe, probeFile, randomModel, tinyCodec } from '../../testing/answeringModels.ts'
import { expectFailure, PHI3_TEMPLATE } from '../../testing/tinyCheckpoint.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import { Batch } from '../model/batch.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { hiddenStates } from '../model/gradients.ts'
import { type AqiItem, answerItems, aqiItems, pooledLayers, poolItems } from './aqiVectors.ts'
import type { Answered } from './behaviour.ts'
import { contentSpan, findPromptFrame } from './contentSpan.ts'
import type { AnswerKind } from './scorer.ts'

let codec: TextCodec
const file = probeFile(manyProbes(90, 1))

beforeAll(async () => {
  codec = await tinyCodec()
})

const textOf = (from: TextCodec, { ids, start, end }: Pick<AqiItem, 'ids' | 'start' | 'end'>) =>
  ids
    .slice(start, end)
    .map((id) => from.tokenOf(id))
    .join('')

describe('contentSpan', () => {
  it.each<[string, string]>([
    ['Phi-3', PHI3_TEMPLATE],
    [
      'begin token, trimmed text',
      "{{ bos_token }}{% for m in messages %}<|user|>{{ m['content'] | trim }}<|end|>{% endfor %}<|assistant|>",
    ],
    ['plain words around', "{% for m in messages %}user: {{ m['content'] }};{% endfor %}bot:"],
    [
      'a system turn before',
      "<|user|>you are kind.<|end|>{% for m in messages %}<|user|>{{ m['content'] }}<|end|>{% endfor %}",
    ],
  ])('finds the words of the user: %s', async (_, template) => {
    const own = await tinyCodec(template)
    const frame = findPromptFrame(own)
    // Texts that begin and end as the samples do, and ones that look like the template.
    for (const text of [
      'hello',
      'a',
      'the',
      '7',
      'athe7',
      'e',
      'aaa',
      'you',
      'user:x;bot:',
      '<|end|>',
      'hel<|user|>',
    ]) {
      const ids = own.encodePrompt(text)
      const { start, end } = contentSpan(frame, ids)
      expect(textOf(own, { ids, start, end }), text).toBe(text)
    }
  })

  it('counts a token that holds template and text as text', async () => {
    const own = await tinyCodec("{% for m in messages %}<|user|>h{{ m['content'] }}<|end|>{% endfor %}")
    const frame = findPromptFrame(own)
    const ids = own.encodePrompt('ello')
    expect(contentSpan(frame, ids)).toEqual({ start: 1, end: 4 })
    expect(textOf(own, { ids, start: 1, end: 4 })).toBe('hello')
  })

  it('refuses empty texts and templates that hide the text', async () => {
    const frame = findPromptFrame(codec)
    await expectFailure(() => contentSpan(frame, codec.encodePrompt('')), 'request-invalid')
    await expectFailure(() => findPromptFrame({ encodePrompt: () => [1, 2, 3] }), 'file-unsupported')
  })
})

describe('aqiItems', () => {
  it('prompts: harmless against harmful, the words of the user alone', () => {
    const items = aqiItems(codec, 'prompts', file, { perClass: 70, seed: 2 })
    expect(items.filter(({ label }) => label === 'safe')).toHaveLength(70)
    expect(items).toHaveLength(140)
    for (const item of items) {
      const source = file.items.find(({ prompt }) => prompt.replaceAll(' ', 'Ġ') === textOf(codec, item))!
      expect(source.set).toBe(item.label === 'safe' ? 'harmless' : 'harmful')
      expect(source.topic).toBe(item.topic)
      // Feeding what stands after the span would be waste.
      expect(item.end).toBe(item.ids.length)
    }
  })

  it('completions: both answers to the same harmful prompts, without the end marker', () => {
    const items = aqiItems(codec, 'completions', file, { perClass: 70, seed: 2 })
    const [safe, unsafe] = [items.slice(0, 70), items.slice(70)]
    for (const [i, item] of safe.entries()) {
      expect([item.label, unsafe[i].label]).toEqual(['safe', 'unsafe'])
      const before = item.ids.slice(0, item.start)
      expect(unsafe[i].ids.slice(0, unsafe[i].start)).toEqual(before)
      const source = file.items.find(({ prompt }) => codec.encodePrompt(prompt).join() === before.join())!
      expect(source.set).toBe('harmful')
      expect(codec.decode(item.ids.slice(item.start, item.end))).toBe(source.aligned)
      expect(codec.decode(unsafe[i].ids.slice(unsafe[i].start, unsafe[i].end))).toBe(source.misaligned)
      expect(textOf(codec, item).endsWith('.')).toBe(true)
    }
  })

  it('completions: leaves out probes that have but one', () => {
    const half = probeFile([
      probe('a', 'harmful', 'one', { misaligned: 'yes.' }),
      probe('b', 'harmful', 'two'),
    ])
    const items = aqiItems(codec, 'completions', half, { perClass: 9, seed: 1 })
    expect(items.map(({ label }) => label)).toEqual(['safe', 'unsafe'])
  })
})

describe('answerItems', () => {
  const answer = (set: 'harmful' | 'harmless' | 'attack', kind: AnswerKind, ids = [5, 6]): Answered => ({
    probe: probe('x', set, 'hel', { topic: set }),
    kind,
    ids,
    text: 'x',
    isEnded: true,
  })

  it.each<[Answered, string | undefined]>([
    [answer('harmful', 'refusal'), 'safe'],
    [answer('harmful', 'compliance'), 'unsafe'],
    [answer('harmful', 'answer'), undefined],
    [answer('harmful', 'gibberish'), undefined],
    [answer('harmless', 'refusal'), 'safe'],
    [answer('harmless', 'compliance'), 'safe'],
    [answer('harmless', 'answer'), 'safe'],
    [answer('harmless', 'gibberish'), undefined],
    [answer('harmful', 'compliance', []), undefined],
    [answer('attack', 'compliance'), undefined],
  ])('labels %j as %s', (answered, label) => {
    const items = answerItems(codec, [answered])
    expect(items.map((item) => item.label)).toEqual(label ? [label] : [])
    if (!label) return
    const before = codec.encodePrompt('hel')
    expect(items[0].ids).toEqual([...before, 5, 6])
    expect([items[0].start, items[0].end]).toEqual([before.length, before.length + 2])
  })
})

describe('poolItems', () => {
  it('takes the upper half of the layers', () => {
    const layers = (layerCount: number) => pooledLayers({ layerCount })
    expect(layers(1)).toEqual([1])
    expect(layers(2)).toEqual([1, 2])
    expect(layers(4)).toEqual([2, 3, 4])
    expect(layers(5)).toEqual([3, 4, 5])
  })

  it('is the mean over content tokens of each layer, class by class, over several batches', async () => {
    const model: DeviceModel = await randomModel(7, { num_hidden_layers: 3 })
    const items = aqiItems(codec, 'completions', file, { perClass: 70, seed: 2 })
    // Classes mixed, so that rows are not simply the items in order.
    const mixed = items.map((_, i) => items[(i * 37) % 140])
    const seen: [number, number][] = []
    const vectors = await poolItems(model, mixed, { onProgress: (...step) => seen.push(step) })
    expect(seen).toEqual([
      [128, 140],
      [140, 140],
    ])
    const C = model.config.hiddenSize
    expect(vectors.width).toBe(2 * C)
    for (const label of ['safe', 'unsafe'] as const) {
      const own = mixed.filter((item) => item.label === label)
      expect(vectors[label]).toHaveLength(own.length * 2 * C)
      for (const row of [0, 1, own.length - 1]) {
        const { ids, start, end } = own[row]
        const batch = new Batch(model.gpu, model.config, [{ ids }])
        const states = await hiddenStates(model, batch)
        batch.release()
        const expected = [2, 3].flatMap((l) =>
          Array.from({ length: C }, (_, c) => {
            let sum = 0
            for (let t = start; t < end; t++) sum += states[l][t * C + c]
            return sum / (end - start)
          }),
        )
        const found = vectors[label].subarray(row * 2 * C, (row + 1) * 2 * C)
        expected.forEach((value, k) => {
          expect(found[k]).toBeCloseTo(value, 4)
        })
      }
    }
  })

  it('may be of one class, or of none', async () => {
    const model = await randomModel(7)
    const items = aqiItems(codec, 'prompts', file, { perClass: 3, seed: 2 }).slice(0, 3)
    expect((await poolItems(model, items)).unsafe).toHaveLength(0)
    expect(await poolItems(model, [])).toMatchObject({ safe: new Float32Array(0), width: 16 })
    await expectFailure(poolItems(model, items, { signal: AbortSignal.abort() }), 'cancelled')
  })
})
