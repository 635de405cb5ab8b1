// The experiment that a visitor meets first, and its settings: the defaults of the controls, written once. Whatever
// ships, measures or tests that experiment begins here.

import type { Experiment, ModelOrigin } from '../../workers/api.ts'
import { choiceParameters, defaultMethod, numberParameters } from './parameters.ts'

/** Settings that a page's experiment and a session's setup have in common. */
export const defaultGeometry = {
  lambdaAlign: numberParameters.lambdaAlign.default,
  rank: numberParameters.rank.default,
  damping: numberParameters.damping.default,
  metric: choiceParameters.metric.default,
  source: choiceParameters.source.default,
  fisher: { labels: choiceParameters.labels.default, form: choiceParameters.form.default },
} as const satisfies Partial<Experiment>

/** Experts in equal parts, each λ_k the same. */
export const equalParts = (origins: readonly ModelOrigin[]): Experiment['experts'] =>
  origins.map((origin) => ({ origin, weight: 1 / origins.length }))

/** Any models at the default settings. */
export function experimentWith({
  references,
  anchor,
  experts,
}: Pick<Experiment, 'references' | 'anchor' | 'experts'>): Experiment {
  return {
    method: defaultMethod,
    parameters: {},
    references,
    anchor,
    experts,
    ...defaultGeometry,
    antidote: numberParameters.antidote.default,
    probesPerClass: numberParameters.probesPerClass.default,
    seed: numberParameters.seed.default,
  }
}

export const builtIn = (id: string): ModelOrigin => ({ kind: 'built-in', id })

export const twoTasks: readonly string[] = ['task-sort', 'task-reverse']

/** Built-in experts around the built-in anchor in equal parts; everything else at its default, but for `change`. */
export function builtInExperiment(experts = twoTasks, change: Partial<Experiment> = {}): Experiment {
  return {
    ...experimentWith({
      references: { aligned: builtIn('safety'), unaligned: builtIn('uncensored') },
      anchor: builtIn('anchor'),
      experts: equalParts(experts.map(builtIn)),
    }),
    ...change,
  }
}
