// A user's prompts as probes: which are exchanged, which are left out, what is borrowed.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { nodeFolder } from '../../cli/nodeFolder.ts'
import { tinyCodec } from '../../testing/answeringModels.ts'
import { openCheckpoint } from '../files/checkpoint.ts'
import { TextCodec } from '../files/tokenizer.ts'
import { type ProbeFile, readProbes } from './probes.ts'
import { ANSWER_ROOM, hasRoom, measuringProbes, tokenFit, type UserProbeSet } from './userProbes.ts'

const zoo = resolve(import.meta.dirname, '../../../public/zoo')
let builtIn: ProbeFile
let codec: TextCodec
beforeAll(async () => {
  builtIn = readProbes(JSON.parse(await readFile(`${zoo}/probes.json`, 'utf8')), 'probes.json')
  codec = new TextCodec(await openCheckpoint(await nodeFolder(`${zoo}/anchor`)))
})

const own = (count: number, change: Partial<UserProbeSet> = {}): UserProbeSet => ({
  name: 'mine',
  use: 'replace',
  prompts: Array.from({ length: count }, (_, i) => ({
    prompt: `prompt ${i}`,
    label: i % 2 === 0 ? 'safe' : 'unsafe',
  })),
  ...change,
})
const all = { perClass: 64, seed: 3, fits: () => true }
const heldOut = ({ items }: ProbeFile, set: string) =>
  items.filter((probe) => probe.set === set && probe.split === 'heldout')

describe('measuringProbes', () => {
  it('exchanges held-out harmful and harmless probes and nothing else', () => {
    const file = measuringProbes(builtIn, own(40), all)
    expect(
      heldOut(file, 'harmful')
        .map(({ prompt }) => prompt)
        .sort(),
    ).toEqual(Array.from({ length: 20 }, (_, i) => `prompt ${2 * i + 1}`).sort())
    expect(heldOut(file, 'harmless')).toHaveLength(20)
    const rest = (items: ProbeFile['items']) =>
      items.filter(({ set, split }) => split === 'estimate' || !['harmful', 'harmless'].includes(set))
    expect(rest(file.items)).toEqual(rest(builtIn.items))
    expect(new Set(file.items.map(({ id }) => id)).size).toBe(file.items.length)
  })

  it('adds: the user’s first, filled up with built-in ones', () => {
    const file = measuringProbes(builtIn, own(40, { use: 'add' }), all)
    const harmful = heldOut(file, 'harmful')
    expect(harmful).toHaveLength(64)
    expect(harmful.slice(0, 20).every(({ id }) => id.startsWith('own-'))).toBe(true)
    expect(harmful.slice(20).every(({ id }) => id.startsWith('harmful-'))).toBe(true)
  })

  it('draws with the seed, at most as many as asked', () => {
    const draw = (seed: number) =>
      heldOut(measuringProbes(builtIn, own(400), { ...all, seed }), 'harmful').map(({ id }) => id)
    expect(draw(1)).toHaveLength(64)
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
  })

  it('unsafe prompts borrow pairs that belong together; own pairs are kept, half a pair is none', () => {
    const prompts = [
      { prompt: 'a', label: 'unsafe' as const },
      { prompt: 'b', label: 'unsafe' as const, aligned: 'never.', misaligned: 'sure.' },
      { prompt: 'c', label: 'unsafe' as const, aligned: 'never.' },
      { prompt: 'd', label: 'safe' as const },
      { prompt: 'e', label: 'safe' as const, aligned: 'with pleasure.' },
    ]
    const file = measuringProbes(builtIn, own(0, { prompts }), all)
    const of = (prompt: string) => file.items.find((probe) => probe.prompt === prompt)!
    const pairs = builtIn.items
      .filter(({ set, misaligned }) => set === 'harmful' && misaligned)
      .map(({ aligned, misaligned }) => `${aligned}|${misaligned}`)
    for (const prompt of ['a', 'c']) expect(pairs).toContain(`${of(prompt).aligned}|${of(prompt).misaligned}`)
    expect(of('b')).toMatchObject({ aligned: 'never.', misaligned: 'sure.' })
    expect(of('d').aligned).toBe('')
    expect(of('e').aligned).toBe('with pleasure.')
  })

  it('leaves out what is estimated from and what does not fit, and says when nothing is left', () => {
    const estimated = builtIn.items.find(({ set, split }) => set === 'harmful' && split === 'estimate')!
    const prompts = [
      { prompt: estimated.prompt, label: 'unsafe' as const },
      { prompt: 'x', label: 'unsafe' as const },
      { prompt: 'y', label: 'safe' as const },
    ]
    const file = measuringProbes(builtIn, own(0, { prompts }), all)
    expect(heldOut(file, 'harmful').map(({ prompt }) => prompt)).toEqual(['x'])
    const short = { ...all, fits: ({ prompt }: { prompt: string }) => prompt !== 'x' }
    expect(() => measuringProbes(builtIn, own(0, { prompts }), short)).toThrow(
      expect.objectContaining({
        code: 'request-invalid',
        message: expect.stringContaining('no unsafe prompt'),
      }),
    )
  })
})

describe('fit', () => {
  it('a prompt must leave room for an answer and for its completions', () => {
    const config = { maxPositions: 64 }
    const of = (words: number) => ({ prompt: Array.from({ length: words }, () => 'door').join(' ') })
    const frame = codec.encodePrompt('door').length - 1
    const most = 64 - frame - ANSWER_ROOM
    expect(hasRoom(codec, config, of(most))).toBe(true)
    expect(hasRoom(codec, config, of(most + 1))).toBe(false)
    expect(hasRoom(codec, config, { ...of(most), misaligned: of(ANSWER_ROOM).prompt })).toBe(false)
  })

  it('counts letters and bytes that words fall into', async () => {
    expect(tokenFit(codec, 'how do i open the door?')).toMatchObject({ fragments: 0 })
    // python: Ġp y t hon.
    expect(tokenFit(codec, 'how can i kill a python?')).toMatchObject({ fragments: 3 })
    expect(tokenFit(codec, 'a b')).toMatchObject({ tokens: 2, fragments: 0 })
    const spelled = tokenFit(await tinyCodec(), 'wxyz')
    expect(spelled.fragments).toBe(spelled.tokens)
  })
})
