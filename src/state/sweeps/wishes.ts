// What is measured beyond the recipe itself: the points of the chosen sweep and the pinned runs.

import type { Experiment } from '../../../workers/api.ts'
import { type PinsState, pinSlots, usePinStore } from '../pins/store.ts'
import type { PlanWishes } from '../plan.ts'
import { selectPlannedPoints } from './selectors.ts'
import { type SweepsState, useSweeps } from './store.ts'

export function planWishes(experiment: Experiment, spec: SweepsState['spec'], pins: PinsState): PlanWishes {
  return {
    points: selectPlannedPoints(spec, experiment),
    pinned: pinSlots.flatMap((slot) => pins[slot] ?? []),
  }
}

/** For the runner, which is no component. */
export function readWishes(experiment: Experiment | null): PlanWishes | undefined {
  return experiment ? planWishes(experiment, useSweeps.getState().spec, usePinStore.getState()) : undefined
}
