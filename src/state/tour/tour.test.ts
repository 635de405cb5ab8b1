// @vitest-environment happy-dom
// The tour on a studio whose engine makes its numbers up: what it puts on the page, what it sees, what it gives back.
import { describe, expect, it } from 'vitest'
import { lessons, tourSteps } from '../../help/index.ts'
import { setNumber, setParameter } from '../actions/recipe.ts'
import { setAqiView, setPrompt } from '../actions/view.ts'
import { undo } from '../history.ts'
import { moveExpert, setToy } from '../learn/actions.ts'
import { initialLearn, useLearn } from '../learn/store.ts'
import { selectMeasurement } from '../selectors.ts'
import { readState, useStudio } from '../store.ts'
import { begin, experiment, resetStudio, settle } from '../testing/freshStudio.ts'
import {
  doTask,
  goToStep,
  leaveTour,
  loadTour,
  markDone,
  moveStep,
  resetTour,
  restoreOwn,
  startTour,
} from './actions.ts'
import { asStepBegan, isTaskDone, quote, type Seen } from './observe.ts'
import { initialTour, useTour } from './store.ts'

resetStudio()

const seen = (): Seen => {
  const { recipe, view, models, runs } = useStudio.getState()
  return { studio: { recipe, view, models, runs }, learn: useLearn.getState(), tour: useTour.getState() }
}
const step = (id: string) => tourSteps.find((one) => one.id === id)!

async function open(): Promise<void> {
  useTour.setState(initialTour(), true)
  useLearn.setState(initialLearn(), true)
  localStorage.removeItem('alignmerge-tour')
  begin()
  await settle()
  setNumber('lambdaAlign', 2)
  setNumber('rank', 5)
  setAqiView('prompts')
  await settle()
}

describe('the reader’s own work', () => {
  it('comes back with a prompt that was typed, which no link carries', async () => {
    await open()
    setPrompt('is this my own question?')
    startTour()
    leaveTour()
    expect(readState().view.prompt).toBe('is this my own question?')
  })

  it('comes back on leaving, from any step', async () => {
    await open()
    const own = experiment()
    for (const { id } of tourSteps) {
      startTour()
      goToStep(id)
      expect(useTour.getState().isOpen).toBe(true)
      leaveTour()
      expect(experiment()).toEqual(own)
      expect(readState().view.aqiView).toBe('prompts')
      expect(useTour.getState()).toMatchObject({ isOpen: false, saved: null })
    }
  })

  it('stays away when the tour’s recipe is kept', async () => {
    await open()
    goToStep('price')
    leaveTour(false)
    expect(experiment()).toEqual(lessons.budget)
  })

  it('comes back after the page was closed on the way', async () => {
    await open()
    const own = experiment()
    goToStep('uncensored')
    moveStep(1)
    // A new page: nothing is left but what was stored.
    useTour.setState(initialTour(), true)
    loadTour()
    expect(useTour.getState()).toMatchObject({ isOpen: false, step: 'fall', read: ['uncensored', 'fall'] })
    restoreOwn()
    expect(experiment()).toEqual(own)
    startTour()
    expect(useTour.getState().step).toBe('fall')
    leaveTour()
    expect(experiment()).toEqual(own)
  })

  it('is not taken from a tour that goes on', async () => {
    await open()
    const own = experiment()
    goToStep('uncensored')
    setNumber('lambdaAlign', 9)
    goToStep('price')
    leaveTour()
    expect(experiment()).toEqual(own)
  })
})

describe('steps', () => {
  it('put their lesson, their view and their page on screen, back and forth', async () => {
    await open()
    for (const { id, set, page } of [...tourSteps, ...[...tourSteps].reverse()]) {
      goToStep(id)
      expect(readState().view.page).toBe(page)
      if (set.lesson)
        expect(experiment()).toEqual({
          ...lessons[set.lesson],
          ...(set.lambdaAlign !== undefined && { lambdaAlign: set.lambdaAlign }),
        })
      if (set.aqiView) expect(readState().view.aqiView).toBe(set.aqiView)
    }
  })

  it.each(tourSteps.filter(({ task }) => task).map(({ id }) => [id]))(
    '%s: not done at first, done by the page when asked',
    async (id) => {
      await open()
      goToStep(id)
      const { task } = step(id)
      expect(isTaskDone(task!.checks, seen())).toBe(false)
      doTask()
      expect(isTaskDone(task!.checks, seen())).toBe(true)
    },
  )

  it('see what the reader does', async () => {
    await open()
    goToStep('ask')
    const checks = step('ask').task!.checks
    setParameter('budget', 'margin')
    expect(isTaskDone(checks, seen())).toBe(false)
    setParameter('rounds', 3)
    expect(isTaskDone(checks, seen())).toBe(true)
    expect(experiment()).toEqual(lessons.budget)
    goToStep('means')
    moveExpert(0, { x: 1, y: 1 })
    expect(isTaskDone(step('means').task!.checks, seen())).toBe(true)
    goToStep('slide')
    setToy({ lambdaAlign: 16 })
    expect(isTaskDone(step('slide').task!.checks, seen())).toBe(true)
  })

  it('can be undone like anything else', async () => {
    await open()
    goToStep('fall')
    await settle(1000)
    doTask()
    expect(experiment().lambdaAlign).toBe(0)
    undo()
    expect(experiment().lambdaAlign).not.toBe(0)
    leaveTour()
  })

  it('remember what was read and done, and forget it when asked', async () => {
    await open()
    goToStep('fall')
    markDone('fall')
    leaveTour()
    useTour.setState(initialTour(), true)
    loadTour()
    expect(useTour.getState()).toMatchObject({ step: 'fall', read: ['fall'], done: ['fall'] })
    resetTour()
    loadTour()
    expect(useTour.getState().read).toEqual([])
  })

  it.each(['not json', '7', '{"step":"none","read":[3,"fall","x"],"done":"fall"}'])(
    'take no harm from %s in storage',
    async (stored) => {
      await open()
      localStorage.setItem('alignmerge-tour', stored)
      loadTour()
      expect(['', undefined]).toContain(useTour.getState().step)
      expect(useTour.getState().done).toEqual([])
    },
  )
})

describe('quoted numbers', () => {
  it('stay those of the step as it began when the reader moves on', async () => {
    await open()
    goToStep('fall')
    await settle(60_000)
    const before = quote('refusal_merge', asStepBegan(seen(), step('fall').set))
    doTask()
    await settle(60_000)
    expect(quote('refusal_merge', asStepBegan(seen(), step('fall').set))).toEqual(before)
    expect(quote('refusal_merge', seen())).not.toEqual(before)
  })

  it('are the page’s own, and waited for until they are there', async () => {
    await open()
    goToStep('uncensored')
    expect(quote('refusal_merge', seen())).toEqual({ kind: 'waiting' })
    await settle(60_000)
    for (const name of [
      'refusal_merge',
      'refusal_second',
      'sort_merge',
      'aqi_merge',
      'drift_average',
    ] as const)
      expect(quote(name, seen()), name).toMatchObject({ kind: 'value' })
    const { runs, models } = readState()
    const anchor = models.list.find(({ role }) => role === 'anchor')!
    const own = selectMeasurement(runs.measurements, experiment(), { kind: 'model', id: anchor.id })!
    const { refusal } = own.behaviour
    expect(quote('refusal_anchor', seen())).toEqual({
      kind: 'value',
      value: refusal && 'value' in refusal ? refusal.value : null,
    })
  })
})
