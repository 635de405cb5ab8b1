// A series as three SVG paths: the line that joins, the intervals, the dots.

import type { SweepValue } from './sweepPanels.ts'

type Scale = (value: number) => number

const dotRadius = 2.75
/** Half the width of an interval's caps. */
const capWidth = 2.5

const pixel = (value: number) => value.toFixed(1)

/** Straight from point to point; no curve claims more than was measured. */
export function linePath(values: readonly SweepValue[], x: Scale, y: Scale): string {
  const points = values.map(({ position, value }) => `${pixel(x(position))},${pixel(y(value))}`)
  return points.length > 1 ? `M${points.join('L')}` : ''
}

/** A bar with caps for each interval that has a length. */
export function barsPath(values: readonly SweepValue[], x: Scale, y: Scale): string {
  return values
    .filter(({ low, high }) => high > low)
    .map(({ position, low, high }) => {
      const [left, top, bottom] = [x(position), y(high), y(low)].map(pixel)
      const cap = `m${-capWidth},0h${2 * capWidth}`
      return `M${left},${top}V${bottom}M${left},${top}${cap}M${left},${bottom}${cap}`
    })
    .join('')
}

export function dotsPath(values: readonly SweepValue[], x: Scale, y: Scale): string {
  const arc = `a${dotRadius},${dotRadius} 0 1,0`
  return values
    .map(({ position, value }) => {
      const start = `M${pixel(x(position) - dotRadius)},${pixel(y(value))}`
      return `${start}${arc} ${2 * dotRadius},0${arc} ${-2 * dotRadius},0`
    })
    .join('')
}

const diamondRadius = 4.5
export function diamondsPath(values: readonly SweepValue[], x: Scale, y: Scale): string {
  const r = diamondRadius
  return values
    .map(
      ({ position, value }) =>
        `M${pixel(x(position) - r)},${pixel(y(value))}l${r},${-r}l${r},${r}l${-r},${r}Z`,
    )
    .join('')
}
