// The experiments that tour and exercises open, all with the built-in models and the studio's own defaults, so that
// their results can be shipped and found again.

import type { Experiment } from '../../workers/api.ts'
import { builtInExperiment, twoTasks } from '../share/parameters.ts'

const withUncensored = ['task-sort', 'uncensored']

export const lessons = {
  /** what a visitor meets first */
  first: builtInExperiment(),
  harmlessAverage: builtInExperiment(twoTasks, { lambdaAlign: 0 }),
  average: builtInExperiment(withUncensored, { lambdaAlign: 0 }),
  shield: builtInExperiment(withUncensored, { lambdaAlign: 16 }),
  hardShield: builtInExperiment(withUncensored, { lambdaAlign: 1024 }),
  budget: builtInExperiment(withUncensored, { lambdaAlign: 4, parameters: { rounds: 3, budget: 'margin' } }),
  aqiBudget: builtInExperiment(withUncensored, {
    lambdaAlign: 0,
    parameters: { rounds: 3, budget: 'aqi-completions' },
  }),
  randomControl: builtInExperiment(withUncensored, { lambdaAlign: 1024, parameters: { control: 'random' } }),
  euclidean: builtInExperiment(withUncensored, { lambdaAlign: 1024, metric: 'identity' }),
  uselessAndSafe: builtInExperiment(withUncensored, { method: 'model_stock' }),
  highestIndex: builtInExperiment(withUncensored, { method: 'multislerp' }),
} as const satisfies Record<string, Experiment>

export type LessonId = keyof typeof lessons
