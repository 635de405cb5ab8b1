// The one store. Five slices by lifetime; actions are module functions in actions/, components read through
// selectors.ts and never write.

import { temporal } from 'zundo'
import { create } from 'zustand'
import type { Experiment } from '../../workers/api.ts'
import { initialLibrary, type LibrarySlice } from './slices/library.ts'
import { initialModels, type ModelsSlice } from './slices/models.ts'
import { initialRecipe, type RecipeSlice } from './slices/recipe.ts'
import { initialRuns, type RunsSlice } from './slices/runs.ts'
import { initialView, type ViewSlice } from './slices/view.ts'

export interface StudioState {
  models: ModelsSlice
  recipe: RecipeSlice
  runs: RunsSlice
  view: ViewSlice
  library: LibrarySlice
}

export const initialState = (): StudioState => ({
  models: initialModels,
  recipe: initialRecipe,
  runs: initialRuns,
  view: initialView,
  library: initialLibrary,
})

/** What undo brings back; see history.ts. */
export type Kept = Pick<StudioState, 'recipe' | 'view'>

/** Changes that follow one another faster than this are one step: a slider that is being dragged. */
const stepMs = 600

/** How the experiment is looked at, as far as that is a setting. */
const looks = (view: ViewSlice): string => JSON.stringify([view.aqiView, view.asTable, view.labeller])

export const useStudio = create<StudioState>()(
  temporal(initialState, {
    partialize: ({ recipe, view }): Kept => ({ recipe, view }),
    equality: (before, now) =>
      before.recipe.experiment === null ||
      (before.recipe.experiment === now.recipe.experiment && looks(before.view) === looks(now.view)),
    handleSet: (record) => {
      const keep = record as (before: Kept, replace: never, now: Kept) => void
      let last = Number.NEGATIVE_INFINITY
      let left: Experiment | null = null
      const coalesce = (before: Kept, replace: never, now: Kept) => {
        const time = performance.now()
        // Only the state before the first change of a burst is worth going back to.
        if (time - last > stepMs || before.recipe.experiment !== left) keep(before, replace, now)
        last = time
        left = now.recipe.experiment
      }
      return coalesce as unknown as typeof record
    },
    limit: 200,
  }),
)

export const readState = (): StudioState => useStudio.getState()

/** Changes some fields of a slice in the latest state. */
export function update<K extends keyof StudioState>(
  slice: K,
  change: Partial<StudioState[K]> | ((current: StudioState[K]) => Partial<StudioState[K]>),
): void {
  useStudio.setState((state) => ({
    [slice]: { ...state[slice], ...(typeof change === 'function' ? change(state[slice]) : change) },
  }))
}
