// A sweep over one parameter as a line: which values it has, which experiment stands at each, and where runs that are
// pinned stand on it. Nothing here depends on where the cursor is.

import type { Experiment } from '../../../workers/api.ts'
import { mergeKey } from '../../share/experimentKey.ts'
import { positionOf, type ScaledRange } from '../../share/scale.ts'
import { findSweepParameter, type SweepParameter } from '../../share/sweeps/parameters.ts'
import { experimentAt, isOnSheet, lineRange, type SweepSheet } from '../../share/sweeps/points.ts'
import type { PinnedRun, PinnedRuns, PinSlot } from '../../state/pins/store.ts'
import { type Measurements, selectMergeMeasurement, selectSweep } from '../../state/selectors.ts'
import type { Measurement } from '../../state/slices/runs.ts'

export interface SweepLine {
  parameter: SweepParameter
  /** what the axis shows */
  range: ScaledRange
  /** values that are measured by themselves */
  values: readonly number[]
  at: (value: number) => Experiment
}

export interface LinePoint {
  /** 0 … 1 along the axis */
  position: number
  measurement: Measurement
}

/** The line of a sheet; undefined for maps. */
export function lineOf({ spec, parameters, values, points }: SweepSheet): SweepLine | undefined {
  const [parameter] = parameters
  const base = points[0]?.experiment
  if (spec.kind !== 'line' || !parameter || !base) return undefined
  return {
    parameter,
    range: lineRange(spec.x, parameter),
    values: values[0] ?? [],
    at: (value) => experimentAt(spec, parameters, base, [value]),
  }
}

const isInside = ({ min, max }: ScaledRange, value: number) => value >= min && value <= max

/** Everything measured along a line, by position; `experiment` adds its own point where it stands on the line. */
export function linePoints(
  line: SweepLine,
  sheet: SweepSheet,
  measurements: Measurements,
  experiment: Experiment,
): LinePoint[] {
  const { parameter, range } = line
  // Of λ_align every value that was ever visited is known by its subject.
  if (parameter.id === 'lambdaAlign')
    return selectSweep(measurements, sheet.points[0]!.experiment)
      .filter(({ lambdaAlign }) => isInside(range, lambdaAlign))
      .map(({ lambdaAlign, measurement }) => ({ position: positionOf(range, lambdaAlign), measurement }))
  const visited = isOnSheet(sheet, experiment, experiment) ? [experiment] : []
  const found = new Map<string, LinePoint>()
  for (const one of [...sheet.points.map((point) => point.experiment), ...visited]) {
    const measurement = selectMergeMeasurement(measurements, one)
    const value = parameter.get(one)
    if (measurement && isInside(range, value))
      found.set(mergeKey(one), { position: positionOf(range, value), measurement })
  }
  return [...found.values()].sort((a, b) => a.position - b.position)
}

/** A pinned run on a line. */
export interface LinePin {
  slot: PinSlot
  position: number
  /** differs from the line in something that the line does not sweep: its values are not those of the line */
  isElsewhere: boolean
  measurement: Measurement | undefined
}

export interface LinePins {
  placed: LinePin[]
  /** of methods that lack the parameter: lines across */
  across: { slot: PinSlot; run: PinnedRun }[]
}

export function pinsOnLine(line: SweepLine, sheet: SweepSheet, pins: PinnedRuns): LinePins {
  const found: LinePins = { placed: [], across: [] }
  for (const slot of ['a', 'b'] as const) {
    const run = pins[slot]
    if (!run) continue
    const { experiment, measurement } = run
    const value = line.parameter.get(experiment)
    const isElsewhere = !isOnSheet(sheet, sheet.points[0]!.experiment, experiment)
    const hasParameter =
      !isElsewhere ||
      (findSweepParameter(experiment, line.parameter.id) !== undefined &&
        (line.parameter.id !== 'lambdaAlign' || experiment.method === 'alignmerge'))
    if (!hasParameter) found.across.push({ slot, run })
    else if (isInside(line.range, value))
      found.placed.push({ slot, position: positionOf(line.range, value), isElsewhere, measurement })
  }
  return found
}
