// The one store. Five slices by lifetime; actions are module functions in actions/, components read through
// selectors.ts and never write.

import { create } from 'zustand'
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

export const useStudio = create<StudioState>()(initialState)

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
