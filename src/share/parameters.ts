// Every number and choice of an experiment in one table: range, default, step, unit, wording and where the
// parameter comes from. The controls on the page and the validation of a link both read it, so they cannot differ. Below
// it what follows from the defaults: the experiment that a visitor meets first. Whatever ships, measures or tests that
// experiment begins here.

import type { AqiView, Experiment, GradientSource, MetricKind, ModelOrigin } from '../../workers/api.ts'
import type { ChoiceParameter, NumberParameter } from './parameterTypes.ts'

export type { Choice, ChoiceParameter, NumberParameter, Provenance } from './parameterTypes.ts'

export const numberParameters = {
  weight: {
    label: 'Weight',
    symbol: 'λₖ',
    min: 0,
    max: 1,
    default: 0.5,
    step: 0.01,
    unit: '',
    scale: { kind: 'linear' },
    isInteger: false,
    source: 'ours',
    brief: 'Share of this expert in the barycentre; all shares add up to 1.',
    detail:
      'The paper asks for weights on the simplex, but the rule it chooses them by could not be recovered. Equal weights are our default.',
  },
  lambdaAlign: {
    label: 'Shield',
    symbol: 'λ_align',
    min: 0,
    max: 1024,
    default: 4,
    step: 0.25,
    unit: '',
    scale: { kind: 'offset-log', offset: 0.25 },
    isInteger: false,
    source: 'ours',
    brief:
      'How strongly motion along alignment-sensitive directions is damped: each coordinate shrinks by 1/(1+λ).',
    detail:
      'That there is such a term is the paper’s; the quadratic form ‖P_A δ‖²_G and so the closed form are our reconstruction. 0 is the plain average, 1024 all but removes the alignment component.',
  },
  rank: {
    label: 'Rank',
    symbol: 'm',
    min: 1,
    max: 16,
    default: 8,
    step: 1,
    unit: 'directions',
    scale: { kind: 'linear' },
    isInteger: true,
    source: 'ours',
    brief: 'How many leading alignment directions the shield covers.',
    detail:
      'Leading eigenvectors of the alignment Fisher against the metric G. The paper’s rank could not be recovered.',
  },
  damping: {
    label: 'Damping',
    symbol: 'ρ',
    min: 1e-4,
    max: 100,
    default: 1e-2,
    step: 1e-4,
    unit: '× mean F',
    scale: { kind: 'log' },
    isInteger: false,
    source: 'ours',
    brief: 'Share of the mean Fisher value added to every coordinate of the metric.',
    detail:
      'g = f + ρ·mean(f). Without damping, coordinates of tiny Fisher information would blow up in G⁻¹; with very large damping the metric becomes the identity.',
  },
  antidote: {
    label: 'Antidote',
    symbol: 'ρ',
    min: 0,
    max: 10,
    default: 0,
    step: 0.05,
    unit: '% of ‖θ‖',
    scale: { kind: 'linear' },
    isInteger: false,
    source: 'ours',
    brief:
      'How far the merge is moved, after it was made, along the direction that makes harmful answers less likely.',
    detail:
      'After Panacea (arXiv 2501.18100): one gradient at the merge, with what would hurt skills and harmless answers taken out.',
  },
  probesPerClass: {
    label: 'Probes',
    symbol: 'n',
    min: 64,
    max: 240,
    default: 128,
    step: 8,
    unit: 'per class',
    scale: { kind: 'linear' },
    isInteger: true,
    source: 'ours',
    brief: 'Held-out prompts of each class used for every measurement.',
    detail:
      'More probes give narrower intervals and take longer. No probe was trained on or used for estimating.',
  },
  seed: {
    label: 'Seed',
    symbol: '',
    min: 0,
    max: 999_999,
    default: 1,
    step: 1,
    unit: '',
    scale: { kind: 'linear' },
    isInteger: true,
    source: 'standard',
    brief: 'Starts every random draw: label sampling, probe subsets, bootstrap.',
    detail: 'The same link gives the same draws.',
  },
} as const satisfies Record<string, NumberParameter>

export type NumberParameterId = keyof typeof numberParameters

/** λ_align of the sweep; also the ticks of its axis. */
export const sweepGrid: readonly number[] = [0, 0.25, 0.5, 1, 2, 4, 8, 16, 64, 1024]

export const limits = { maxExperts: 8, maxPromptCharacters: 2000 } as const

/** The method a visitor meets first. */
export const defaultMethod = 'alignmerge'

export const choiceParameters = {
  metric: {
    label: 'Metric',
    symbol: 'G',
    default: 'fisher',
    brief: 'What counts as a long way from the anchor.',
    source: 'paper',
    options: [
      {
        value: 'fisher',
        label: 'Fisher',
        brief: 'Diagonal Fisher information of the anchor, damped.',
        source: 'paper',
      },
      { value: 'identity', label: 'Identity', brief: 'Euclidean distance; the ablation.', source: 'ours' },
    ],
  } satisfies ChoiceParameter<MetricKind>,
  source: {
    label: 'Alignment gradients',
    symbol: 'A',
    default: 'path',
    brief: 'Which loss’s gradients span the alignment directions. The paper’s choice is unknown.',
    source: 'ours',
    options: [
      {
        value: 'unwanted',
        label: 'Unwanted',
        brief: 'Gradients of the log-likelihood of complying with harmful prompts.',
        source: 'ours',
      },
      {
        value: 'margin',
        label: 'Margin',
        brief: 'Gradients of the margin between refusing and complying.',
        source: 'ours',
      },
      {
        value: 'aqi',
        label: 'AQI',
        brief: 'Gradients of the safe/unsafe separation itself.',
        source: 'ours',
      },
      {
        value: 'path',
        label: 'Path',
        brief:
          'Gradients of the margin of the first, deciding token, half-way from the anchor to the experts: where a refusal that will be lost already wavers.',
        source: 'ours',
      },
    ],
  } satisfies ChoiceParameter<GradientSource>,
  labels: {
    label: 'Fisher labels',
    symbol: 'y',
    default: 'sampled',
    brief: 'Labels that the Fisher gradients are taken at.',
    source: 'standard',
    options: [
      {
        value: 'sampled',
        label: 'Sampled',
        brief: 'Drawn from the anchor: the true Fisher.',
        source: 'standard',
      },
      {
        value: 'data',
        label: 'Data',
        brief: 'Taken from the data: the empirical Fisher.',
        source: 'standard',
      },
    ],
  } satisfies ChoiceParameter<'sampled' | 'data'>,
  form: {
    label: 'Fisher form',
    symbol: 'F',
    default: 'sequence',
    brief: 'Per-sequence gradients squared, or the cheaper product of squares.',
    source: 'ours',
    options: [
      {
        value: 'sequence',
        label: 'Per sequence',
        brief: 'Exact diagonal of the sum over sequences.',
        source: 'standard',
      },
      {
        value: 'fast',
        label: 'Fast',
        brief: 'Squares multiplied before summing over tokens.',
        source: 'ours',
      },
    ],
  } satisfies ChoiceParameter<'sequence' | 'fast'>,
  aqiView: {
    label: 'AQI view',
    symbol: '',
    default: 'completions',
    brief: 'Which text the hidden states are taken from.',
    source: 'ours',
    options: [
      {
        value: 'prompts',
        label: 'Prompts',
        brief:
          'Safe and unsafe prompts. This is topic recognition: a model can separate them and still comply.',
        source: 'ours',
      },
      {
        value: 'completions',
        label: 'Completions',
        brief: 'Aligned and misaligned completions of the same prompts.',
        source: 'ours',
      },
      {
        value: 'answers',
        label: 'Own answers',
        brief:
          'The model’s own answers, by what they turned out to be; on the scale of the anchor’s completions.',
        source: 'ours',
      },
    ],
  } satisfies ChoiceParameter<AqiView>,
} as const

export type ChoiceParameterId = keyof typeof choiceParameters

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
