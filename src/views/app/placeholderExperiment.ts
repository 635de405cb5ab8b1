import type { Experiment } from '../../../workers/api.ts'
import { choiceParameters, defaultMethod, numberParameters } from '../../share/parameters.ts'

/** Stands in while the models are being read, so that every control and axis has its place from the start. */
export const placeholderExperiment: Experiment = {
  method: defaultMethod,
  parameters: {},
  references: {},
  anchor: { kind: 'built-in', id: 'reading …' },
  experts: [
    { origin: { kind: 'built-in', id: 'reading … ' }, weight: 0.5 },
    { origin: { kind: 'built-in', id: 'reading …  ' }, weight: 0.5 },
  ],
  lambdaAlign: numberParameters.lambdaAlign.default,
  rank: numberParameters.rank.default,
  damping: numberParameters.damping.default,
  metric: choiceParameters.metric.default,
  source: choiceParameters.source.default,
  fisher: { labels: choiceParameters.labels.default, form: choiceParameters.form.default },
  antidote: 0,
  probesPerClass: numberParameters.probesPerClass.default,
  seed: numberParameters.seed.default,
}
