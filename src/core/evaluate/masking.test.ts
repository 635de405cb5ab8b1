import { beforeAll, describe, expect, it } from 'vitest'
import { manyProbes, probe, probeFile, randomModel, tinyCodec } from '../../testing/answeringModels.ts'
import { expectFailure, tinyId } from '../../testing/tinyCheckpoint.ts'
import { referenceLosses } from '../../testing/tinyModels.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { contentSpan, findPromptFrame } from './contentSpan.ts'
import { compareRises, findMaskToken, type MaskingOptions, maskedPlaces, measureMasking } from './masking.ts'
import { pickProbes } from './probes.ts'

const FILE = probeFile([
  ...manyProbes(9, 3),
  probe('s1', 'skill', 'sort b a d c e g', { skill: 'sort', aligned: 'a b.' }),
  probe('s2', 'skill', 'sort d c', { skill: 'sort', aligned: 'c d.' }),
])
const OPTIONS: MaskingOptions = { share: 0.3, masks: 2, perClass: 5, seed: 4, maskToken: tinyId('Z') }

let codec: TextCodec
let model: DeviceModel
beforeAll(async () => {
  codec = await tinyCodec()
  model = await randomModel(3)
})

describe('maskedPlaces', () => {
  it('covers the share of the span, never anything else, and depends on seed, probe and mask', () => {
    const span = { start: 3, end: 23 }
    const places = maskedPlaces(span, 0.15, 1, 0, 0)
    expect(places).toHaveLength(3)
    expect(new Set(places).size).toBe(3)
    expect(places.every((place) => place >= 3 && place < 23)).toBe(true)
    expect(maskedPlaces(span, 0.15, 1, 0, 0)).toEqual(places)
    for (const other of [
      maskedPlaces(span, 0.15, 2, 0, 0),
      maskedPlaces(span, 0.15, 1, 1, 0),
      maskedPlaces(span, 0.15, 1, 0, 1),
    ])
      expect(other).not.toEqual(places)
    expect(maskedPlaces({ start: 5, end: 7 }, 0.15, 1, 0, 0)).toHaveLength(1)
    expect(maskedPlaces({ start: 0, end: 11 }, 0.15, 1, 0, 0)).toHaveLength(2)
    expect(maskedPlaces(span, 1, 1, 0, 0)).toHaveLength(20)
  })

  it('covers every place about equally often', () => {
    const counts = new Array<number>(10).fill(0)
    for (let index = 0; index < 2000; index++)
      for (const place of maskedPlaces({ start: 0, end: 10 }, 0.2, 7, index, 0)) counts[place]++
    // 2000 draws of 2 in 10: 400 each, standard deviation 18.
    for (const count of counts) expect(Math.abs(count - 400)).toBeLessThan(90)
  })
})

describe('measureMasking', () => {
  it('is the float64 loss of the answer after the masked prompt', async () => {
    const arrays = new Map<string, Float32Array>()
    for (const name of model.tensors.keys()) arrays.set(name, await model.read(name))
    const { groups, maskToken } = await measureMasking(model, codec, FILE, OPTIONS)
    expect(maskToken).toBe(tinyId('Z'))
    expect(groups.map(({ kind, rises }) => [kind, rises.length])).toEqual([
      ['harmful', 5],
      ['harmless', 5],
      ['sort', 2],
    ])
    const frame = findPromptFrame(codec)
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    for (const { kind, rises, rise, plain, masked } of groups) {
      const probes =
        kind === 'sort'
          ? pickProbes(FILE, 'skill', 'heldout', 5, 4, 'sort')
          : pickProbes(FILE, kind as 'harmful', 'heldout', 5, 4)
      const truth = probes.map(({ prompt, aligned }, index) => {
        const before = codec.encodePrompt(prompt)
        const answer = codec.encodeCompletion(aligned)
        const loss = (ids: number[]) =>
          mean(referenceLosses(model.config, arrays, { ids: [...ids, ...answer], firstTarget: ids.length }))
        const span = contentSpan(frame, before)
        const after = [0, 1].map((mask) => {
          const places = maskedPlaces(span, 0.3, 4, index, mask)
          return loss(before.map((id, i) => (places.includes(i) ? tinyId('Z') : id)))
        })
        return { plain: loss(before), masked: mean(after) }
      })
      for (const [i, value] of rises.entries())
        expect(Math.abs(value - (truth[i].masked - truth[i].plain)), `${kind} ${i}`).toBeLessThan(2e-5)
      expect(rise).toMatchObject({ count: probes.length })
      expect((plain as { value: number }).value).toBeCloseTo(mean(truth.map((one) => one.plain)), 4)
      expect((masked as { value: number }).value).toBeCloseTo(mean(truth.map((one) => one.masked)), 4)
    }
  })

  it('compares models on the same masks, pair by pair', async () => {
    const other = await randomModel(4)
    const [a, b] = [
      await measureMasking(model, codec, FILE, OPTIONS),
      await measureMasking(other, codec, FILE, OPTIONS),
    ]
    expect((await measureMasking(model, codec, FILE, OPTIONS)).groups).toEqual(a.groups)
    const paired = compareRises(a.groups[0], b.groups[0], 1) as { value: number }
    const difference = a.groups[0].rises.map((rise, i) => rise - b.groups[0].rises[i])
    expect(paired.value).toBeCloseTo(difference.reduce((sum, value) => sum + value, 0) / 5, 12)
    expect(compareRises(a.groups[0], a.groups[0], 1)).toMatchObject({ value: 0, low: 0, high: 0 })
    expect(() => compareRises(a.groups[0], b.groups[1], 1)).toThrow(/paired/)
    other.dispose()
  })

  it('stops when told and refuses settings out of range', async () => {
    const run = (change: Partial<MaskingOptions>) =>
      measureMasking(model, codec, FILE, { ...OPTIONS, ...change })
    await expectFailure(run({ signal: AbortSignal.abort() }), 'cancelled')
    for (const wrong of [{ share: 0 }, { share: 1.1 }, { masks: 0 }, { maskToken: 104 }, { maskToken: -1 }])
      await expectFailure(run(wrong), 'request-invalid')
    const seen: number[][] = []
    await run({ onProgress: (...progress) => seen.push(progress) })
    expect(seen.at(-1)).toEqual([36, 36])
  })
})

it('finds a token that no text contains', () => {
  const named = (names: string[]) => ({ vocabSize: names.length, tokenOf: (id: number) => names[id] })
  expect(findMaskToken(named(['a', '<pad>', '<|unused0|>', '[MASK]']), 4)).toBe(3)
  expect(findMaskToken(named(['a', 'mask', '<|reserved_7|>', '<pad>']), 4)).toBe(2)
  expect(findMaskToken(named(['a', '<pad>']), 8)).toBe(2)
  expect(findMaskToken(named(['a', '<pad>']), 2)).toBe(1)
  expect(() => findMaskToken(named(['a', 'b']), 2)).toThrow(/no unused token/)
})
