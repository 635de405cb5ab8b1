// From a value to its place on a slider or an axis, 0 … 1, and back. λ_align runs on log(1 + λ/offset), which shows
// 0 and 1024 on one axis without pretending that zero has a logarithm.

export type Scale = { kind: 'linear' } | { kind: 'log' } | { kind: 'offset-log'; offset: number }

export interface ScaledRange {
  min: number
  max: number
  scale: Scale
  isInteger: boolean
}

function transform(scale: Scale, value: number): number {
  switch (scale.kind) {
    case 'linear':
      return value
    case 'log':
      return Math.log(value)
    case 'offset-log':
      return Math.log1p(value / scale.offset)
  }
}

function invert(scale: Scale, transformed: number): number {
  switch (scale.kind) {
    case 'linear':
      return transformed
    case 'log':
      return Math.exp(transformed)
    case 'offset-log':
      return Math.expm1(transformed) * scale.offset
  }
}

export function clampNumber(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value))
}

/** Place of a value in its range, 0 … 1. */
export function positionOf(range: ScaledRange, value: number): number {
  const low = transform(range.scale, range.min)
  const high = transform(range.scale, range.max)
  return (transform(range.scale, clampNumber(value, range.min, range.max)) - low) / (high - low)
}

/** Value at a place 0 … 1, rounded to three digits, so that links and labels stay short. */
export function valueAt(range: ScaledRange, position: number): number {
  // The ends are exact: rounding and exp(log(max)) would miss them.
  if (position <= 1e-9) return range.min
  if (position >= 1 - 1e-9) return range.max
  const low = transform(range.scale, range.min)
  const high = transform(range.scale, range.max)
  const value = invert(range.scale, low + position * (high - low))
  const rounded = range.isInteger ? Math.round(value) : Number(value.toPrecision(3))
  return clampNumber(rounded, range.min, range.max)
}

/** The stop within `reach` of a position, or the value there: measured points are easy to return to. */
export function snapToStops(
  range: ScaledRange,
  position: number,
  stops: readonly number[],
  reach: number,
): number {
  let nearest: number | undefined
  let distance = reach
  for (const stop of stops) {
    const away = Math.abs(positionOf(range, stop) - position)
    if (away <= distance) {
      nearest = stop
      distance = away
    }
  }
  return nearest ?? valueAt(range, position)
}
