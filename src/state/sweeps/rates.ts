// How long the points of a sweep take, as measured here: every finished part is timed, and what is left follows.
// Merges with rounds, a search, other directions or a repair take longer than a move along a line, so each kind of
// work has times of its own; one that was never seen is not guessed.

import type { Experiment } from '../../../workers/api.ts'
import { isClosedForm, isOnCurve } from '../../share/experimentKey.ts'
import type { PartName } from '../slices/runs.ts'
import type { SweepsState } from './store.ts'

/** Weight of the newest duration: speed changes with what else the machine does. */
const newest = 0.3

/** Merges of one kind take alike long. */
export function workOf(experiment: Experiment): string {
  const { method, parameters, probesPerClass, antidote } = experiment
  const how =
    isOnCurve(experiment) && isClosedForm(experiment) ? 'line' : JSON.stringify([method, shapeOf(parameters)])
  return `${how} ${probesPerClass}${antidote > 0 ? ' antidote' : ''}`
}

/** What of a method's own parameters decides how much is computed: choices, switches, whole numbers. */
function shapeOf(parameters: Experiment['parameters']): unknown[] {
  return Object.entries(parameters)
    .filter(([id, value]) => typeof value !== 'number' || id === 'rounds')
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

export function addDuration(
  rates: SweepsState['rates'],
  work: string,
  part: PartName,
  durationMs: number,
): SweepsState['rates'] {
  const before = rates[work]?.[part]
  const mean = before === undefined ? durationMs : before + newest * (durationMs - before)
  return { ...rates, [work]: { ...rates[work], [part]: mean } }
}

/** Time of the given parts, ms; undefined while one of their kind was never timed. */
export function timeOf(
  rates: SweepsState['rates'],
  parts: readonly { work: string; part: PartName }[],
): number | undefined {
  let total = 0
  for (const { work, part } of parts) {
    const duration = rates[work]?.[part]
    if (duration === undefined) return undefined
    total += duration
  }
  return total
}
