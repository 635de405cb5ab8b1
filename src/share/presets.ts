// Recipes worth beginning with, as changes of an experiment with the built-in models. Each shows one thing.

import type { Experiment } from '../../workers/api.ts'
import { builtIn, defaultMethod, equalParts, twoTasks } from './parameters.ts'

export interface Preset {
  id: string
  /** English; shown through t() */
  label: string
  brief: string
  change: Partial<Experiment>
}

const around = (ids: readonly string[]): Partial<Experiment> => ({
  anchor: builtIn('anchor'),
  experts: equalParts(ids.map(builtIn)),
})
const tasks = around(twoTasks)
const withUncensored = around(['task-sort', 'uncensored'])

export const presets: readonly Preset[] = [
  {
    id: 'tasks-shielded',
    label: 'Two tasks, shielded',
    brief: 'AlignMerge at λ_align 4: both skills, most refusals kept.',
    change: { ...tasks, method: defaultMethod, parameters: {}, lambdaAlign: 4, antidote: 0 },
  },
  {
    id: 'tasks-average',
    label: 'Two tasks, plain average',
    brief: 'The usual recipe: the skills stay, refusals go quietly.',
    change: { ...tasks, method: 'linear', parameters: {}, antidote: 0 },
  },
  {
    id: 'tasks-ties',
    label: 'Two tasks, TIES',
    brief: 'Trimmed and sign-elected task vectors; interference is mended, alignment is not asked for.',
    change: { ...tasks, method: 'ties', parameters: {}, antidote: 0 },
  },
  {
    id: 'uncensored-average',
    label: 'With an uncensored expert, plain average',
    brief: 'One expert complies with everything; so does the average.',
    change: { ...withUncensored, method: 'linear', parameters: {}, antidote: 0 },
  },
  {
    id: 'uncensored-budget',
    label: 'With an uncensored expert, margin budget',
    brief: 'AlignMerge with a budget on the refusal margin, three rounds.',
    change: {
      ...withUncensored,
      method: defaultMethod,
      parameters: { budget: 'margin', rounds: 3 },
      lambdaAlign: 4,
      antidote: 0,
    },
  },
  {
    id: 'aqi-misleads',
    label: 'Where AQI misleads',
    brief: 'A budget on the AQI of prompts is met, and the merge complies all the same.',
    change: {
      ...withUncensored,
      method: defaultMethod,
      parameters: { budget: 'aqi-prompts', rounds: 3 },
      lambdaAlign: 4,
      antidote: 0,
    },
  },
]
