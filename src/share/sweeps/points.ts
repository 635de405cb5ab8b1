// The points of a sweep: each an experiment of its own, with its place in the picture, and the order in which they
// are measured so that the picture is there early and then sharpens.

import type { Experiment } from '../../../workers/api.ts'
import { mergeKey, normaliseWeights } from '../experimentKey.ts'
import { positionOf, type ScaledRange } from '../scale.ts'
import { curveExperiment, findSweepParameter, type SweepParameter, withWeights } from './parameters.ts'
import { axisValues, defaultSweep, isSameSweep, type SweepAxis, type SweepSpec } from './spec.ts'
import { latticeWeights, trianglePlace } from './triangle.ts'

export interface SweepPoint {
  /** values along the axes, or the weights */
  values: readonly number[]
  /** place in the picture, 0 … 1 each; a line has y 0 */
  x: number
  y: number
  experiment: Experiment
}

/** A sweep that fits an experiment, with the parameters of its axes. */
export interface SweepSheet {
  spec: SweepSpec
  /** one, two, or none for weights */
  parameters: readonly SweepParameter[]
  /** values along each axis; for weights empty */
  values: readonly (readonly number[])[]
  points: readonly SweepPoint[]
  /** indices of points in the order of measuring */
  order: readonly number[]
}

/** The experiment at some place of the sheet. Along λ_align alone it is a point of AlignMerge's plain curve. */
export function experimentAt(
  spec: SweepSpec,
  parameters: readonly SweepParameter[],
  experiment: Experiment,
  values: readonly number[],
): Experiment {
  if (spec.kind === 'weights') return withWeights(experiment, values)
  const base =
    spec.kind === 'line' && spec.x.parameter === 'lambdaAlign' ? curveExperiment(experiment) : experiment
  return parameters.reduce((made, parameter, index) => parameter.set(made, values[index]!), base)
}

/** Where an experiment would stand on a sheet: its own values of the swept parameters. */
export function valuesOf(
  spec: SweepSpec,
  parameters: readonly SweepParameter[],
  experiment: Experiment,
): number[] {
  if (spec.kind === 'weights') return normaliseWeights(experiment.experts.map((expert) => expert.weight))
  return parameters.map((parameter) => parameter.get(experiment))
}

/** True where an experiment differs from another in nothing but what the sheet sweeps. */
export function isOnSheet(sheet: SweepSheet, base: Experiment, experiment: Experiment): boolean {
  const { spec, parameters } = sheet
  const values = valuesOf(spec, parameters, experiment)
  return mergeKey(experimentAt(spec, parameters, base, values)) === mergeKey(experiment)
}

/** Place of a value between the values of an axis, 0 … 1, where neighbours are equally far apart. */
export function axisPlace({ range }: SweepParameter, values: readonly number[], value: number): number {
  const last = values.length - 1
  if (last < 1) return 0
  const next = values.findIndex((candidate) => candidate >= value)
  if (next === 0) return 0
  if (next === -1) return 1
  const [low, high] = [positionOf(range, values[next - 1]!), positionOf(range, values[next]!)]
  return (next - 1 + (positionOf(range, value) - low) / (high - low)) / last
}

/**
 * Order of measuring: the first point, then always the one farthest from all that come before it, so that any number
 * of them covers the whole. Ties go to the earlier one. Gonzalez 1985.
 */
export function coarseToFine(places: readonly { x: number; y: number }[]): number[] {
  const away = places.map(() => Number.POSITIVE_INFINITY)
  const order: number[] = []
  let next = 0
  while (order.length < places.length) {
    order.push(next)
    const from = places[next]!
    away[next] = -1
    let farthest = -1
    places.forEach((place, index) => {
      if (away[index]! < 0) return
      // Rounded, or equal distances would differ in their last bit and the order with them.
      const distance = Math.round(1e9 * Math.hypot(place.x - from.x, place.y - from.y))
      away[index] = Math.min(away[index]!, distance)
      if (farthest < 0 || away[index]! > away[farthest]!) farthest = index
    })
    next = farthest
  }
  return order
}

/** Of the sweep that the page begins with: no shield, a strong one, then ever finer between. */
export const defaultOrder: readonly number[] = [0, 16, 1, 64, 4, 0.25, 1024, 2, 8, 0.5]

function pointsOf(spec: SweepSpec, parameters: readonly SweepParameter[], experiment: Experiment) {
  const at = (values: readonly number[], x: number, y: number): SweepPoint => ({
    ...{ values, x, y },
    experiment: experimentAt(spec, parameters, experiment, values),
  })
  if (spec.kind === 'weights') {
    const points = latticeWeights(spec.steps).map((weights) => {
      const { x, y } = trianglePlace(weights)
      return at(weights, x, y)
    })
    return { values: [], points }
  }
  const axes = spec.kind === 'line' ? [spec.x] : [spec.x, spec.y]
  const values = axes.map((axis, index) => axisValues(axis, parameters[index]!))
  const place = (index: number, of: readonly number[]) => (of.length > 1 ? index / (of.length - 1) : 0)
  const [xs, ys] = values
  const points = ys
    ? ys.flatMap((y, j) => xs!.map((x, i) => at([x, y], place(i, xs!), place(j, ys))))
    : xs!.map((x) => at([x], positionOf(lineRange(axes[0]!, parameters[0]!), x), 0))
  return { values, points }
}

/** The part of a parameter's range that a line shows. */
export function lineRange(axis: SweepAxis, { range }: SweepParameter): ScaledRange {
  return { ...range, min: axis.from, max: axis.to }
}

const kept = new Map<string, SweepSheet>()
/** The page asks for the same few sheets with every move of a slider. */
const maxKept = 4

/** The sheet of a sweep that fits the experiment. Equal objects for equal sheets. */
export function sweepSheet(spec: SweepSpec, experiment: Experiment): SweepSheet {
  const axes = spec.kind === 'weights' ? [] : spec.kind === 'line' ? [spec.x] : [spec.x, spec.y]
  const parameters = axes.flatMap((axis) => findSweepParameter(experiment, axis.parameter) ?? [])
  // Whatever is not swept decides what the points are; what is swept does not.
  const starts = spec.kind === 'weights' ? experiment.experts.map(() => 1) : axes.map((axis) => axis.from)
  // By key, which rounds: shares of the rest differ in their last bit after a point has become the recipe.
  const start = experimentAt(spec, parameters, experiment, starts)
  const key = JSON.stringify([spec, experiment.method, mergeKey(start)])
  const known = kept.get(key)
  if (known) return known
  const { values, points } = pointsOf(spec, parameters, experiment)
  const order = isSameSweep(spec, defaultSweep)
    ? defaultOrder.map((value) => points.findIndex((point) => point.values[0] === value))
    : coarseToFine(points)
  const sheet = { spec, parameters, values, points, order }
  kept.set(key, sheet)
  if (kept.size > maxKept) kept.delete(kept.keys().next().value!)
  return sheet
}
