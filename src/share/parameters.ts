// Every number and choice of an experiment in one table: range, default, step, unit, wording and where the
// parameter comes from. The controls on the page and the validation of a link both read it, so they cannot differ.

import type { AqiView, GradientSource, MetricKind } from '../../workers/api.ts'
import type { Scale } from './scale.ts'

/** Where a parameter's meaning comes from: the paper, common practice, or our reconstruction. */
export type Provenance = 'paper' | 'standard' | 'ours'

export interface NumberParameter {
  label: string
  /** The symbol used in formulas and on axes. */
  symbol: string
  min: number
  max: number
  default: number
  /** Step of the number input and of an arrow key on linear scales. */
  step: number
  unit: string
  scale: Scale
  isInteger: boolean
  source: Provenance
  /** One line under the control. */
  brief: string
  /** A little more, behind "details". */
  detail: string
}

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

export interface Choice<T extends string> {
  value: T
  label: string
  brief: string
  source: Provenance
}

export interface ChoiceParameter<T extends string> {
  label: string
  symbol: string
  default: T
  brief: string
  source: Provenance
  options: readonly Choice<T>[]
}

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
