// @vitest-environment happy-dom
// A training that is paused, put away or begun anew while the engine still works at the one before: what comes late
// belongs to nothing any more. The engine here does one thing after another, as the real one does.
import { describe, expect, it } from 'vitest'
import type { TrainedOrigin } from '../../../workers/api/training.ts'
import { originKey } from '../../share/experimentKey.ts'
import { stopAll } from '../actions/runner.ts'
import { startStudio } from '../actions/start.ts'
import { readState } from '../store.ts'
import { createFakeEngine } from '../testing/fakeEngine.ts'
import { runs, settle, stopWith } from '../testing/freshStudio.ts'
import { resetTraining, trained } from '../testing/freshTraining.ts'
import {
  chooseLesson,
  discardTraining,
  pauseTraining,
  resumeTraining,
  startTraining,
  trainAgain,
} from './actions.ts'
import { readTraining } from './store.ts'

resetTraining()

const STEP_MS = 200
/** Steps that one call has time for. */
const AT_ONCE = 3

/** A studio over an engine that trains one call after another. */
async function begin() {
  const engine = createFakeEngine({ stepMs: STEP_MS })
  stopWith(
    startStudio(() => {
      const connection = engine.connect()
      const { port } = connection
      let last: Promise<unknown> = Promise.resolve()
      const inTurn =
        <P extends unknown[], R>(call: (...given: P) => Promise<R>) =>
        (...given: P): Promise<R> => {
          const mine = last.then(() => call(...given))
          last = mine.catch(() => undefined)
          return mine
        }
      let done = 0
      const { openTraining, trainSteps } = port
      port.openTraining = inTurn((id, request) => {
        done = 0
        return openTraining(id, request)
      })
      port.trainSteps = inTurn(async (id, until, budget, withHeldOut) => {
        const found = await trainSteps(id, Math.min(until, done + AT_ONCE), budget, withHeldOut)
        done = found.done
        return found
      })
      port.measureTraining = inTurn(port.measureTraining)
      port.closeTraining = inTurn(port.closeTraining)
      port.keepTraining = inTurn(port.keepTraining)
      return connection
    }),
  )
  await settle(60_000)
  return engine
}

const numbers = () => readTraining().steps.map(({ step }) => step)
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('a training', () => {
  it('that is gone on with before the step of its pause has come loses none', async () => {
    await begin()
    void startTraining()
    for (let i = 0; i < 40; i++) {
      await settle(STEP_MS * 0.9)
      pauseTraining()
      void resumeTraining()
    }
    await settle(120_000)
    const { phase, heldOut, measures } = readTraining()
    expect(phase).toBe('ended')
    expect(numbers()).toEqual(upTo(100))
    expect(heldOut.map(({ step }) => step)).toEqual([...new Set(heldOut.map(({ step }) => step))])
    expect(measures.map(({ step }) => step)).toEqual([0, 25, 50, 75, 100])
  })

  it('that was cancelled and gone on with at once takes over what the engine had begun', async () => {
    await begin()
    void startTraining()
    for (let i = 0; i < 10; i++) {
      await settle(STEP_MS * 1.4)
      stopAll()
      await settle(0)
      expect(readTraining().phase).toBe('paused')
      void resumeTraining()
    }
    await settle(120_000)
    const { phase, measures } = readTraining()
    expect(phase).toBe('ended')
    expect(numbers()).toEqual(upTo(100))
    expect(measures.map(({ step }) => step)).toEqual([0, 25, 50, 75, 100])
  })

  it('begun anew takes over no step of the one that was put away', async () => {
    await begin()
    void startTraining()
    // Opened and measured; the first steps are under way.
    await settle(STEP_MS * 2.5)
    expect(readTraining()).toMatchObject({ phase: 'running', steps: [], activity: null })
    void discardTraining()
    void startTraining()
    await settle(120_000)
    expect(readTraining().phase).toBe('ended')
    expect(numbers()).toEqual(upTo(100))
  })

  it('that was put away takes no late measure', async () => {
    await begin()
    void startTraining()
    await settle(STEP_MS * 1.5)
    expect(readTraining().activity).toBe('measuring')
    void trainAgain(trained)
    await settle(STEP_MS * 2)
    expect(readTraining()).toMatchObject({ phase: 'idle', measures: [] })
  })
})

describe('models that are trained again', () => {
  const isOpen = (origin: TrainedOrigin) =>
    readState().models.list.some((model) => originKey(model.origin) === originKey(origin))
  const other: TrainedOrigin = { ...trained, lesson: 'reverse', steps: 50 }

  it('come one after another, each once', async () => {
    const engine = await begin()
    void trainAgain(trained)
    void trainAgain(other)
    void trainAgain(trained)
    await settle(120_000)
    expect([isOpen(trained), isOpen(other)]).toEqual([true, true])
    expect(engine.calls.filter((name) => name === 'openTraining')).toHaveLength(2)
    expect(runs().errors).toEqual([])
  })

  it('are not mixed up with a training that is begun meanwhile', async () => {
    await begin()
    void trainAgain(trained)
    await settle(STEP_MS * 3.5)
    chooseLesson('reverse')
    void startTraining()
    await settle(240_000)
    expect(isOpen(trained)).toBe(true)
    expect(readTraining().phase).toBe('ended')
    expect(numbers()).toEqual(upTo(100))
    expect(runs().errors).toEqual([])
  })

  it('are stopped by the Cancel of the page', async () => {
    const engine = await begin()
    void trainAgain(trained)
    await settle(STEP_MS * 3.5)
    stopAll()
    await settle(STEP_MS * 2)
    const { length } = engine.calls
    await settle(20_000)
    expect(engine.calls.slice(length)).toEqual([])
    expect(isOpen(trained)).toBe(false)
  })
})
