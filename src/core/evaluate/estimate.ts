// Measured values as the page shows them: a number with its sample count and interval, or the reason why
// there is none. A missing value is data, not an error and never NaN.

/** The reason why a value cannot be given, in words for the user. */
export interface Unavailable {
  unavailable: string
}

/** A value, its 95 % interval and the number of samples behind it. */
export interface Interval {
  value: number
  low: number
  high: number
  count: number
}

/** A measured value with its sample count and 95 % interval, or the reason why there is none. */
export type Estimate = Interval | Unavailable

/** True for the absent branch of an Estimate or of any result that may be unavailable. */
export function isUnavailable(result: object): result is Unavailable {
  return 'unavailable' in result
}
