// Points of a sweep as its pictures take them: shade, interval, words; and the marks of the recipe and pinned runs.

import type { Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { mergeKey } from '../../share/experimentKey.ts'
import { axisPlace, isOnSheet, type SweepSheet, valuesOf } from '../../share/sweeps/points.ts'
import { trianglePlace } from '../../share/sweeps/triangle.ts'
import type { PinnedRuns } from '../../state/pins/store.ts'
import type { KnownPoint } from '../../state/sweeps/selectors.ts'
import type { MapMark, MapPoint } from '../charts/MapCells.tsx'
import { describeEstimate, formatParameter } from '../format.ts'
import { type MeasureScale, placeOn, type SheetMeasure, shownOf } from './sheetMeasures.ts'

/** Where a point of a sheet is, in words: `λ_align 4, λ_bud 16`, or the weights in per cent. */
export function describePlace({ parameters }: SweepSheet, values: readonly number[]): string {
  if (parameters.length === 0) return `λₖ ${values.map((weight) => Math.round(100 * weight)).join(' : ')} %`
  return parameters
    .map(({ symbol, label }, index) => `${symbol || t(label)} ${formatParameter(values[index]!)}`)
    .join(', ')
}

/** A point with what is known of some measures, in one line. */
export function describePoint(
  sheet: SweepSheet,
  { values, measurement, failure }: KnownPoint,
  measures: readonly SheetMeasure[],
): string {
  const place = describePlace(sheet, values)
  if (failure !== undefined) return t('{place}: failed. {failure}', { place, failure })
  const known = measures.flatMap((measure) => {
    const estimate = measurement && measure.pick(measurement)
    return estimate ? [`${measure.label} ${describeEstimate(measure.form, estimate)}`] : []
  })
  return known.length > 0 ? `${place}: ${known.join('; ')}` : t('{place}: not measured yet', { place })
}

/** Point of a map, without its place. */
export function shadedPoint(
  sheet: SweepSheet,
  point: KnownPoint,
  index: number,
  measure: SheetMeasure,
  scale: MeasureScale,
): Omit<MapPoint, 'x' | 'y' | 'outline'> {
  const shown = shownOf(measure, point.measurement)
  const span = scale.domain[1] - scale.domain[0]
  return {
    id: String(index),
    label: describePoint(sheet, point, [measure]),
    state: shown ? 'measured' : point.failure !== undefined ? 'failed' : 'waiting',
    shade: shown ? placeOn(scale, shown.value) : 0,
    halfWidth: shown && span > 0 ? (shown.high - shown.low) / 2 / span : 0,
  }
}

/** Place of an experiment on a map: 0 … 1 along both axes, or in the triangle. */
function placeOf({ spec, parameters, values }: SweepSheet, experiment: Experiment): { x: number; y: number } {
  const own = valuesOf(spec, parameters, experiment)
  if (spec.kind === 'weights') return trianglePlace(own)
  const [x = 0, y = 0] = parameters.map((parameter, index) =>
    axisPlace(parameter, values[index]!, own[index]!),
  )
  return { x, y }
}

/** The recipe and the pinned runs on a map. */
export function marksOn(sheet: SweepSheet, recipe: Experiment, pins: PinnedRuns): MapMark[] {
  const base = sheet.points[0]!.experiment
  const mark = (kind: MapMark['kind'], experiment: Experiment, label: string): MapMark => ({
    ...{ kind, label, isElsewhere: !isOnSheet(sheet, base, experiment) },
    ...placeOf(sheet, experiment),
  })
  const hasPlace = ({ experts, method }: Experiment) =>
    sheet.spec.kind === 'weights' ? experts.length === 3 : method === base.method
  return [
    mark('recipe', recipe, t('Recipe')),
    ...(['a', 'b'] as const).flatMap((slot) => {
      const run = pins[slot]
      return run && hasPlace(run.experiment) ? [mark(slot, run.experiment, run.label)] : []
    }),
  ]
}

/** Index of the point that is an experiment's very merge. */
export function pointOf(sheet: SweepSheet, experiment: Experiment): string | undefined {
  const key = mergeKey(experiment)
  const index = sheet.points.findIndex((point) => mergeKey(point.experiment) === key)
  return index < 0 ? undefined : String(index)
}
