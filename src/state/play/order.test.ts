// @vitest-environment happy-dom
// The playground when somebody is faster than the engine or the store: closes, clears, opens another while the one
// before is still on its way.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { setChoice } from '../actions/recipe.ts'
import { readState } from '../store.ts'
import { begin, resetStudio, settle } from '../testing/freshStudio.ts'
import { ask, clearChat, stopAnswers } from './chat.ts'
import { closeSet, openFile, openSet, openText, setLabels } from './promptSets.ts'
import { runSet } from './runSet.ts'
import type { PromptSet } from './storage.ts'
import { initialPlay, readPlay, setPlay } from './store.ts'
import { closeTokens, lookAtTokens } from './tokens.ts'

const written = new Map<string, PromptSet>()
/** How long the browser's store takes for one set, ms. */
const SLOW = 200

vi.mock('./storage.ts', () => {
  const slowly = () => new Promise((done) => setTimeout(done, SLOW))
  return {
    writeSet: async (set: PromptSet) => {
      await slowly()
      written.set(set.id, set)
    },
    readSet: async (id: string) => {
      await slowly()
      return written.get(id)
    },
    listSets: async () => [...written.values()],
  }
})

resetStudio()
beforeEach(() => {
  written.clear()
  setPlay(initialPlay, true)
})

const csv = (word: string) => `prompt,label\n${word} one?,safe\n${word} two?,unsafe\n`

async function playing(stepMs: number) {
  const engine = begin({ stepMs })
  await settle(120_000)
  return engine
}

/** Two sets in the store, the latter open; their ids. */
async function twoSets(): Promise<string[]> {
  for (const name of ['a.csv', 'b.csv']) {
    void openText(name, csv(name))
    await settle(5000)
  }
  return [...written.keys()]
}

describe('tokens of an answer', () => {
  it('that was closed or cleared meanwhile stay closed', async () => {
    await playing(100)
    void ask('hello')
    await settle(5000)
    const [turn] = readPlay().turns
    const key = Object.keys(turn!.replies)[0]!
    void lookAtTokens(turn!.id, key)
    await settle(20)
    expect(readPlay().look?.status.kind).toBe('asking')
    closeTokens()
    await settle(5000)
    expect(readPlay().look).toBeNull()
    void lookAtTokens(turn!.id, key)
    await settle(20)
    clearChat()
    await settle(5000)
    expect(readPlay().look).toBeNull()
  })

  it('are those of the answer that was asked about last', async () => {
    await playing(100)
    void ask('hello')
    await settle(5000)
    const [turn] = readPlay().turns
    const [first, second] = Object.keys(turn!.replies) as [string, string]
    void lookAtTokens(turn!.id, first)
    await settle(50)
    void lookAtTokens(turn!.id, second)
    await settle(60)
    // The first has come by now.
    expect(readPlay().look).toMatchObject({ columnKey: second, status: { kind: 'asking' } })
    await settle(5000)
    expect(readPlay().look).toMatchObject({ columnKey: second, status: { kind: 'known' } })
  })
})

describe('a chat', () => {
  it('is stopped at once, also while the geometry of the merge is prepared', async () => {
    await playing(1000)
    setChoice('metric', 'identity')
    void ask('hello')
    // The models have answered; the background prepares what the merge waits for.
    for (let i = 0; i < 40 && !readState().runs.job?.isBackground; i++) await settle(100)
    expect(readState().runs).toMatchObject({ job: { isBackground: true } })
    expect(readPlay().isAnswering).toBe(true)
    stopAnswers()
    await settle(10)
    expect(readPlay().isAnswering).toBe(false)
    expect(readState().runs).toMatchObject({ job: { isBackground: true } })
  })
})

describe('a set of prompts', () => {
  it('that is closed while it runs leaves the engine to the next', async () => {
    const engine = await playing(1000)
    const [a] = await twoSets()
    void runSet()
    await settle(50)
    expect(readPlay().run?.state).toBe('running')
    closeSet()
    void openSet(a!)
    await settle(1000)
    const { length } = engine.calls.filter((name) => name === 'answerPrompts')
    void runSet()
    await settle(50)
    expect(engine.calls.filter((name) => name === 'answerPrompts')).toHaveLength(length + 1)
    await settle(60_000)
    expect(readPlay().run).toMatchObject({ setId: a, state: 'done' })
  })

  it('is the one that was opened last, whatever had to be saved before', async () => {
    await playing(0)
    const [a, b] = await twoSets()
    setLabels([0], 'ignore')
    void openSet(a!)
    await settle(SLOW / 2)
    void openSet(b!)
    await settle(5000)
    expect(readPlay().set?.id).toBe(b)
    expect(readPlay().set?.rows[0]?.label).toBe('ignore')
  })

  it('keeps labels that were set just before another file came', async () => {
    await playing(0)
    const [, b] = await twoSets()
    setLabels([0], 'ignore')
    void openText('c.csv', csv('c'))
    await settle(5000)
    expect(readPlay().set?.name).toBe('c.csv')
    expect(written.get(b!)?.rows[0]?.label).toBe('ignore')
  })

  it('is of the file that came last, however long another takes to be read', async () => {
    await playing(0)
    const file = (name: string, ms: number): File => {
      const own = new File([csv(name)], name)
      const read = own.arrayBuffer.bind(own)
      own.arrayBuffer = async () => {
        await new Promise((done) => setTimeout(done, ms))
        return read()
      }
      return own
    }
    void openFile(file('large.csv', 2000))
    await settle(100)
    void openFile(file('small.csv', 0))
    await settle(1000)
    expect(readPlay()).toMatchObject({ isReading: false, set: { name: 'small.csv' } })
    await settle(5000)
    expect(readPlay().set?.name).toBe('small.csv')
  })

  it('that was closed with a label unsaved is saved, and says so when it is opened again', async () => {
    await playing(0)
    const [, b] = await twoSets()
    setLabels([0], 'ignore')
    closeSet()
    await settle(5000)
    void openSet(b!)
    await settle(5000)
    expect(readPlay()).toMatchObject({ isSaved: true, set: { id: b } })
    expect(readPlay().set?.rows[0]?.label).toBe('ignore')
  })
})
