// What a sweep can run over: every number of the experiment that its merge depends on, each with its range, how it is
// read from an experiment and how an experiment with another value looks.

import type { Experiment } from '../../../workers/api.ts'
import type { NumberDeclaration } from '../../core/merge/declaration.ts'
import { mergeLambda, normaliseWeights } from '../experimentKey.ts'
import { findMethod, numberControl, ownParameters, parameterValue } from '../methods.ts'
import { numberParameters } from '../parameters.ts'
import type { ScaledRange } from '../scale.ts'

export interface SweepParameter {
  /** `lambdaAlign`, `rank`, `damping`, `antidote`, `weight.<expert>`, or `own.<declared id>` */
  id: string
  label: string
  /** as formulas have it; empty where there is none */
  symbol: string
  unit: string
  range: ScaledRange
  /** what a sweep over it starts with */
  start: { from: number; to: number; count: number }
  /** every point needs Fisher products and directions of its own: seconds, not milliseconds */
  isNewGeometry: boolean
  get: (experiment: Experiment) => number
  set: (experiment: Experiment, value: number) => Experiment
}

/** AlignMerge's curve over λ_align, which also stands behind other methods; without what comes after a merge. */
export function curveExperiment(experiment: Experiment): Experiment {
  return experiment.method === 'alignmerge'
    ? { ...experiment, antidote: 0 }
    : { ...experiment, method: 'alignmerge', parameters: {}, antidote: 0 }
}

/** Weights after expert `index` was set to `weight`: the others share the rest in the proportion they had. */
export function redistribute(weights: readonly number[], index: number, weight: number): number[] {
  if (weights.length === 1) return [1]
  const own = Math.min(1, Math.max(0, weight))
  const others = weights.reduce((sum, other, position) => (position === index ? sum : sum + other), 0)
  return weights.map((other, position) => {
    if (position === index) return own
    return others > 0 ? (other / others) * (1 - own) : (1 - own) / (weights.length - 1)
  })
}

/** The experiment with these weights, on the simplex. Nine digits: the same point reached two ways is one point. */
export function withWeights(experiment: Experiment, weights: readonly number[]): Experiment {
  const normal = normaliseWeights(weights).map((weight) => Number(weight.toFixed(9)))
  return {
    ...experiment,
    experts: experiment.experts.map((expert, index) => ({ ...expert, weight: normal[index] ?? 0 })),
  }
}

const weightsOf = (experiment: Experiment): number[] =>
  normaliseWeights(experiment.experts.map((expert) => expert.weight))

type ScalarId = 'rank' | 'damping' | 'antidote'

function scalar(id: ScalarId, count: number, isNewGeometry = false): SweepParameter {
  const { label, symbol, unit, ...range } = numberParameters[id]
  return {
    ...{ id, label, symbol, unit, range, isNewGeometry },
    start: { from: range.min, to: range.max, count },
    get: (experiment) => experiment[id],
    set: (experiment, value) => ({ ...experiment, [id]: value }),
  }
}

const lambdaAlign: SweepParameter = {
  id: 'lambdaAlign',
  label: numberParameters.lambdaAlign.label,
  symbol: numberParameters.lambdaAlign.symbol,
  unit: '',
  range: numberParameters.lambdaAlign,
  start: { from: numberParameters.lambdaAlign.min, to: numberParameters.lambdaAlign.max, count: 10 },
  isNewGeometry: false,
  get: mergeLambda,
  set: (experiment, value) => ({
    ...(experiment.method === 'alignmerge' ? experiment : curveExperiment(experiment)),
    lambdaAlign: value,
  }),
}

function weight(index: number, count: number): SweepParameter {
  const { label, unit, ...range } = numberParameters.weight
  return {
    id: `weight.${index}`,
    label: count > 1 ? `${label} ${index + 1}` : label,
    symbol: `λ${'₁₂₃₄₅₆₇₈'[index] ?? 'ₖ'}`,
    ...{ unit, range, isNewGeometry: false },
    start: { from: 0, to: 1, count: 5 },
    get: (experiment) => weightsOf(experiment)[index] ?? 0,
    set: (experiment, value) => withWeights(experiment, redistribute(weightsOf(experiment), index, value)),
  }
}

/** A wide range is shown about its default to begin with. */
function startOf(declared: NumberDeclaration, range: ScaledRange): SweepParameter['start'] {
  const isWide = range.scale.kind === 'linear' && range.max - range.min > 16
  const from = isWide && range.min < 0 ? 0 : range.min
  const to = isWide ? Math.min(range.max, from + 2 * (Math.abs(declared.default) || 1)) : range.max
  const whole = range.isInteger ? to - from + 1 : 5
  return { from, to, count: Math.min(5, whole) }
}

function own(declared: NumberDeclaration): SweepParameter {
  const { label, symbol, ...range } = numberControl(declared)
  return {
    ...{ id: `own.${declared.id}`, label, symbol, unit: '', range, isNewGeometry: false },
    start: startOf(declared, range),
    get: (experiment) => Number(parameterValue(experiment.parameters, declared)),
    set: (experiment, value) => ({
      ...experiment,
      parameters: { ...experiment.parameters, ...neededWith(experiment, declared.id), [declared.id]: value },
    }),
  }
}

/** λ_bud and the slack weigh a budget; without one they would sweep nothing. */
function neededWith(experiment: Experiment, id: string): Experiment['parameters'] {
  const isOfBudget = experiment.method === 'alignmerge' && (id === 'lambda_bud' || id === 'tolerance')
  return isOfBudget && (experiment.parameters.budget ?? 'none') === 'none' ? { budget: 'margin' } : {}
}

/** Everything that a sweep of this experiment can run over, most asked for first. */
export function sweepParameters(experiment: Experiment): SweepParameter[] {
  const declaration = findMethod(experiment.method)
  const isShielded = experiment.method === 'alignmerge'
  const count = experiment.experts.length
  const declared = declaration ? ownParameters(declaration) : []
  return [
    lambdaAlign,
    ...declared.flatMap((parameter) => (parameter.kind === 'number' ? [own(parameter)] : [])),
    ...(isShielded ? [scalar('rank', 6)] : []),
    ...(isShielded && experiment.metric === 'fisher' ? [scalar('damping', 7, true)] : []),
    ...(count > 1 ? experiment.experts.map((_, index) => weight(index, count)) : []),
    scalar('antidote', 6),
  ]
}

export function findSweepParameter(experiment: Experiment, id: string): SweepParameter | undefined {
  return sweepParameters(experiment).find((parameter) => parameter.id === id)
}
