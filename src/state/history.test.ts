// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { placeholderExperiment } from '../views/app/placeholderExperiment.ts'
import { setChoice, setMethod, setNumber, setWeight } from './actions/recipe.ts'
import { setPrompt, setTheme } from './actions/view.ts'
import { describeChange } from './changes.ts'
import { forgetHistory, nextSteps, redo, undo } from './history.ts'
import { initialState, readState, update, useStudio } from './store.ts'

const experiment = () => readState().recipe.experiment!

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
  localStorage.clear()
  useStudio.setState(initialState(), true)
  update('recipe', { experiment: placeholderExperiment })
  forgetHistory()
  vi.advanceTimersByTime(10_000)
})

/** Long enough for the next change to be a step of its own. */
const wait = () => vi.advanceTimersByTime(1000)

describe('undo and redo', () => {
  it('go back and forth over settings, one by one', () => {
    setNumber('lambdaAlign', 16)
    wait()
    setMethod('linear')
    wait()
    setChoice('metric', 'identity')
    wait()
    undo()
    expect([experiment().metric, experiment().method]).toEqual(['fisher', 'linear'])
    undo()
    expect([experiment().method, experiment().lambdaAlign]).toEqual(['alignmerge', 16])
    undo()
    expect(experiment()).toEqual(placeholderExperiment)
    expect(nextSteps().undo).toBeNull()
    undo()
    redo()
    redo()
    redo()
    expect([experiment().metric, experiment().method, experiment().lambdaAlign]).toEqual([
      'identity',
      'linear',
      16,
    ])
    expect(nextSteps().redo).toBeNull()
  })

  it('take a drag as one step', () => {
    const before = experiment().lambdaAlign
    for (let lambda = 5; lambda < 60; lambda++) {
      setNumber('lambdaAlign', lambda)
      vi.advanceTimersByTime(16)
    }
    undo()
    expect(experiment().lambdaAlign).toBe(before)
    redo()
    expect(experiment().lambdaAlign).toBe(59)
  })

  it('keep a change that follows an undo at once', () => {
    setNumber('rank', 3)
    undo()
    setNumber('rank', 5)
    undo()
    expect(experiment().rank).toBe(placeholderExperiment.rank)
    expect(nextSteps().redo).toMatch(/5$/)
  })

  it('leave colours and typed text alone', () => {
    setNumber('rank', 3)
    setTheme('dark')
    setPrompt('a thought')
    undo()
    expect([readState().view.theme, readState().view.prompt]).toEqual(['dark', 'a thought'])
  })

  it('say what they would do', () => {
    setNumber('lambdaAlign', 16)
    expect(nextSteps().undo).toBe(`Shield ${placeholderExperiment.lambdaAlign} → 16`)
    undo()
    expect(nextSteps().redo).toBe(`Shield ${placeholderExperiment.lambdaAlign} → 16`)
  })
})

describe('a change in words', () => {
  it('names one, two and many', () => {
    const other = { ...placeholderExperiment, rank: 3 }
    expect(describeChange(placeholderExperiment, other)).toBe(`Rank ${placeholderExperiment.rank} → 3`)
    expect(describeChange(placeholderExperiment, { ...other, seed: 7 })).toContain(', Seed 1 → 7')
    expect(describeChange(placeholderExperiment, { ...other, seed: 7, damping: 1 })).toMatch(/and 2 more$/)
    expect(describeChange(placeholderExperiment, placeholderExperiment)).toBe('how it is looked at')
  })

  it('words choices and switches as the page does', () => {
    const before = experiment()
    const after = { ...before, metric: 'identity', source: 'aqi' } as const
    expect(describeChange(before, after)).toBe('Metric Fisher → Identity, Alignment gradients Path → AQI')
    const ties = { ...before, method: 'ties' }
    expect(describeChange(ties, { ...ties, parameters: { normalize: false } })).toMatch(/default → off$/)
  })

  it('names weights by their expert', () => {
    const before = experiment()
    setWeight(0, 0.75)
    expect(describeChange(before, experiment())).toBe('λ1 0.5 → 0.75, λ2 0.5 → 0.25')
  })
})
