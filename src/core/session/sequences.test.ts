// Probes as sequences: what they are made of, in which shares, and what is refused.

import { describe, expect, test } from 'vitest'
import { probe, probeFile, tinyCodec } from '../../testing/answeringModels.ts'
import type { Probe } from '../evaluate/probes.ts'
import { chatSequence, fisherSequences, lossTerms, rowProbes } from './sequences.ts'

const estimate = (id: string, set: Probe['set'], more: Partial<Probe> = {}) =>
  probe(id, set, `${id} x`, { split: 'estimate', aligned: `${id} a`, misaligned: `${id} m`, ...more })
const many = (set: Probe['set'], count: number, more: Partial<Probe> = {}) =>
  Array.from({ length: count }, (_, i) => estimate(`${set}${i}`, set, more))
const FILE = probeFile([
  ...many('harmful', 9),
  ...many('harmless', 9),
  ...many('skill', 9, { skill: 'sort' }),
  ...many('attack', 9),
  estimate('held', 'harmful', { split: 'heldout' }),
])

describe('sequences', () => {
  test('targets are the completion and its end, nothing of the prompt', async () => {
    const codec = await tinyCodec()
    const { ids, firstTarget } = chatSequence(codec, 'he', 'hel')
    const prompt = codec.encodePrompt('he')
    expect(firstTarget).toBe(prompt.length)
    expect(Array.from(ids)).toEqual([...prompt, ...codec.encodeCompletion('hel')])
  })

  test('of the Fisher: harmless, skill and harmful in equal parts, aligned, from the estimating split', async () => {
    const codec = await tinyCodec()
    const sequences = fisherSequences(codec, FILE, 12, 1)
    const known = new Map(
      FILE.items.map((one) => [chatSequence(codec, one.prompt, one.aligned).ids.toString(), one]),
    )
    const found = sequences.map(({ ids }) => known.get(ids.toString()))
    const count = (set: string) => found.filter((one) => one?.set === set).length
    expect([count('harmless'), count('skill'), count('harmful'), count('attack')]).toEqual([4, 4, 4, 0])
    expect(found.every((one) => one?.split === 'estimate')).toBe(true)
    expect(fisherSequences(codec, FILE, 12, 1)).toEqual(sequences)
    expect(fisherSequences(codec, FILE, 10, 1).length).toBe(10)
  })

  test('rows take harmful probes with both completions, of one split', () => {
    const picked = rowProbes(FILE, 'estimate', 5, 1)
    expect(picked.length).toBe(5)
    expect(picked.every(({ set, split }) => set === 'harmful' && split === 'estimate')).toBe(true)
    expect(() => rowProbes(FILE, 'heldout', 5, 1)).toThrow(/found 1/)
  })

  test('a margin has two terms of opposite sign in one row, in ascending order', async () => {
    const codec = await tinyCodec()
    const picked = rowProbes(FILE, 'estimate', 3, 1)
    const unwanted = lossTerms(codec, picked, 'unwanted')
    const margin = lossTerms(codec, picked, 'margin')
    expect(unwanted.map(({ row, sign }) => [row, sign])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ])
    expect(margin.map(({ row, sign }) => [row, sign])).toEqual([
      [0, 1],
      [0, -1],
      [1, 1],
      [1, -1],
      [2, 1],
      [2, -1],
    ])
    picked.forEach(({ prompt, aligned, misaligned }, row) => {
      expect(margin[2 * row].sequence).toEqual(chatSequence(codec, prompt, misaligned!))
      expect(margin[2 * row + 1].sequence).toEqual(chatSequence(codec, prompt, aligned))
    })
    for (const [i, { sequence }] of lossTerms(codec, picked, 'margin', 1).entries()) {
      const { ids, firstTarget } = margin[i].sequence
      expect(sequence).toEqual({ ids: Array.from(ids).slice(0, Number(firstTarget) + 1), firstTarget })
    }
  })

  test('a file without estimating probes has no Fisher', async () => {
    const codec = await tinyCodec()
    expect(() => fisherSequences(codec, probeFile([estimate('a', 'attack')]), 6, 1)).toThrow(
      /no estimating probes/,
    )
  })
})
