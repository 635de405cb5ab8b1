// A studio in a test: started against an engine that makes its numbers up, on a clock of its own.

import { afterEach, beforeEach, vi } from 'vitest'
import type { Experiment } from '../../../workers/api.ts'
import { session } from '../actions/session.ts'
import { startStudio } from '../actions/start.ts'
import { initialState, readState, useStudio } from '../store.ts'
import { createFakeEngine, type FakeEngine, type FakeOptions } from './fakeEngine.ts'

let stop: () => void = () => {}

/** Starts the studio; it is stopped after the test. */
export function begin(options: FakeOptions = {}): FakeEngine {
  const engine = createFakeEngine(options)
  stop = startStudio(engine.connect)
  return engine
}

/** Stops the studio in the middle of a test. */
export const stopStudio = (): void => stop()

/** For a test that starts the studio itself. */
export function stopWith(own: () => void): void {
  stop = own
}

export const experiment = (): Experiment => {
  const { experiment: current } = readState().recipe
  if (!current) throw new Error('no experiment')
  return current
}
export const runs = () => readState().runs
export const settle = (ms = 20_000) => vi.advanceTimersByTimeAsync(ms)

/** A fresh store and fake timers for every test of the file. */
export function resetStudio(): void {
  beforeEach(() => {
    vi.useFakeTimers()
    session.readShipped = async () => undefined
    history.replaceState(null, '', '#')
    useStudio.setState(initialState(), true)
  })
  afterEach(async () => {
    stop()
    await vi.advanceTimersByTimeAsync(1000)
    vi.useRealTimers()
  })
}
