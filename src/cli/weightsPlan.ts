// What `npm run weights` searches: combinations of the built-in models, ways to choose weights, α factors.

import { EngineError } from '../core/errors.ts'
import type { MergeMode } from '../core/optimise/genome.ts'
import type { SearchKind } from '../core/optimise/searchWeights.ts'
import type { ZooIndex, ZooModel } from './resultsPlan.ts'

/** w_align / w_task of the evolution: the paper's least, middle and largest. */
export const ALPHAS = [1, 8, 32] as const
/** Of the gradient search, which costs little: all of the paper's, and one below. */
export const GRADIENT_ALPHAS = [0.25, 1, 4, 8, 16, 32] as const
/** α of the modes beside task arithmetic. */
export const MODE_ALPHA = 8
export const EVALUATIONS = 100
export const PASSES = 10
/** Pairs of safety and of each expert. */
export const PAIRS_PER_KIND = 24

export interface WeightCombination {
  id: string
  title: string
  experts: ZooModel[]
  /** also searched in every other mode */ hasModes?: true
}

/** One row of a combination's table. */
export interface WeightRecipe {
  label: string
  search: SearchKind
  mode: MergeMode
  /** layers that share weights; absent: all */ layersPerGroup?: number
  alpha: number
  evaluations: number
  temperature?: number
}

export function weightCombinations({ models }: ZooIndex): WeightCombination[] {
  const of = (role: string, count = 1) => {
    const found = models.filter((model) => model.role === role).slice(0, count)
    if (found.length === count) return found
    throw new EngineError(
      'request-invalid',
      `the zoo has ${found.length} models of role ${role}, not ${count}`,
    )
  }
  const tasks = of('task', 2)
  return [
    {
      id: 'uncensored',
      title: 'Task expert and uncensored expert',
      experts: [tasks[0], ...of('uncensored')],
      hasModes: true,
    },
    { id: 'tasks', title: 'Two task experts', experts: tasks },
    { id: 'safety', title: 'Safety expert and two task experts', experts: [...of('safety'), ...tasks] },
  ]
}

/** Weights are chosen for each layer, as in the paper, where a search has no smaller choice of its own. */
export function weightRecipes({ hasModes }: WeightCombination): WeightRecipe[] {
  const base = { mode: 'task_arithmetic', alpha: 1, evaluations: 2 } as const
  const searched = { ...base, layersPerGroup: 1 }
  const modes: MergeMode[] = ['linear', 'slerp', 'ties', 'dare_ties']
  return [
    { ...base, label: 'uniform', search: 'uniform' },
    { ...base, label: 'LM-Cocktail, T 5', search: 'cocktail', temperature: 5 },
    { ...base, label: 'LM-Cocktail, T 1', search: 'cocktail', temperature: 1 },
    ...ALPHAS.map(
      (alpha): WeightRecipe => ({
        ...searched,
        label: `EvoMM, α ${alpha}`,
        search: 'evolution',
        alpha,
        evaluations: EVALUATIONS,
      }),
    ),
    ...GRADIENT_ALPHAS.map(
      (alpha): WeightRecipe => ({
        ...searched,
        label: `gradient, α ${alpha}`,
        search: 'gradient',
        alpha,
        evaluations: PASSES,
      }),
    ),
    ...(hasModes ? modes : []).map(
      (mode): WeightRecipe => ({
        ...searched,
        label: `EvoMM, ${mode.replace('_', ' ')}, α ${MODE_ALPHA}`,
        search: 'evolution',
        mode,
        alpha: MODE_ALPHA,
        evaluations: EVALUATIONS,
      }),
    ),
  ]
}
