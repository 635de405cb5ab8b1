// Two runs kept for comparison. A pin is a whole experiment; what is measured of it is read from the runs, where it
// is kept as long as it is pinned.

import { create } from 'zustand'
import type { Experiment } from '../../../workers/api.ts'
import { measurementKey, mergeKey } from '../../share/experimentKey.ts'
import { currentMerge } from '../plan.ts'
import { type Measurements, selectMergeMeasurement } from '../selectors.ts'
import { selectShown } from '../share/received.ts'
import { type Measurement, measurementId } from '../slices/runs.ts'
import { useStudio } from '../store.ts'
import { describeRun } from './describeRun.ts'

export const pinSlots = ['a', 'b'] as const
export type PinSlot = (typeof pinSlots)[number]

/** What is pinned, by slot. */
export type PinsState = Record<PinSlot, Experiment | null>

export const noPins: PinsState = { a: null, b: null }

export const usePinStore = create<PinsState>()(() => noPins)

/** A pinned run as charts draw it. */
export interface PinnedRun {
  /** method, λ and whatever else differs from the defaults, e.g. “AlignMerge, λ 4” */
  label: string
  experiment: Experiment
  mergeKey: string
  /** live; undefined until something of it is measured */
  measurement: Measurement | undefined
}

export type PinnedRuns = Record<PinSlot, PinnedRun | null>

/** Where the measurement of an experiment's merge is filed. */
function mergeMeasurementId(experiment: Experiment): string {
  const merge = currentMerge(experiment)
  return measurementId(measurementKey(experiment, merge), merge)
}

/** Measurements that must outlive the oldest. */
export function pinnedMeasurementIds(pins: PinsState = usePinStore.getState()): ReadonlySet<string> {
  return new Set(pinSlots.flatMap((slot) => (pins[slot] ? [mergeMeasurementId(pins[slot])] : [])))
}

function toRun(experiment: Experiment | null, measurements: Measurements, before: PinnedRun | null) {
  if (!experiment) return null
  const measurement = selectMergeMeasurement(measurements, experiment)
  if (before?.experiment === experiment && before.measurement === measurement) return before
  const known = before?.experiment === experiment ? before : undefined
  return {
    label: known?.label ?? describeRun(experiment),
    experiment,
    mergeKey: known?.mergeKey ?? mergeKey(experiment),
    measurement,
  }
}

let latest: PinnedRuns = { a: null, b: null }

/** The pinned runs; equal objects as long as nothing of them changes, so that charts can be left alone. */
export function selectPins(pins: PinsState, measurements: Measurements): PinnedRuns {
  const a = toRun(pins.a, measurements, latest.a)
  const b = toRun(pins.b, measurements, latest.b)
  if (a !== latest.a || b !== latest.b) latest = { a, b }
  return latest
}

/** The pinned runs in a component, live. */
export function usePins(): PinnedRuns {
  const pins = usePinStore()
  const measurements = useStudio((state) => selectShown(state.runs))
  return selectPins(pins, measurements)
}
