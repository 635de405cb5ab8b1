// What the user asks for: one experiment. With the view it is all that a link carries.

import type { Experiment } from '../../../workers/api.ts'

export interface RecipeSlice {
  /** Null until the models are known, when no link names them. */
  experiment: Experiment | null
}

export const initialRecipe: RecipeSlice = { experiment: null }
