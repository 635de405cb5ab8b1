// A sweep and what is known of it: every point with its measurement, its failure, or neither; and where it is from.

import type { Experiment } from '../../../workers/api.ts'
import { type SweepPoint, type SweepSheet, sweepSheet } from '../../share/sweeps/points.ts'
import { fitSweep, type SweepSpec } from '../../share/sweeps/spec.ts'
import type { Failure } from '../failure.ts'
import { currentMerge } from '../plan.ts'
import { type Measurements, selectFailure, selectMergeMeasurement } from '../selectors.ts'
import { type Provenance, provenanceOf } from '../share/received.ts'
import type { Measurement, PartName, RunsSlice } from '../slices/runs.ts'
import { timeOf, workOf } from './rates.ts'
import type { SweepsState } from './store.ts'

export const sweepParts: readonly PartName[] = ['drift', 'aqi', 'behaviour']

/** The sweep that the page shows: the wanted one, as far as the experiment can have it. */
export function selectSheet(spec: SweepSpec, experiment: Experiment): SweepSheet {
  return sweepSheet(fitSweep(spec, experiment), experiment)
}

/** Experiments of a sweep, in the order of measuring. */
export function selectPlannedPoints(spec: SweepSpec, experiment: Experiment): Experiment[] {
  const { points, order } = selectSheet(spec, experiment)
  return order.map((index) => points[index]!.experiment)
}

export interface KnownPoint extends SweepPoint {
  /** growing until `isComplete` */
  measurement: Measurement | undefined
  /** why it could not be measured */
  failure: string | undefined
  isComplete: boolean
}

export function selectKnownPoints(
  sheet: SweepSheet,
  measurements: Measurements,
  failed: Readonly<Record<string, Failure>>,
): KnownPoint[] {
  const hasFailed = Object.keys(failed).length > 0
  return sheet.points.map((point) => {
    const measurement = selectMergeMeasurement(measurements, point.experiment)
    return {
      ...point,
      measurement,
      failure: hasFailed ? selectFailure(failed, point.experiment) : undefined,
      isComplete: sweepParts.every((part) => measurement?.complete.includes(part)),
    }
  })
}

/** How many points of a sweep are on the page, by where they are from. */
export type SweepOrigins = Readonly<Record<Provenance, number>>

/** A point is measured here once all of it is; until then it counts by what of it came from elsewhere. */
export function selectOrigins(
  sheet: SweepSheet,
  runs: Pick<RunsSlice, 'measurements' | 'received'>,
): SweepOrigins {
  const counts = { own: 0, link: 0, shipped: 0 }
  for (const { experiment } of sheet.points) {
    const own = selectMergeMeasurement(runs.measurements, experiment)
    if (sweepParts.every((part) => own?.complete.includes(part))) {
      counts.own++
      continue
    }
    const origins = sweepParts.map((part) => provenanceOf(runs, experiment, currentMerge(experiment), part))
    const origin = (['link', 'shipped'] as const).find((one) => origins.includes(one))
    if (origin) counts[origin]++
  }
  return counts
}

export interface SweepProgress {
  total: number
  done: number
  failed: number
  /** points per second, as measured; undefined before the first of their kind */
  perSecond: number | undefined
  /** time left for the sweep alone, ms; undefined before its kind of work was timed */
  leftMs: number | undefined
}

export function selectProgress(points: readonly KnownPoint[], rates: SweepsState['rates']): SweepProgress {
  const isOpen = ({ isComplete, failure }: KnownPoint) => !isComplete && failure === undefined
  const left = points.filter(isOpen).flatMap(({ experiment, measurement }) => {
    const work = workOf(experiment)
    return sweepParts.filter((part) => !measurement?.complete.includes(part)).map((part) => ({ work, part }))
  })
  const whole = timeOf(
    rates,
    points.flatMap(({ experiment }) => {
      const work = workOf(experiment)
      return sweepParts.map((part) => ({ work, part }))
    }),
  )
  return {
    total: points.length,
    done: points.filter(({ isComplete }) => isComplete).length,
    failed: points.filter(({ failure }) => failure !== undefined).length,
    perSecond: whole ? (1000 * points.length) / whole : undefined,
    leftMs: timeOf(rates, left),
  }
}
