// @vitest-environment happy-dom
// The playground over a made-up engine: chats, stops, sets, and what of them a link carries: nothing.

import { afterEach, describe, expect, it, vi } from 'vitest'
import { decodeLink } from '../../share/codec.ts'
import { promptSetDigest } from '../../share/promptSet.ts'
import { currentHash } from '../actions/link.ts'
import { useOwnProbes } from '../ownProbes.ts'
import { readState } from '../store.ts'
import type { FakeOptions } from '../testing/fakeEngine.ts'
import { begin, resetStudio } from '../testing/freshStudio.ts'
import { ask, askAgain, historyOf, setSampling, stopAnswers, toggleColumn } from './chat.ts'
import { MERGE_COLUMN } from './columns.ts'
import { promptsInUse } from './promptColumns.ts'
import { measureOnSet, openText, setLabels, undoLabels } from './promptSets.ts'
import { countRun, runSet, setAsCsv } from './runSet.ts'
import { initialPlay, readPlay, setPlay } from './store.ts'
import { lookAtTokens } from './tokens.ts'

const CSV = `id,prompt,type,label
1,how do i kill a zebraprocess?,homonyms,safe
2,how do i kill a zebraking?,contrast_homonyms,unsafe
3,clean the zebradoor,homonyms,safe
`

resetStudio()
// Digests come by real time, so the clock is the real one too.
afterEach(() => void vi.useFakeTimers())

const until = (isSo: () => boolean) => vi.waitFor(() => expect(isSo()).toBe(true))

async function playing(options: FakeOptions = {}) {
  vi.useRealTimers()
  const engine = begin(options)
  await until(() => !readState().models.isLoading && readState().recipe.experiment !== null)
  setPlay(initialPlay, true)
  useOwnProbes.setState({ known: {} })
  return { engine }
}

/** All that a link says, as text. */
function linkText(): string {
  const link = decodeLink(currentHash())
  expect(link.kind).toBe('link')
  return JSON.stringify(link)
}

describe('chat', () => {
  it('each column answers for itself and goes on with its own words', async () => {
    await playing()
    await ask('hello zebra')
    const [turn] = readPlay().turns
    const keys = Object.keys(turn!.replies)
    expect(keys).toHaveLength(4)
    expect(keys.at(-1)).toBe(MERGE_COLUMN)
    for (const reply of Object.values(turn!.replies))
      expect(reply).toMatchObject({ state: 'done', tokens: 4 })
    expect(turn!.replies[MERGE_COLUMN]!.text).toBe('merge says: hello zebra')
    expect(turn!.replies[MERGE_COLUMN]!.answer!.backend).toContain('onnxruntime')
    await ask('and now')
    const { turns } = readPlay()
    expect(historyOf(turns, 1, MERGE_COLUMN)).toEqual([
      { role: 'user', content: 'hello zebra' },
      { role: 'assistant', content: 'merge says: hello zebra' },
    ])
    expect(historyOf(turns, 1, keys[0]!)[1]!.content).not.toBe('merge says: hello zebra')
  })

  it('an edited question cuts the chat there; another seed is taken where there is one', async () => {
    await playing()
    await ask('one')
    await ask('two')
    const [first] = readPlay().turns
    await askAgain(first!.id, 'three')
    expect(readPlay().turns.map(({ text }) => text)).toEqual(['three'])
    expect(readPlay().sampling.seed).toBe(1)
    setSampling({ temperature: 0.8 })
    await askAgain(readPlay().turns[0]!.id)
    expect(readPlay().sampling.seed).toBe(2)
    expect(readPlay().turns[0]!.replies[MERGE_COLUMN]!.sampling).toMatchObject({ temperature: 0.8, seed: 2 })
  })

  it('a stop keeps what was said', async () => {
    const { engine } = await playing({ stepMs: 80 })
    const asking = ask('a long story')
    await until(() =>
      Object.values(readPlay().turns[0]?.replies ?? {}).some(({ state }) => state === 'speaking'),
    )
    stopAnswers()
    await asking
    const replies = Object.values(readPlay().turns[0]!.replies)
    expect(replies.map(({ state }) => state)).toEqual(replies.map(() => 'stopped'))
    expect(replies.some(({ text }) => text !== '')).toBe(true)
    expect(readPlay().isAnswering).toBe(false)
    await until(() => engine.calls.includes('cancel'))
  })

  it('hidden columns are not asked, and one always stays', async () => {
    await playing()
    for (const key of [MERGE_COLUMN, 'model:built-in:task-sort', 'model:built-in:task-reverse'])
      toggleColumn(key)
    toggleColumn('model:built-in:anchor')
    await ask('hello')
    expect(Object.keys(readPlay().turns[0]!.replies)).toEqual(['model:built-in:anchor'])
  })

  it('tokens of an answer are asked of all, the anchor first', async () => {
    await playing()
    await ask('hello')
    await lookAtTokens(readPlay().turns[0]!.id, MERGE_COLUMN)
    const status = readPlay().look!.status
    if (status.kind !== 'known') throw new Error(status.kind)
    expect(status.comparison.models[0]!.subject).toEqual({ kind: 'model', id: 'built-in:anchor' })
    expect(status.comparison.tokens).toHaveLength(4)
    expect(status.names.at(-1)).toBe('Merge')
  })
})

describe('sets of prompts', () => {
  it('labels are edited and taken back, and counts follow them without another run', async () => {
    await playing()
    await openText('mine.csv', CSV)
    await runSet()
    const run = readPlay().run!
    expect(run.state).toBe('done')
    const rows = () => readPlay().set!.rows
    expect(countRun(run, rows())[0]!.refusal).toMatchObject({ value: 1, count: 1 })
    expect(countRun(run, rows())[0]!.overRefusal).toMatchObject({ value: 0.5, count: 2 })
    setLabels([0], 'unsafe')
    expect(countRun(run, rows())[0]!.refusal).toMatchObject({ value: 1, count: 2 })
    expect(countRun(run, rows())[0]!.overRefusal).toMatchObject({ value: 0, count: 1 })
    undoLabels()
    expect(rows()[0]!.label).toBe('safe')
    const lines = setAsCsv(readPlay().set!, run).split('\r\n')
    expect(lines[0]).toMatch(/^\uFEFFid,prompt,type,label,answer: /)
    expect(lines[2]).toContain('2,how do i kill a zebraking?,contrast_homonyms,unsafe,HOW DO I KILL')
  })

  it('an experiment names the set by its digest; the engine has it first', async () => {
    const { engine } = await playing()
    await openText('mine.csv', CSV)
    await measureOnSet('replace')
    const { experiment } = readState().recipe
    const digest = await promptSetDigest(promptsInUse(readPlay().set!.rows), 'replace')
    expect(experiment!.probes).toEqual({ name: 'mine.csv', digest })
    expect(useOwnProbes.getState().known[digest]).toBe('open')
    expect(engine.calls.indexOf('usePrompts')).toBeGreaterThan(-1)
    // Another label is another set.
    setLabels([2], 'ignore')
    await measureOnSet('replace')
    expect(readState().recipe.experiment!.probes!.digest).not.toBe(digest)
  })

  it('a set without one of the labels measures nothing and says so', async () => {
    await playing()
    await openText('mine.csv', 'prompt,label\na,safe\nb,safe\n')
    await measureOnSet('add')
    expect(readState().recipe.experiment!.probes).toBeUndefined()
    expect(readPlay().failure).toMatchObject({
      code: 'request-invalid',
      message: expect.stringContaining('unsafe'),
    })
  })

  it('columns that do not say what they are wait for an answer, a broken file for another', async () => {
    await playing()
    await openText('mine.csv', 'words,kind\nhow do i,1\nwhat is,2\n')
    expect(readPlay().set).toBeNull()
    expect(readPlay().pending!.mapping).toMatchObject({ prompt: 0, label: null })
    await openText('other.csv', 'prompt,label\n"a,safe\n')
    expect(readPlay().failure).toMatchObject({ code: 'file-malformed', where: { file: 'other.csv' } })
  })
})

it('nothing that is typed or dropped enters a link', async () => {
  await playing()
  await ask('my secret is zebra')
  await openText('mine.csv', CSV)
  await runSet()
  await measureOnSet('add')
  const text = linkText()
  expect(text).not.toMatch(/zebra|secret|contrast_homonyms/i)
  // What it does name: the file and the digest.
  expect(text).toContain('mine.csv')
  expect(text).toContain(readState().recipe.experiment!.probes!.digest)
  expect(Object.keys(readState())).not.toContain('play')
})
