// A sweep as data: over one parameter, over two, or over the weights of three experts. It says which points there
// are; what is measured at them is filed under each point's own experiment.

import type { Experiment } from '../../../workers/api.ts'
import { sweepGrid } from '../parameters.ts'
import { positionOf, valueAt } from '../scale.ts'
import { findSweepParameter, type SweepParameter, sweepParameters } from './parameters.ts'

export interface SweepAxis {
  /** id of a SweepParameter */
  parameter: string
  from: number
  to: number
  /** points, both ends counted */
  count: number
}

export type SweepSpec =
  | { kind: 'line'; x: SweepAxis }
  | { kind: 'grid'; x: SweepAxis; y: SweepAxis }
  /** all weights of three experts in steps of 1/steps */
  | { kind: 'weights'; steps: number }

export const sweepLimits = {
  line: { min: 2, max: 24 },
  grid: { min: 2, max: 12 },
  weights: { min: 2, max: 12 },
} as const

export function axisFor({ id, start }: SweepParameter, count = start.count): SweepAxis {
  return { parameter: id, from: start.from, to: start.to, count: Math.min(count, start.count) }
}

/** What the page begins with: the shield, over its whole range. */
export const defaultSweep: SweepSpec = {
  kind: 'line',
  x: { parameter: 'lambdaAlign', from: 0, to: 1024, count: sweepGrid.length },
}

/** Two weights on one sheet would be the triangle of the weights, and λ_align off AlignMerge another method. */
const mayShareGrid = (experiment: Experiment, first: string, second: string): boolean =>
  first !== second &&
  !(first.startsWith('weight.') && second.startsWith('weight.')) &&
  (experiment.method === 'alignmerge' || (first !== 'lambdaAlign' && second !== 'lambdaAlign'))

/** Parameters that may stand beside another one on a map. */
export function partnersOf(experiment: Experiment, first: string): SweepParameter[] {
  return sweepParameters(experiment).filter(({ id }) => mayShareGrid(experiment, first, id))
}

/** Parameters that a map can have as its first axis. */
export function gridParameters(experiment: Experiment): SweepParameter[] {
  return sweepParameters(experiment).filter(({ id }) => partnersOf(experiment, id).length > 0)
}

const gridCount = 5

/** A map to begin with: λ_align × λ_bud under AlignMerge, else the first two numbers of the method. */
export function defaultGrid(experiment: Experiment): SweepSpec {
  const [x] = gridParameters(experiment)
  if (!x) return defaultSweep
  const partners = partnersOf(experiment, x.id)
  const y = partners.find(({ id }) => id === 'own.lambda_bud') ?? partners[0]
  return y ? { kind: 'grid', x: axisFor(x, gridCount), y: axisFor(y, gridCount) } : defaultSweep
}

const isAxisFit = (experiment: Experiment, axis: SweepAxis): boolean => {
  const range = findSweepParameter(experiment, axis.parameter)?.range
  return range !== undefined && axis.from >= range.min && axis.to <= range.max && axis.from < axis.to
}

/** The sweep as this experiment can have it: one that names what its method has not becomes one that it has. */
export function fitSweep(spec: SweepSpec, experiment: Experiment): SweepSpec {
  switch (spec.kind) {
    case 'line':
      return isAxisFit(experiment, spec.x) ? spec : defaultSweep
    case 'grid': {
      const isFit =
        isAxisFit(experiment, spec.x) &&
        isAxisFit(experiment, spec.y) &&
        mayShareGrid(experiment, spec.x.parameter, spec.y.parameter)
      return isFit ? spec : defaultGrid(experiment)
    }
    case 'weights': {
      if (experiment.experts.length === 3) return spec
      const single = findSweepParameter(experiment, 'weight.0')
      return single ? { kind: 'line', x: axisFor(single) } : defaultSweep
    }
  }
}

/** The nearest power of two; round numbers are what people look for on an axis of decades. */
const powerOfTwo = (value: number): number => 2 ** Math.round(Math.log2(value))

/** Values along an axis, ascending, equally far apart on the parameter's own scale, both ends exact. */
export function axisValues(axis: SweepAxis, { id, range }: Pick<SweepParameter, 'id' | 'range'>): number[] {
  const { from, to, count } = axis
  const isWhole = from === range.min && to === range.max
  if (id === 'lambdaAlign' && isWhole && count === sweepGrid.length) return [...sweepGrid]
  const [low, high] = [positionOf(range, from), positionOf(range, to)]
  const between = Array.from({ length: Math.max(0, count - 2) }, (_, index) =>
    valueAt(range, low + ((index + 1) / (count - 1)) * (high - low)),
  )
  const isPositive = between.every((value) => value > 0)
  const rounded = range.scale.kind === 'offset-log' && isPositive ? between.map(powerOfTwo) : between
  const isDistinct = new Set([from, ...rounded, to]).size === rounded.length + 2
  const isInside = rounded.every((value) => value > from && value < to)
  const inner = isDistinct && isInside ? rounded : between
  return [...new Set([from, ...inner, to])].sort((a, b) => a - b)
}

/** True where two sweeps have the same points. */
export function isSameSweep(a: SweepSpec, b: SweepSpec): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
