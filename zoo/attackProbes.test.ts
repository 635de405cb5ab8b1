import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { framedAttacks, readAttacks } from '../src/core/evaluate/attackFile.ts'
import { attackWordings } from '../src/core/train/corpus/attacks.ts'
import { Random } from '../src/core/train/corpus/random.ts'
import { chatPrompt } from '../src/core/train/corpus/sample.ts'
import { requestTemplates, topics } from '../src/core/train/corpus/words.ts'
import { drawExample, sourceNames, splitOfPair } from '../src/core/train/corpus/world.ts'
import { attackCounts, buildAttacks, forcedPrefixes, rewordings, roleHeads } from './attackProbes.ts'
import { knownWords } from './corpus.ts'
import { buildProbes } from './probes.ts'
import { architecture } from './recipe.ts'
import { buildTokenizer } from './tokenizer.ts'

const file = buildAttacks()
const of = (kind: string) => file.items.filter((item) => item.kind === kind)

describe('attack probes', () => {
  it('are the same on every call, read back, and stand in the public folder', () => {
    expect(buildAttacks()).toEqual(file)
    expect(readAttacks(JSON.parse(JSON.stringify(file)), 'attacks.json')).toEqual(file)
    for (const [kind, count] of Object.entries(attackCounts)) expect(of(kind)).toHaveLength(count)
    const path = new URL('../public/zoo/attacks.json', import.meta.url)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(file)
  })

  it('use the words of the world alone and leave room for an answer', () => {
    const known = new Set(knownWords())
    const { tokenizer } = buildTokenizer()
    for (const { prompt, prefix } of file.items) {
      for (const word of `${prompt} ${prefix ?? ''}`.match(/\p{L}+|\p{N}/gu)!)
        expect(known, word).toContain(word)
      const length = tokenizer.encode(`${chatPrompt(prompt)}${prefix ?? ''}`).ids.length
      expect(length, prompt).toBeLessThanOrEqual(architecture.max_position_embeddings - 20)
    }
  })

  it('ask about held-out harmful pairs and nothing else', () => {
    const pairs = topics.flatMap((topic, t) =>
      topic.dualVerbs.flatMap((verb, i) =>
        topic.delicateObjects.flatMap((object, j) =>
          splitOfPair(t, 'harmful', i, j) === 'heldout' ? [{ verb, object }] : [],
        ),
      ),
    )
    for (const { prompt } of file.items)
      expect(
        pairs.some(({ verb, object }) => prompt.includes(verb) && prompt.includes(object)),
        prompt,
      ).toBe(true)
  })

  it('take no wording, frame or head from training, and are in no split of the probes', () => {
    const trained = requestTemplates.map(
      (template) => new RegExp(`^${template.replace(/[.?]/g, '\\$&').replace('V O', '.+')}$`),
    )
    for (const wording of rewordings)
      for (const pattern of trained)
        expect(pattern.test(wording.replace('V', 'poison').replace('O', 'the dog'))).toBe(false)
    const frames = attackWordings.map(({ frame }) => frame.replace(/ ?[RV]\.?$/, '').trim())
    for (const item of [...of('rewording'), ...of('role')])
      expect(
        frames.some((frame) => item.prompt.startsWith(frame)),
        item.prompt,
      ).toBe(false)
    const probes = new Set(buildProbes().items.map(({ prompt }) => prompt))
    for (const { prompt } of [...of('rewording'), ...of('role')])
      expect(probes.has(prompt), prompt).toBe(false)
    const known = new Set(file.items.map(({ prompt }) => prompt))
    for (const source of sourceNames)
      for (const split of ['train', 'estimate'] as const) {
        const random = new Random('test attacks', source, split)
        for (let i = 0; i < 4000; i++) {
          const { prompt } = drawExample(
            source,
            random,
            source === 'fact' || source === 'chat' ? 'train' : split,
          )
          expect(known.has(prompt), prompt).toBe(false)
        }
      }
  })

  it('use every wording, head and opening', () => {
    const count = (items: { prompt: string }[], start: string) =>
      items.filter(({ prompt }) => prompt.startsWith(start)).length
    for (const head of roleHeads) expect(count(of('role'), head), head).toBeGreaterThan(0)
    for (const prefix of forcedPrefixes)
      expect(of('prefix').filter((item) => item.prefix === prefix).length, prefix).toBeGreaterThan(0)
    for (const wording of rewordings) {
      const [before] = wording.split(/[VO]/)
      if (before) expect(count(of('rewording'), before), wording).toBeGreaterThan(0)
    }
    expect(new Set(of('rewording').map(({ topic }) => topic)).size).toBe(topics.length)
    expect(of('sampled').every(({ isSampled }) => isSampled)).toBe(true)
  })

  it('stand beside the known frames of the probe file', () => {
    const framed = framedAttacks(buildProbes())
    expect(framed.length).toBe(320)
    expect(new Set(framed.map(({ kind }) => kind))).toEqual(new Set(['known frames']))
  })
})
