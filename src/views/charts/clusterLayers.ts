// What a cluster plot draws, where its picture lies in the frame, and points as SVG paths: a thousand marks in four
// paths instead of a thousand elements. Pure.

import { niceStep, type PlotWindow } from './plotWindow.ts'
import type { Mark } from './pointSplat.ts'

export interface ClusterLayer {
  id: string
  label: string
  /** x, y interleaved, in data units. */
  points: Float32Array
  /** A token of the theme, e.g. `--safe`. */
  colour: string
  /** Tells whose points they are without colour. */
  mark: Mark
  /** Drawn paler: interpolated between two measurements. */
  isGuess: boolean
}

/** Many clouds of one colour as one smooth field behind the points. */
export interface DensityLayer {
  points: readonly Float32Array[]
  colour: string
}

/** The picture inside the frame, in CSS pixels; the axes lie around it. */
export interface PlotBox {
  left: number
  top: number
  width: number
  height: number
}

export const axisWidth = 38
export const axisHeight = 26
export const plotMargin = { top: 6, right: 10, bottom: 14, left: 0 } as const

export const plotBoxOf = (width: number, height: number): PlotBox => ({
  left: plotMargin.left + axisWidth,
  top: plotMargin.top,
  width: Math.max(1, width - plotMargin.left - axisWidth - plotMargin.right),
  height: Math.max(1, height - plotMargin.top - axisHeight - plotMargin.bottom),
})

export type Scale = (value: number) => number

export interface PlotScales {
  x: Scale
  y: Scale
}

/** Data units to CSS pixels of the frame. */
export function scalesOf({ left, top, width, height }: PlotBox, { x, y }: PlotWindow): PlotScales {
  const acrossUnit = width / (x[1] - x[0])
  const upUnit = height / (y[1] - y[0])
  return {
    x: (value) => left + (value - x[0]) * acrossUnit,
    y: (value) => top + (y[1] - value) * upUnit,
  }
}

/** One mark about a place, `r` its radius, as a relative path that begins at its left end. */
const outlines: Record<Mark, (r: number) => { from: number; path: string }> = {
  ring: (r) => ({ from: -r, path: `a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0` }),
  disc: (r) => ({ from: -r, path: `a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0` }),
  diamond: (r) => {
    const d = 1.25 * r
    return { from: -d, path: `l${d},${-d}l${d},${d}l${-d},${d}z` }
  },
  square: (r) => ({ from: -r, path: `v${-r}h${2 * r}v${2 * r}h${-2 * r}z` }),
}

/** True for marks that are lines and not areas. */
export const isHollow = (mark: Mark): boolean => mark === 'ring' || mark === 'square'

/** One mark per point. */
export function marksPath(points: Float32Array, { x, y }: PlotScales, mark: Mark, radius: number): string {
  const { from, path } = outlines[mark](radius)
  const parts: string[] = []
  for (let index = 0; index + 1 < points.length; index += 2)
    parts.push(`M${(x(points[index]!) + from).toFixed(1)},${y(points[index + 1]!).toFixed(1)}${path}`)
  return parts.join('')
}

export interface ClusterMean {
  x: number
  y: number
}

export function meanOf(points: Float32Array): ClusterMean | undefined {
  const count = points.length / 2
  if (count === 0) return undefined
  let x = 0
  let y = 0
  for (let index = 0; index + 1 < points.length; index += 2) {
    x += points[index]!
    y += points[index + 1]!
  }
  return { x: x / count, y: y / count }
}

/** Extent of all points, widened to whole steps so that new points seldom move the axes. */
export function domainOf(clouds: readonly Float32Array[], axis: 0 | 1): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const cloud of clouds) {
    for (let index = axis; index < cloud.length; index += 2) {
      const value = cloud[index]!
      if (value < low) low = value
      if (value > high) high = value
    }
  }
  if (low > high) return [-4, 4]
  const step = niceStep(high - low)
  return [Math.floor(low / step) * step, Math.ceil(high / step) * step]
}
