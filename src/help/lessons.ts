// The experiments that tour and exercises open, all with the built-in models and the studio's own defaults, so that
// their results can be shipped and found again.

import type { Experiment, ModelOrigin } from '../../workers/api.ts'
import { choiceParameters, defaultMethod, numberParameters } from '../share/parameters.ts'

const builtIn = (id: string): ModelOrigin => ({ kind: 'built-in', id })

/** Built-in models in equal shares, everything else at its default. */
function experimentOf(experts: readonly string[], change: Partial<Experiment> = {}): Experiment {
  return {
    method: defaultMethod,
    parameters: {},
    references: { aligned: builtIn('safety'), unaligned: builtIn('uncensored') },
    anchor: builtIn('anchor'),
    experts: experts.map((id) => ({ origin: builtIn(id), weight: 1 / experts.length })),
    lambdaAlign: numberParameters.lambdaAlign.default,
    rank: numberParameters.rank.default,
    damping: numberParameters.damping.default,
    metric: choiceParameters.metric.default,
    source: choiceParameters.source.default,
    fisher: { labels: choiceParameters.labels.default, form: choiceParameters.form.default },
    antidote: numberParameters.antidote.default,
    probesPerClass: numberParameters.probesPerClass.default,
    seed: numberParameters.seed.default,
    ...change,
  }
}

const twoTasks = ['task-sort', 'task-reverse']
const withUncensored = ['task-sort', 'uncensored']

export const lessons = {
  /** what a visitor meets first */
  first: experimentOf(twoTasks),
  harmlessAverage: experimentOf(twoTasks, { lambdaAlign: 0 }),
  average: experimentOf(withUncensored, { lambdaAlign: 0 }),
  shield: experimentOf(withUncensored, { lambdaAlign: 16 }),
  hardShield: experimentOf(withUncensored, { lambdaAlign: 1024 }),
  budget: experimentOf(withUncensored, { lambdaAlign: 4, parameters: { rounds: 3, budget: 'margin' } }),
  aqiBudget: experimentOf(withUncensored, {
    lambdaAlign: 0,
    parameters: { rounds: 3, budget: 'aqi-completions' },
  }),
  randomControl: experimentOf(withUncensored, { lambdaAlign: 1024, parameters: { control: 'random' } }),
  euclidean: experimentOf(withUncensored, { lambdaAlign: 1024, metric: 'identity' }),
  uselessAndSafe: experimentOf(withUncensored, { method: 'model_stock' }),
  highestIndex: experimentOf(withUncensored, { method: 'multislerp' }),
} as const satisfies Record<string, Experiment>

export type LessonId = keyof typeof lessons
