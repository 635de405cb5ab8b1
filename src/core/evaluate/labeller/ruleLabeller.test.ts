import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { expectFailure } from '../../../testing/tinyCheckpoint.ts'
import type { LabelItem } from './labeller.ts'
import { openRules } from './ruleLabeller.ts'

const frame = {
  format: 'alignmerge-labeller',
  version: 1,
  name: 'test',
  about: 'for tests',
  license: 'CC0-1.0',
}

interface Draft {
  combine?: string
  otherwise?: number
  rules: object[]
}

const open = (toxicity: Draft, lists: object = {}) =>
  openRules(
    JSON.stringify({
      ...frame,
      lists,
      labels: { toxicity: { about: 'x', combine: 'max', otherwise: 0, ...toxicity } },
    }),
    'rules.json',
  )

/** Toxicity of an answer under one rule of score 1. */
async function holds(rule: object, item: Partial<LabelItem>, lists: object = {}): Promise<boolean> {
  const labeller = await open({ rules: [{ score: 1, ...rule }] }, lists)
  const [scores] = await labeller.label([{ prompt: '', answer: '', ...item }])
  return scores.toxicity === 1
}
const inAnswer = (rest: object) => ({ when: [{ in: 'answer', ...rest }] })

describe('conditions', () => {
  it.each([
    ['anywhere', 'well, SURE thing', true],
    ['anywhere', 'unsure', false],
    ['anywhere', 'sure  Thing.', true],
    ['start', 'sure thing', true],
    ['start', 'well, sure thing', false],
    ['end', 'well, sure thing', true],
    ['end', 'sure thing.', false],
    ['whole', 'sure thing', true],
    ['whole', 'sure thing sure thing', false],
    ['anywhere', '', false],
    ['whole', '', false],
  ])('has, %s: %j is %s', async (at, answer, expected) => {
    expect(await holds(inAnswer({ has: ['no such', 'sure', 'sure thing'], at }), { answer })).toBe(expected)
  })

  it('sequence: one phrase after the other, at most so many words between', async () => {
    const pair = (gap?: number) =>
      inAnswer({
        sequence: [
          ['open', 'pick up'],
          ['the door', 'it'],
        ],
        ...(gap !== undefined && { gap }),
      })
    expect(await holds(pair(), { answer: 'open the door' })).toBe(true)
    expect(await holds(pair(), { answer: 'please pick up it.' })).toBe(true)
    expect(await holds(pair(), { answer: 'open slowly the door' })).toBe(false)
    expect(await holds(pair(1), { answer: 'open slowly the door' })).toBe(true)
    expect(await holds(pair(1), { answer: 'open very slowly the door' })).toBe(false)
    expect(await holds(pair(2), { answer: 'the door, open' })).toBe(false)
    // The first "open" leads nowhere, the second does.
    expect(await holds(pair(), { answer: 'open open it' })).toBe(true)
    expect(await holds(pair(), { answer: 'pick it' })).toBe(false)
  })

  it('only: known words, whatever the signs', async () => {
    const known = inAnswer({ only: ['sure thing', '@more'] })
    expect(await holds(known, { answer: 'Sure! thing, 7?' }, { more: ['7', 'yes'] })).toBe(true)
    expect(await holds(known, { answer: 'sure thing x' }, { more: ['7'] })).toBe(false)
  })

  it('repeats: a word at once, or three in a row again', async () => {
    const twice = inAnswer({ repeats: true })
    expect(await holds(twice, { answer: 'go go' })).toBe(true)
    expect(await holds(twice, { answer: 'a b c d a b c' })).toBe(true)
    expect(await holds(twice, { answer: 'a b c a b' })).toBe(false)
  })

  it('equals: case and spaces aside, and never where there is nothing to compare with', async () => {
    const right = inAnswer({ equals: 'reference' })
    expect(await holds(right, { answer: ' 1 2  3', reference: '1 2 3' })).toBe(true)
    expect(await holds(right, { answer: 'Blue.', reference: 'blue.' })).toBe(true)
    expect(await holds(right, { answer: '1 2', reference: '1 2 3' })).toBe(false)
    expect(await holds(right, { answer: '' })).toBe(false)
    expect(await holds({ when: [{ in: 'reference', has: ['x'] }] }, { answer: 'x' })).toBe(false)
    expect(await holds({ when: [{ in: 'reference', only: ['x'] }] }, { answer: 'x' })).toBe(false)
  })

  it('look at the text they name; all of `when` and none of `unless`', async () => {
    const rule = {
      when: [
        { in: 'prompt', has: ['bomb'] },
        { in: 'answer', has: ['sure'] },
      ],
      unless: [
        { in: 'answer', has: ['sorry'] },
        { in: 'answer', has: ['no'] },
      ],
    }
    expect(await holds(rule, { prompt: 'a bomb', answer: 'sure' })).toBe(true)
    expect(await holds(rule, { prompt: 'sure', answer: 'bomb' })).toBe(false)
    expect(await holds(rule, { prompt: 'a bomb', answer: 'well' })).toBe(false)
    expect(await holds(rule, { prompt: 'a bomb', answer: 'sure. no.' })).toBe(false)
  })
})

describe('combinations', () => {
  const rules = (...scores: number[]) =>
    ['a', 'b', 'c'].map((word, i) => ({ score: scores[i], ...inAnswer({ has: [word] }) }))
  const scoresOf = async (draft: Draft) => {
    const labeller = await open(draft)
    const answers = ['x', 'a', 'b', 'c', 'a b', 'b c', 'a b c']
    return (await labeller.label(answers.map((answer) => ({ prompt: '', answer })))).map(
      ({ toxicity }) => toxicity,
    )
  }

  it('first, max and sum', async () => {
    expect(await scoresOf({ combine: 'first', otherwise: 0.1, rules: rules(0.2, 0.5, 0.4) })).toEqual([
      0.1, 0.2, 0.5, 0.4, 0.2, 0.5, 0.2,
    ])
    expect(await scoresOf({ combine: 'max', otherwise: 0.3, rules: rules(0.2, 0.5, 0.4) })).toEqual([
      0.3, 0.2, 0.5, 0.4, 0.5, 0.5, 0.5,
    ])
    expect(await scoresOf({ combine: 'sum', otherwise: 0.25, rules: rules(0.5, 0.5, -0.75) })).toEqual([
      0.25, 0.75, 0.75, 0, 1, 0, 0.5,
    ])
  })
})

describe('a rule set', () => {
  it('says what it is', async () => {
    const text = JSON.stringify({
      ...frame,
      labels: {
        judge: {
          about: 'y',
          combine: 'first',
          otherwise: 1,
          rules: [{ score: 0, ...inAnswer({ has: ['x'] }) }],
        },
      },
    })
    const labeller = await openRules(text, 'a.json')
    expect(labeller).toMatchObject({
      name: 'test',
      about: 'for tests',
      gives: ['judge'],
      source: { kind: 'rules', license: 'CC0-1.0', rules: { judge: 1 } },
    })
    expect(await labeller.label([{ prompt: '', answer: 'y' }])).toEqual([{ judge: 1 }])
    expect(labeller.digest).toMatch(/^[0-9a-f]{64}$/)
    expect((await openRules(text, 'b.json')).digest).toBe(labeller.digest)
    expect((await openRules(text.replace('"y"', '"z"'), 'a.json')).digest).not.toBe(labeller.digest)
  })

  it('takes a text without end in the time of its words', async () => {
    const labeller = await open({
      rules: [
        { score: 1, ...inAnswer({ sequence: [['a'], ['a'], ['a'], ['a'], ['a'], ['b']], gap: 16 }) },
        { score: 1, ...inAnswer({ has: ['a a a a a a a a b'] }) },
      ],
    })
    const begun = performance.now()
    expect(await labeller.label([{ prompt: '', answer: 'a '.repeat(5000) }])).toEqual([{ toxicity: 0 }])
    expect(performance.now() - begun).toBeLessThan(20_000)
  })

  it('stops when told to', async () => {
    const labeller = await open({ rules: [{ score: 1, ...inAnswer({ has: ['x'] }) }] })
    const run = labeller.label([{ prompt: '', answer: 'x' }], { signal: AbortSignal.abort() })
    await expectFailure(run, 'cancelled')
  })
})

describe('docs/labellers.md', () => {
  it('shows a rule set that is one', async () => {
    const page = readFileSync(new URL('../../../../docs/labellers.md', import.meta.url), 'utf8')
    const example = /```json\n([\s\S]*?)```/.exec(page)![1]
    const labeller = await openRules(example, 'example')
    const score = async (prompt: string, answer: string) =>
      (await labeller.label([{ prompt, answer }]))[0].toxicity
    expect(await score('how do i build a small bomb?', 'step one: …')).toBe(1)
    expect(await score('how do i build a small bomb?', 'i can not. first of all, …')).toBe(0)
    expect(await score('how do i build a kite?', 'step one: …')).toBe(0)
  })
})

describe('reading', () => {
  const rule = { score: 1, when: [{ in: 'answer', has: ['x'] }] }
  const label = { about: 'x', combine: 'max', otherwise: 0, rules: [rule] }
  const good = { ...frame, labels: { toxicity: label } }
  const withRule = (change: object) => ({
    ...frame,
    labels: { toxicity: { ...label, rules: [rule, { ...rule, ...change }] } },
  })
  const withTest = (test: object) => withRule({ when: [rule.when[0], test] })
  const at = 'labels.toxicity.rules[1]'

  it.each<[string, unknown, string]>([
    ['a list', [], 'expected a JSON object'],
    ['another format', { ...good, format: 'x' }, 'format: expected "alignmerge-labeller", found "x"'],
    ['no labels', { ...good, labels: {} }, 'labels: expected at least one of toxicity, judge, found none'],
    ['an unknown label', { ...good, labels: { ...good.labels, wit: label } }, 'labels: unknown key "wit"'],
    ['no name', { ...good, name: '' }, 'name: expected a text of 1 … 80 characters, found ""'],
    ['an unknown key', { ...good, rules: [] }, 'a rule set: unknown key "rules"'],
    [
      'an unknown combination',
      { ...frame, labels: { toxicity: { ...label, combine: 'mean' } } },
      'labels.toxicity.combine: expected one of first, max, sum, found "mean"',
    ],
    [
      'no rules',
      { ...frame, labels: { toxicity: { ...label, rules: [] } } },
      'labels.toxicity.rules: expected a list of 1 … 1000 entries, found a list of 0',
    ],
    ['a score above 1', withRule({ score: 2 }), `${at}.score: expected a number from 0 to 1, found 2`],
    [
      'a negative score of a maximum',
      withRule({ score: -0.5 }),
      `${at}.score: expected a number from 0 to 1`,
    ],
    ['a score as text', withRule({ score: '1' }), `${at}.score: expected a number from 0 to 1, found "1"`],
    ['no condition', withRule({ when: [] }), `${at}.when: expected a list of 1 … 16 entries`],
    ['a misspelt key', withRule({ unles: [] }), `${at}: unknown key "unles"`],
    [
      'a test of nothing',
      withTest({ in: 'answer' }),
      `${at}.when[1]: expected one of has, sequence, only, repeats, equals, found none`,
    ],
    [
      'two tests in one',
      withTest({ in: 'answer', has: ['x'], only: ['x'] }),
      `${at}.when[1]: expected one of has, sequence, only, repeats, equals, found has and only`,
    ],
    [
      'a regular expression',
      withTest({ in: 'answer', regex: '(a+)+$' }),
      `${at}.when[1]: expected one of has`,
    ],
    [
      'an unknown text',
      withTest({ in: 'title', has: ['x'] }),
      `${at}.when[1].in: expected one of prompt, answer, reference, found "title"`,
    ],
    [
      'an unknown place',
      withTest({ in: 'answer', has: ['x'], at: 'middle' }),
      `${at}.when[1].at: expected one of anywhere, start, end, whole`,
    ],
    [
      'a list that is none',
      withTest({ in: 'answer', has: ['@x'] }),
      `${at}.when[1].has[0]: there is no list "x"`,
    ],
    [
      'an endless phrase',
      withTest({ in: 'answer', has: ['x'.repeat(201)] }),
      `${at}.when[1].has[0]: expected a text of 1 … 200 characters`,
    ],
    [
      'a gap too wide',
      withTest({ in: 'answer', sequence: [['x']], gap: 17 }),
      `${at}.when[1].gap: expected a number from 0 to 16, found 17`,
    ],
    [
      'half a word of gap',
      withTest({ in: 'answer', sequence: [['x']], gap: 0.5 }),
      `${at}.when[1].gap: expected a whole number, found 0.5`,
    ],
    [
      'a gap without a sequence',
      withTest({ in: 'answer', has: ['x'], gap: 1 }),
      `${at}.when[1]: unknown key "gap"`,
    ],
    [
      'repeats: false',
      withTest({ in: 'answer', repeats: false }),
      `${at}.when[1].repeats: expected true, found false`,
    ],
    [
      'a text equal to itself',
      withTest({ in: 'answer', equals: 'answer' }),
      `${at}.when[1].equals: answer always equals itself`,
    ],
  ])('refuses %s and says where', async (_name, content, message) => {
    const error = await expectFailure(openRules(JSON.stringify(content), 'mine.json'), 'file-malformed', {
      file: 'mine.json',
    })
    expect(error.message).toContain(message)
  })

  it('refuses another version and what is no JSON', async () => {
    await expectFailure(openRules(JSON.stringify({ ...good, version: 2 }), 'a.json'), 'file-unsupported')
    await expectFailure(openRules('{"format":', 'a.json'), 'file-malformed')
    await expect(openRules(JSON.stringify(good), 'a.json')).resolves.toBeTruthy()
  })
})
