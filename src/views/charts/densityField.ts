// Many clouds at once as one smooth field: points counted in coarse cells, smoothed twice, shown by the square root of
// their number so that thin places still show. Pure.

import type { PlotWindow } from './plotWindow.ts'
import { type Colour, layOver } from './sourceOver.ts'

export interface FieldSize {
  width: number
  height: number
}

/** Points per cell (width · height), rows from the top. */
export function countPoints(
  clouds: readonly Float32Array[],
  { width, height }: FieldSize,
  { x, y }: PlotWindow,
): Float32Array {
  const counts = new Float32Array(width * height)
  const scaleX = width / (x[1] - x[0])
  const scaleY = height / (y[1] - y[0])
  for (const points of clouds)
    for (let at = 0; at < points.length; at += 2) {
      const column = Math.floor((points[at]! - x[0]) * scaleX)
      const row = Math.floor((y[1] - points[at + 1]!) * scaleY)
      if (column >= 0 && row >= 0 && column < width && row < height) counts[row * width + column]!++
    }
  return counts
}

/** Mean over 2 · reach + 1 cells along one axis; what would lie outside counts as empty. */
function blurAlong(
  values: Float32Array,
  length: number,
  lines: number,
  step: number,
  lineStep: number,
  reach: number,
): Float32Array {
  const out = new Float32Array(values.length)
  const share = 1 / (2 * reach + 1)
  for (let line = 0; line < lines; line++) {
    let sum = 0
    for (let at = 0; at < Math.min(reach, length); at++) sum += values[line * lineStep + at * step]!
    for (let at = 0; at < length; at++) {
      if (at + reach < length) sum += values[line * lineStep + (at + reach) * step]!
      if (at - reach > 0) sum -= values[line * lineStep + (at - reach - 1) * step]!
      out[line * lineStep + at * step] = sum * share
    }
  }
  return out
}

/** Two box filters in each direction: near to a Gaussian, and the sum stays (but for what leaves the picture). */
export function smoothed(counts: Float32Array, { width, height }: FieldSize, reach: number): Float32Array {
  let field = counts
  for (let pass = 0; pass < 2; pass++) {
    field = blurAlong(field, width, height, 1, width, reach)
    field = blurAlong(field, height, width, width, 1, reach)
  }
  return field
}

/** Lays a field over `image` (RGBA), at most `opacity` where it is densest. */
export function paintField(
  image: Uint8ClampedArray,
  field: Float32Array,
  colour: Colour,
  opacity: number,
): void {
  const highest = field.reduce((most, value) => Math.max(most, value), 0)
  if (highest === 0) return
  for (let cell = 0; cell < field.length; cell++) {
    const source = opacity * Math.sqrt(Math.max(0, field[cell]!) / highest)
    if (source < 0.004) continue
    layOver(image, 4 * cell, colour, source)
  }
}
