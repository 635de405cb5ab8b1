// @vitest-environment happy-dom
// Answers that come after the question was left: stopped, overtaken, or asked of an engine that is closed by now.
import { describe, expect, it } from 'vitest'
import { mergeKey } from '../share/experimentKey.ts'
import { askAntidote } from './actions/afterMerge.ts'
import { setNumber } from './actions/recipe.ts'
import { askAll, downloadZip } from './actions/requests.ts'
import { stopAll } from './actions/runner.ts'
import { startStudio } from './actions/start.ts'
import type { EnginePort } from './engine.ts'
import { isMergeWritten } from './selectors.ts'
import { acceptForeign, useForeign } from './share/foreign.ts'
import { createFakeEngine, type FakeOptions } from './testing/fakeEngine.ts'
import { experiment, resetStudio, runs, settle, stopWith } from './testing/freshStudio.ts'

resetStudio()

/** A studio whose engine has some functions of the test's own, and whose calls reject once it is closed. */
function beginWith(change: (port: EnginePort) => void, options: FakeOptions = {}) {
  const engine = createFakeEngine(options)
  const connect = () => {
    const connection = engine.connect()
    change(connection.port)
    return connection
  }
  stopWith(startStudio(connect))
  return engine
}

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms))

describe('a job that is stopped', () => {
  it('between two of its calls makes no further one', async () => {
    const engine = beginWith((port) => {
      const { prepare } = port
      // Done before the word to stop has come.
      port.prepare = async (_id, asked) => {
        await wait(1000)
        return prepare(-1, asked)
      }
    })
    await settle(20_000)
    setNumber('seed', 5)
    const asked = downloadZip()
    await settle(500)
    stopAll()
    await settle(5000)
    await asked
    expect(engine.calls).not.toContain('exportZip')
  })
})

describe('models of a link', () => {
  const models = ['a', 'b', 'c'].map((name) => {
    const url = `https://host.example/${name}`
    return { origin: { kind: 'url' as const, url }, host: 'host.example', what: url }
  })
  const fetched = (calls: readonly string[]) => calls.filter((name) => name === 'openUrl').length

  it('are not fetched any further once the user has stopped it', async () => {
    const engine = beginWith(() => {}, { stepMs: 1000 })
    await settle(5000)
    // Whoever has stopped the measuring before may want them all the same.
    stopAll()
    useForeign.setState({ models })
    void acceptForeign()
    await settle(1500)
    expect(fetched(engine.calls)).toBe(2)
    stopAll()
    await settle(10_000)
    expect(fetched(engine.calls)).toBe(2)
  })
})

describe('the merge', () => {
  it('is written also when a question has had the geometry prepared', async () => {
    beginWith(() => {}, { stepMs: 100 })
    await settle(60_000)
    setNumber('seed', 5)
    const asked = askAll('sort 3 1 2')
    await settle(60_000)
    await asked
    expect(isMergeWritten(runs(), experiment())).toBe(true)
  })

  it('that cannot be written does not keep the next one from being written', async () => {
    beginWith((port) => {
      const { applyMerge } = port
      port.applyMerge = async (asked) => {
        await wait(500)
        if (asked.lambdaAlign === 3) throw new Error('refused')
        return applyMerge(asked)
      }
    })
    await settle(20_000)
    setNumber('lambdaAlign', 3)
    await settle(200)
    setNumber('lambdaAlign', 5)
    await settle(20_000)
    expect(isMergeWritten(runs(), experiment())).toBe(true)
  })
})

describe('the antidote', () => {
  it('that was asked of another recipe changes nothing of the one on the page', async () => {
    beginWith(() => {}, { stepMs: 100 })
    await settle(120_000)
    const asked = askAntidote(true)
    await settle(60)
    const before = experiment()
    setNumber('lambdaAlign', 9)
    await settle(20_000)
    await asked
    expect(experiment().antidote).toBe(before.antidote)
    expect(runs().antidote?.mergeKey).not.toBe(mergeKey(experiment()))
  })
})
