// @vitest-environment happy-dom
// An engine that is closed and opened anew while the one before is still being asked.
import { describe, expect, it, vi } from 'vitest'
import { EngineError } from '../core/errors.ts'
import { openFolder } from './actions/models.ts'
import { changeExperiment } from './actions/recipe.ts'
import { reopenEngine, startStudio } from './actions/start.ts'
import type { EnginePort } from './engine.ts'
import { useOwnProbes } from './ownProbes.ts'
import { missingOrigins } from './selectors.ts'
import { readState } from './store.ts'
import { createFakeEngine } from './testing/fakeEngine.ts'
import { experiment, resetStudio, runs, settle, stopWith } from './testing/freshStudio.ts'
import { startTraining, useAsExpert } from './training/actions.ts'
import { initialTraining, readTraining, useTraining } from './training/store.ts'

vi.mock('./play/storage.ts', () => ({ findProbes: async () => ({ name: 'mine', use: 'add', prompts: [] }) }))

resetStudio()

/** A studio whose engines answer nothing once they are closed; `change` is told which of them it is about. */
function beginWith(change: (port: EnginePort, nth: number) => void = () => {}, stepMs = 100) {
  const engines: ReturnType<typeof createFakeEngine>[] = []
  stopWith(
    startStudio(() => {
      const engine = createFakeEngine({ stepMs })
      engines.push(engine)
      const connection = engine.connect()
      change(connection.port, engines.length)
      let fail: (error: Error) => void = () => {}
      const gone = new Promise<never>((_resolve, reject) => {
        fail = reject
      })
      gone.catch(() => {})
      return {
        ...connection,
        gone,
        close: () => fail(new EngineError('device-lost', 'The engine was closed')),
      }
    }),
  )
  return engines
}

describe('an engine that is opened anew', () => {
  it('while the built-in models are read reads them once more and complains of nothing', async () => {
    const engines = beginWith()
    await settle(30)
    expect(engines[0]!.calls).toContain('openBuiltIn')
    void reopenEngine()
    await settle(10)
    expect(readState().models.isLoading).toBe(true)
    await settle(60_000)
    expect(engines).toHaveLength(2)
    expect(readState().models).toMatchObject({ engine: { kind: 'ready' }, isLoading: false })
    expect(engines[1]!.calls.filter((name) => name === 'openBuiltIn')).toHaveLength(1)
    expect(engines[1]!.calls.filter((name) => name === 'setLabeller')).toHaveLength(1)
    expect(runs().errors).toEqual([])
  })

  it('while it is being opened is not said to have failed', async () => {
    const engines = beginWith((port, nth) => {
      const { open } = port
      port.open = async (onEvent) => {
        await new Promise((done) => setTimeout(done, 500 * nth))
        return open(onEvent)
      }
    })
    await settle(100)
    void reopenEngine()
    await settle(100)
    expect(readState().models.engine.kind).toBe('opening')
    await settle(60_000)
    expect(engines).toHaveLength(2)
    expect(readState().models.engine.kind).toBe('ready')
    expect(runs().errors).toEqual([])
  })

  it('while the labeller or prompts of one’s own are opened complains of nothing', async () => {
    const slow =
      <P extends unknown[], R>(call: (...given: P) => Promise<R>, ms: number) =>
      async (...given: P): Promise<R> => {
        await new Promise((done) => setTimeout(done, ms))
        return call(...given)
      }
    beginWith((port, nth) => {
      if (nth === 1) port.setLabeller = slow(port.setLabeller, 10_000)
      port.usePrompts = slow(async () => {}, nth === 2 ? 10_000 : 0)
    })
    await settle(1000)
    expect(readState().models).toMatchObject({ isLoading: false, labeller: null })
    void reopenEngine()
    await settle(5000)
    expect(readState().models.labeller).not.toBeNull()
    changeExperiment((asked) => ({ ...asked, probes: { name: 'mine', digest: 'ab'.repeat(32) } }))
    await settle(1000)
    expect(useOwnProbes.getState().known).toEqual({ ['ab'.repeat(32)]: 'opening' })
    void reopenEngine()
    await settle(60_000)
    expect(useOwnProbes.getState().known).toEqual({ ['ab'.repeat(32)]: 'open' })
    expect(runs().errors).toEqual([])
  })

  it('while a merge is written complains of nothing and writes it', async () => {
    beginWith((port) => {
      const { applyMerge } = port
      port.applyMerge = async (asked) => {
        await new Promise((done) => setTimeout(done, 1000))
        return applyMerge(asked)
      }
    })
    for (let i = 0; i < 40 && runs().preparedKey === null; i++) await settle(100)
    await settle(200)
    expect(runs()).toMatchObject({ written: null, preparedKey: expect.anything() })
    void reopenEngine()
    await settle(60_000)
    expect(runs().written).not.toBeNull()
    expect(runs().errors).toEqual([])
  })

  it('offers to train again what was trained in the one before', async () => {
    useTraining.setState(initialTraining(), true)
    beginWith()
    await settle(60_000)
    void startTraining()
    await settle(60_000)
    void useAsExpert()
    await settle(60_000)
    expect(experiment().experts.at(-1)!.origin.kind).toBe('trained')
    void reopenEngine()
    await settle(60_000)
    expect(missingOrigins(readState().models.list, experiment())).toEqual([
      experiment().experts.at(-1)!.origin,
    ])
    expect(readTraining().phase).toBe('idle')
  })

  it('lets go of models that cannot be opened again', async () => {
    beginWith((port, nth) => {
      if (nth === 2)
        port.openFiles = async () => {
          throw new EngineError('file-missing', 'config.json is gone')
        }
    })
    await settle(60_000)
    void openFolder([new File(['{}'], 'config.json')])
    await settle(1000)
    expect(readState().models.list.at(-1)!.origin.kind).toBe('files')
    void reopenEngine()
    await settle(60_000)
    expect(readState().models.list.map(({ origin }) => origin.kind)).not.toContain('files')
  })
})
