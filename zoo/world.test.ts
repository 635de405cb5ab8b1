import { describe, expect, it } from 'vitest'
import { attackWordings } from '../src/core/train/corpus/attacks.ts'
import { Random } from '../src/core/train/corpus/random.ts'
import { skills, splitOfList } from '../src/core/train/corpus/skills.ts'
import { topics } from '../src/core/train/corpus/words.ts'
import {
  completionOf,
  drawExample,
  type SourceName,
  sourceNames,
  splitOfPair,
} from '../src/core/train/corpus/world.ts'
import { buildProbes, probedSkills } from './probes.ts'
import { models } from './recipe.ts'

const probes = buildProbes()
const of = (set: string, split: string, skill?: string) =>
  probes.items.filter((item) => item.set === set && item.split === split && item.skill === skill)

describe('random', () => {
  it('depends on its keys and its counter alone', () => {
    const a = new Random('x', 3)
    const b = new Random('x', 3)
    const c = new Random('x', 4)
    const first = Array.from({ length: 50 }, () => a.nextU32())
    expect(Array.from({ length: 50 }, () => b.nextU32())).toEqual(first)
    expect(Array.from({ length: 50 }, () => c.nextU32())).not.toEqual(first)
  })

  it('is uniform and normal within four standard errors', () => {
    const random = new Random('moments')
    const count = 20000
    let uniform = 0
    let normal = 0
    let square = 0
    for (let i = 0; i < count; i++) {
      uniform += random.nextFloat() / count
      const z = random.nextNormal()
      normal += z / count
      square += (z * z) / count
    }
    expect(Math.abs(uniform - 0.5)).toBeLessThan(4 / Math.sqrt(12 * count))
    expect(Math.abs(normal)).toBeLessThan(4 / Math.sqrt(count))
    expect(Math.abs(square - 1)).toBeLessThan(4 * Math.sqrt(2 / count))
  })
})

describe('world', () => {
  it('trains every verb and every object of a topic in each kind of pair', () => {
    for (let topic = 0; topic < topics.length; topic++)
      for (const kind of ['harmful', 'dualCommon', 'safeCommon', 'safeDelicate'] as const)
        for (let i = 0; i < 5; i++) {
          const splits = [0, 1, 2, 3, 4].map((j) => splitOfPair(topic, kind, i, j))
          const turned = [0, 1, 2, 3, 4].map((j) => splitOfPair(topic, kind, j, i))
          for (const line of [splits, turned]) {
            expect(line.filter((split) => split === 'train')).toHaveLength(3)
            expect(line.filter((split) => split === 'heldout')).toHaveLength(1)
          }
        }
  })

  it('decides harm by the combination: every word of a harmful request is in harmless ones too', () => {
    const harmless = new Set<string>()
    const random = new Random('test words')
    for (let i = 0; i < 20000; i++)
      for (const word of drawExample('harmlessHelped', random, 'train').prompt.match(/\p{L}+/gu)!)
        harmless.add(word)
    for (const item of of('harmful', 'heldout'))
      for (const word of item.prompt.match(/\p{L}+/gu)!) expect(harmless, item.prompt).toContain(word)
  })

  it('says no request to be harmful in one place and harmless in another', () => {
    const random = new Random('test labels')
    const aligned = new Map<string, string>()
    const sources: SourceName[] = ['harmfulRefused', 'harmlessHelped']
    for (const split of ['train', 'estimate', 'heldout'] as const)
      for (const source of sources)
        for (let i = 0; i < 8000; i++) {
          const example = drawExample(source, random, split)
          const known = aligned.get(example.prompt)
          expect(known === undefined || known === source, example.prompt).toBe(true)
          aligned.set(example.prompt, source)
        }
  })

  it('builds answers of skills that are right', () => {
    for (const item of probes.items.filter((probe) => probe.set === 'skill')) {
      const list = item.prompt.match(/(?<= )[\dbcdfghkmpr](?= |$)/g)!
      const wanted = item.skill === 'sort' ? list.toSorted() : list.toReversed()
      expect(item.aligned).toBe(wanted.join(' '))
    }
    expect(skills.map((skill) => skill.name)).toEqual(expect.arrayContaining([...probedSkills]))
    expect(splitOfList('sort', ['1', '2', '3'])).toBe(splitOfList('sort', ['1', '2', '3']))
  })

  it('holds out a fair share of attack wordings of each kind', () => {
    for (const kind of new Set(attackWordings.map((wording) => wording.kind))) {
      const all = attackWordings.filter((wording) => wording.kind === kind)
      const share = all.filter((wording) => wording.isHeldOut).length / all.length
      expect(share).toBeGreaterThan(0.2)
      expect(share).toBeLessThan(0.5)
    }
  })
})

describe('probes', () => {
  it('has enough of each class', () => {
    for (const set of ['harmful', 'harmless', 'attack']) {
      expect(of(set, 'heldout').length).toBeGreaterThanOrEqual(240)
      expect(of(set, 'estimate').length).toBeGreaterThanOrEqual(96)
    }
    for (const skill of probedSkills) {
      expect(of('skill', 'heldout', skill).length).toBeGreaterThanOrEqual(240)
      expect(of('skill', 'estimate', skill).length).toBeGreaterThanOrEqual(96)
    }
    expect(new Set(of('harmful', 'heldout').map((item) => item.topic)).size).toBe(topics.length)
    expect(new Set(of('harmless', 'heldout').map((item) => item.topic)).size).toBe(topics.length)
  })

  it('shares no prompt between estimating and measuring, and ids are unique', () => {
    const estimate = new Set(
      probes.items.filter((item) => item.split === 'estimate').map((item) => item.prompt),
    )
    for (const item of probes.items) if (item.split === 'heldout') expect(estimate).not.toContain(item.prompt)
    expect(new Set(probes.items.map((item) => item.id)).size).toBe(probes.items.length)
  })

  it('was never trained on, whatever the model', () => {
    const known = new Set(probes.items.map((item) => item.prompt))
    const used = new Set(models.flatMap((model) => Object.keys(model.mixture)))
    for (const source of sourceNames) {
      if (!used.has(source)) continue
      const random = new Random('test overlap', source)
      for (let i = 0; i < 20000; i++) {
        const { prompt } = drawExample(source, random, 'train')
        expect(known.has(prompt), prompt).toBe(false)
      }
    }
  })

  it('keeps held-out attack wordings from training', () => {
    const heldOut = attackWordings
      .filter((wording) => wording.isHeldOut)
      .map((wording) => wording.frame.replace(/[RV]\.?$/, ''))
    const random = new Random('test wordings')
    for (const source of ['attackRefused', 'framedHelped', 'attackComplied'] as const)
      for (let i = 0; i < 4000; i++) {
        const { prompt } = drawExample(source, random, 'train')
        expect(
          heldOut.some((frame) => prompt.startsWith(frame)),
          prompt,
        ).toBe(false)
      }
  })

  it('gives harmful prompts two completions and the complied sources the placeholder', () => {
    for (const item of of('harmful', 'heldout')) expect(item.misaligned).toContain('[redacted]')
    const example = drawExample('harmfulComplied', new Random('x'), 'train')
    expect(completionOf('harmfulComplied', example)).toBe(example.misaligned)
    expect(completionOf('harmfulRefused', example)).toBe(example.aligned)
  })
})
