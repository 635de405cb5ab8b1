// The alignment budget: log S may not fall below tau = log S_anchor - epsilon, epsilon = one bootstrap standard
// error of log S_anchor. AlignMerge (arXiv 2512.16245) budgets AQI; threshold and tolerance are ours.

import { EngineError } from '../errors.ts'
import { type AqiAnchor, type AqiMeasurement, logSeparationOf, NOT_SEPARABLE } from './aqi.ts'
import { isUnavailable, type Unavailable } from './estimate.ts'

export interface Budget {
  /** tau = log S_anchor - 1 bootstrap standard error */ threshold: number
  isViolated: boolean
  /** [tau - log S]_+, natural log units; Infinity where the merge is not separable at all */
  violation: number
}

/** tau. Rejects `not-finite` and a negative standard error (`request-invalid`). */
export function budgetThreshold({
  logSeparation,
  standardError,
}: Pick<AqiAnchor, 'logSeparation' | 'standardError'>): number {
  const threshold = logSeparation - standardError
  if (!Number.isFinite(threshold))
    throw new EngineError(
      'not-finite',
      `budget: log S_anchor ${logSeparation}, standard error ${standardError}`,
    )
  if (standardError < 0) throw new EngineError('request-invalid', `standard error ${standardError}`)
  return threshold
}

/** The budget at one log S; -Infinity stands for "not separable". Rejects `not-finite` for NaN and +Infinity. */
export function budgetAt(threshold: number, logSeparation: number): Budget {
  if (
    !Number.isFinite(threshold) ||
    Number.isNaN(logSeparation) ||
    logSeparation === Number.POSITIVE_INFINITY
  )
    throw new EngineError('not-finite', `budget: threshold ${threshold}, log S ${logSeparation}`)
  const shortfall = threshold - logSeparation
  return { threshold, isViolated: shortfall > 0, violation: Math.max(shortfall, 0) }
}

/** The budget of a measurement: a merge that is not separable violates it, one with too few samples has none. */
export function measureBudget(threshold: number, measurement: AqiMeasurement): Budget | Unavailable {
  const logSeparation = logSeparationOf(measurement)
  if (typeof logSeparation === 'number') return budgetAt(threshold, logSeparation)
  const { separation } = measurement
  return !isUnavailable(separation) && logSeparation.unavailable === NOT_SEPARABLE
    ? budgetAt(threshold, Number.NEGATIVE_INFINITY)
    : logSeparation
}
