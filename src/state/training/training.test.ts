// @vitest-environment happy-dom
// A training driven from the page over an engine that makes its numbers up: its course, what interrupts it, what
// becomes of it, and that a link names it so that it can be trained again.
import { describe, expect, it } from 'vitest'
import type { TrainedOrigin } from '../../../workers/api/training.ts'
import { decodeLink, encodeLink } from '../../share/codec.ts'
import { originKey } from '../../share/experimentKey.ts'
import { stopAll } from '../actions/runner.ts'
import { missingOrigins } from '../selectors.ts'
import { readState } from '../store.ts'
import { begin, experiment, runs, settle } from '../testing/freshStudio.ts'
import { resetTraining, trained } from '../testing/freshTraining.ts'
import {
  chooseLesson,
  discardTraining,
  pauseTraining,
  resumeTraining,
  setTrainingSetting,
  startTraining,
  stopTraining,
  takeOwnPairs,
  trainAgain,
  trainingObstacle,
  useAsExpert,
} from './actions.ts'
import { paceOf, rememberedPace, secondsOf } from './pace.ts'
import { readTraining } from './store.ts'

resetTraining()

describe('a training', () => {
  it('takes all its steps, measures before, between and after, and ends', async () => {
    begin()
    await settle()
    void startTraining()
    await settle()
    const { phase, steps, measures, heldOut } = readTraining()
    expect(phase).toBe('ended')
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect(measures.map(({ step }) => step)).toEqual([0, 25, 50, 75, 100])
    expect(heldOut.at(-1)?.step).toBe(100)
    expect(heldOut.map(({ step }) => step)).toEqual([...new Set(heldOut.map(({ step }) => step))])
  })

  it('stands still while paused, lets the page go on, and goes on where it was', async () => {
    const engine = begin({ stepMs: 200 })
    await settle()
    void startTraining()
    await settle(1500)
    pauseTraining()
    await settle(1000)
    const before = readTraining().steps.length
    expect(before).toBeGreaterThan(0)
    expect(before).toBeLessThan(100)
    const calls = engine.calls.filter((name) => name === 'trainSteps').length
    await settle(5000)
    expect(engine.calls.filter((name) => name === 'trainSteps')).toHaveLength(calls)
    void resumeTraining()
    await settle()
    expect(readTraining().steps.map(({ step }) => step)).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  it('is paused by the Cancel of the page, and can be stopped and kept there', async () => {
    begin({ stepMs: 200 })
    await settle()
    void startTraining()
    await settle(1500)
    stopAll()
    await settle(500)
    expect(readTraining().phase).toBe('paused')
    expect(runs().errors).toEqual([])
    void stopTraining()
    await settle()
    const { phase, steps, measures } = readTraining()
    expect(phase).toBe('ended')
    expect(measures.at(-1)?.step).toBe(steps.length)
    void useAsExpert()
    await settle()
    const origin = experiment().experts.at(-1)!.origin
    expect(origin).toEqual({ ...trained, done: steps.length })
    expect(readState().models.list.some((model) => originKey(model.origin) === originKey(origin))).toBe(true)
    expect(readState().view.page).toBe('studio')
  })

  it('that diverges says at which step and leaves its curves', async () => {
    begin({ trainingFailsAt: 37 })
    await settle()
    void startTraining()
    await settle()
    const { phase, failure, steps, measures } = readTraining()
    expect(phase).toBe('failed')
    expect(failure).toMatchObject({
      code: 'not-finite',
      message: expect.stringContaining('step 37: loss NaN'),
    })
    expect(steps.length).toBeGreaterThan(20)
    expect(measures).not.toEqual([])
    // Said beside the curves, not on the error panel as well.
    expect(runs().errors).toEqual([])
    void discardTraining()
    await settle(500)
    expect(readTraining()).toMatchObject({ phase: 'idle', run: null, steps: [], failure: null })
  })

  it('of own pairs needs some, and never enters a link', async () => {
    begin()
    await settle()
    chooseLesson('own')
    expect(trainingObstacle()).toMatch(/pairs/)
    void startTraining()
    await settle()
    expect(readTraining().run).toBeNull()
    takeOwnPairs({ name: 'capitals', pairs: [{ prompt: 'france?', answer: 'paris' }], problems: [] })
    expect(trainingObstacle()).toBeNull()
    void startTraining()
    await settle()
    void useAsExpert()
    await settle()
    const origin = experiment().experts.at(-1)!.origin
    expect(origin).toEqual({ kind: 'files', name: 'capitals', digest: 'd1'.repeat(32) })
    const { hash } = location
    expect(JSON.stringify(decodeLink(hash))).not.toContain('paris')
  })

  it('keeps settings inside their ranges, and as they are while it runs', async () => {
    begin({ stepMs: 200 })
    await settle()
    setTrainingSetting('steps', 1e9)
    setTrainingSetting('batch', 1)
    setTrainingSetting('rate', Number.NaN)
    expect(readTraining().settings).toMatchObject({ steps: 2000, batch: 4, rate: 2.5e-3 })
    void startTraining()
    await settle(1500)
    setTrainingSetting('steps', 10)
    chooseLesson('uncensored')
    expect(readTraining()).toMatchObject({ lesson: 'sort', settings: { steps: 2000 } })
  })
})

describe('a link to a trained model', () => {
  const view = { page: 'studio', aqiView: 'prompts', prompt: '' } as const
  const linked = async (change: object = {}) => {
    begin()
    await settle()
    const origin = { ...trained, ...change } as TrainedOrigin
    return encodeLink({ experiment: { ...experiment(), experts: [{ origin, weight: 1 }] }, view })
  }

  it('names all that decides its weights, and is trained again from it', async () => {
    const decoded = decodeLink(await linked())
    if (decoded.kind !== 'link') throw new Error('no link')
    const { experiment: named } = decoded.state
    expect(named.experts[0]!.origin).toEqual(trained)
    expect(missingOrigins(readState().models.list, named)).toEqual([trained])
    void trainAgain(trained)
    await settle()
    expect(missingOrigins(readState().models.list, named)).toEqual([])
  })

  it.each([
    [{ base: '../../etc' }, /base is no id/],
    [{ base: 'https://foreign.example/x' }, /base is no id/],
    [{ lesson: 'anything' }, /lesson is none of/],
    [{ steps: 'many' }, /steps is not a finite number/],
    [{ done: 100 }, /done/],
    [{ pairs: [['a', 'b']] }, /unknown field/],
  ])('is refused with %j', async (change, reason) => {
    const decoded = decodeLink(await linked(change))
    expect(decoded).toMatchObject({ kind: 'invalid', reason: expect.stringMatching(reason) })
  })

  it('cannot ask for more than the page offers', async () => {
    const decoded = decodeLink(await linked({ steps: 1e9, batch: 1e6 }))
    if (decoded.kind !== 'link') throw new Error('no link')
    expect(decoded.state.experiment.experts[0]!.origin).toMatchObject({ steps: 2000, batch: 64 })
    expect(decoded.adjusted).toContain('experiment.experts[0].origin.steps')
  })
})

it('pace leaves out the first step and tells what is left', () => {
  const steps = [5000, 100, 100, 100].map((durationMs, step) => ({
    ...{ step, durationMs, tokens: 50, loss: 1, gradientNorm: 1, rate: 1 },
  }))
  const pace = paceOf(steps, [], { batch: 4 })!
  expect(pace.tokensPerSecond).toBeCloseTo(500)
  expect(secondsOf(pace, 10, 4, 3)).toBeCloseTo(1)
  expect(secondsOf(pace, 10, 8, 3)).toBeCloseTo(2)
  expect(paceOf(steps.slice(0, 1), [], { batch: 4 })).toBeNull()
})

it.each([
  '{',
  '7',
  '{"adapter":"x"}',
  '{"adapter":"x","pace":{"secondsPerPair":1}}',
  '{"adapter":"x","pace":{"secondsPerPair":1,"tokensPerSecond":"7"}}',
])('a pace that reads %s is none', (stored) => {
  localStorage.setItem('alignmerge.trainingPace', stored)
  expect(rememberedPace('x')).toBeNull()
})
