// Undo and redo of every setting. What is kept is the experiment and how it is looked at; results are not: they are
// keyed by the experiment and come back with it. A drag of a slider is one step.

import { useStore } from 'zustand'
import type { Experiment } from '../../workers/api.ts'
import { t } from '../language/translate.ts'
import { announce } from './actions/errors.ts'
import { recipeChanged } from './actions/runner.ts'
import { describeChange } from './changes.ts'
import { type Kept, readState, update, useStudio } from './store.ts'

const history = useStudio.temporal

export interface Step {
  /** in words, or null when there is none */
  undo: string | null
  redo: string | null
}

const wordsOf = (before: Experiment | null | undefined, after: Experiment | null | undefined): string =>
  before && after ? describeChange(before, after) : t('the experiment')

/** What undo and redo would do now. */
export function nextSteps(): Step {
  const { pastStates, futureStates } = history.getState()
  const now = readState().recipe.experiment
  const past = pastStates.at(-1) as Partial<Kept> | undefined
  const future = futureStates.at(-1) as Partial<Kept> | undefined
  return {
    undo: past ? wordsOf(past.recipe?.experiment, now) : null,
    redo: future ? wordsOf(now, future.recipe?.experiment) : null,
  }
}

/** The same, kept up to date while a component shows it. */
export function useSteps(): Step {
  // Read for the sake of being drawn again: the words follow from all three.
  useStore(history, (state) => state.pastStates)
  useStore(history, (state) => state.futureStates)
  useStudio((state) => state.recipe.experiment)
  return nextSteps()
}

function step(direction: 'undo' | 'redo'): void {
  const words = nextSteps()[direction]
  if (words === null) return
  // Theme and typed text are not settings of the experiment and stay as they are.
  const { theme, prompt } = readState().view
  history.getState()[direction]()
  update('view', { theme, prompt })
  recipeChanged()
  announce(direction === 'undo' ? t('Undone: {words}', { words }) : t('Done again: {words}', { words }))
}

export const undo = (): void => step('undo')
export const redo = (): void => step('redo')

/** Begins anew: after a link has been opened, say. */
export const forgetHistory = (): void => history.getState().clear()
