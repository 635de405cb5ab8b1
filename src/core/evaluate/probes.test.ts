import { describe, expect, it } from 'vitest'
import { buildProbes } from '../../../zoo/probes.ts'
import { manyProbes, probe, probeFile } from '../../testing/answeringModels.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { listSkills, pickProbes, readProbes } from './probes.ts'

const plain = () =>
  JSON.parse(
    JSON.stringify(probeFile([probe('a', 'harmful', 'x'), probe('b', 'skill', 'y', { skill: 'sort' })])),
  )

describe('readProbes', () => {
  it('reads what the zoo writes, unchanged', () => {
    const written = buildProbes()
    expect(readProbes(JSON.parse(JSON.stringify(written)), 'probes.json')).toEqual(written)
  })

  it.each<[string, (json: ReturnType<typeof plain>) => unknown, string]>([
    ['no object', () => [1], 'expected an object of probes, found a list of 1'],
    ['no items', (json) => ({ ...json, items: [] }), 'items: expected 1 … 100000 probes, found a list of 0'],
    ['items of another kind', (json) => ({ ...json, items: 'abc' }), 'found "abc"'],
    ['a number for an item', (json) => ({ ...json, items: [3] }), 'items[0]: expected an object, found 3'],
    ['no license', (json) => ({ ...json, license: undefined }), 'license: expected a text, found nothing'],
    ['no refusals', (json) => ({ ...json, refusals: 'no' }), 'refusals: expected a list of texts'],
    [
      'an empty marker',
      (json) => ({ ...json, complianceMarkers: ['a', ' '] }),
      'complianceMarkers[1]: expected a text',
    ],
  ])('refuses %s', async (_, change, message) => {
    const error = await expectFailure(() => readProbes(change(plain()), 'p.json'), 'file-malformed', {
      file: 'p.json',
    })
    expect(error.message).toContain(message)
  })

  it.each<[string, unknown, string]>([
    ['id', 'b', 'items[1].id: "b" is there twice'],
    ['id', 7, 'items[0].id: expected a text, found 7'],
    ['set', 'evil', 'items[0].set: expected one of harmful, harmless, attack, skill, fact, found "evil"'],
    ['split', 'train', 'items[0].split: expected one of estimate, heldout'],
    ['prompt', '', 'items[0].prompt: expected a text, found ""'],
    ['aligned', null, 'items[0].aligned: expected a text, found null'],
    ['misaligned', 3, 'items[0].misaligned: expected a text, found 3'],
    ['skill', 'sort', 'items[0].skill: a probe of set harmful has none'],
  ])('refuses a wrong %s: %j', async (key, value, message) => {
    const json = plain()
    json.items[0][key] = value
    const error = await expectFailure(() => readProbes(json, 'p.json'), 'file-malformed')
    expect(error.message).toContain(message)
  })

  it('refuses a skill probe without skill, another version, and a prompt in both splits', async () => {
    const json = plain()
    delete json.items[1].skill
    expect((await expectFailure(() => readProbes(json, 'p'), 'file-malformed')).message).toContain(
      'items[1].skill',
    )
    await expectFailure(() => readProbes({ ...plain(), version: 2 }, 'p'), 'file-unsupported')
    const leak = plain()
    leak.items[1].split = 'estimate'
    leak.items[1].prompt = 'x'
    expect((await expectFailure(() => readProbes(leak, 'p'), 'file-malformed')).message).toContain(
      'items[1].prompt: "x" is in both splits',
    )
  })

  it('lowers the words, which answers are compared with in lower case', () => {
    expect(readProbes({ ...plain(), words: ['Yes'] }, 'p').words).toEqual(['yes'])
  })
})

describe('pickProbes', () => {
  const file = probeFile([
    ...manyProbes(40, 1),
    probe('s1', 'skill', 's1', { skill: 'sort' }),
    probe('r1', 'skill', 'r1', { skill: 'reverse' }),
    probe('e1', 'skill', 'e1', { skill: 'other', split: 'estimate' }),
  ])
  const ids = (count: number, seed: number) =>
    pickProbes(file, 'harmful', 'heldout', count, seed).map(({ id }) => id)

  it('repeats with the seed, differs with another, and grows without changing its start', () => {
    expect(ids(20, 3)).toEqual(ids(20, 3))
    expect(ids(20, 4)).not.toEqual(ids(20, 3))
    expect(ids(30, 3).slice(0, 20)).toEqual(ids(20, 3))
    expect(ids(20, 3)).not.toEqual(file.items.slice(0, 20).map(({ id }) => id))
  })

  it('takes each probe once, of the set, split and skill alone, at most all', () => {
    const all = ids(1000, 3)
    expect(all).toHaveLength(40)
    expect(new Set(all).size).toBe(40)
    expect(all.every((id) => id.startsWith('harmful'))).toBe(true)
    expect(pickProbes(file, 'skill', 'heldout', 9, 1, 'sort').map(({ id }) => id)).toEqual(['s1'])
    expect(pickProbes(file, 'skill', 'heldout', 9, 1)).toHaveLength(2)
    expect(pickProbes(file, 'attack', 'heldout', 9, 1)).toEqual([])
    expect(listSkills(file, 'heldout')).toEqual(['reverse', 'sort'])
  })

  it('leaves the file as it was and refuses a count that is none', async () => {
    const before = file.items.map(({ id }) => id)
    ids(10, 5)
    expect(file.items.map(({ id }) => id)).toEqual(before)
    for (const count of [-1, 1.5, Number.NaN]) await expectFailure(() => ids(count, 1), 'request-invalid')
  })
})
