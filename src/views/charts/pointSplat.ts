// Points drawn into pixels: each mark is stamped into a buffer of coverage, and coverage becomes colour once. A hundred
// thousand points cost some milliseconds without a graphics card, and where they pile up the picture shows how many.
// Pure.

import { type Colour, layOver } from './sourceOver.ts'

export type Mark = 'ring' | 'disc' | 'diamond' | 'square'

export interface SplatCloud {
  /** x, y interleaved, data units */ points: Float32Array
  mark: Mark
  colour: Colour
  /** of one mark, 0 … 1 */ opacity: number
}

export interface SplatFrame {
  /** device pixels */ width: number
  height: number
  /** data units shown: [left, right] and [bottom, top] */
  x: readonly [number, number]
  y: readonly [number, number]
  /** of a mark, device pixels */ radius: number
}

interface Stamp {
  /** offsets in pixels, interleaved */ offsets: Int16Array
  /** coverage of each offset, 1 … UNIT */ weights: Uint8Array
  reach: number
}

/** Coverage of a pixel that lies inside a mark altogether. */
const UNIT = 16
/** Marks in one pixel beyond which nothing gets darker. */
const MAX_MARKS = 64

/** Where a mark has ink, by distances from its middle in radii; hollow ones are told apart by their hole. */
const shapes: Record<Mark, (x: number, y: number, line: number) => boolean> = {
  disc: (x, y) => x * x + y * y <= 1,
  ring: (x, y, line) => {
    const distance = Math.hypot(x, y)
    return distance <= 1 + line / 2 && distance >= 1 - line / 2
  },
  diamond: (x, y) => Math.abs(x) + Math.abs(y) <= 1.25,
  square: (x, y, line) => {
    const distance = Math.max(Math.abs(x), Math.abs(y))
    return distance <= 0.9 + line / 2 && distance >= 0.9 - line / 2
  },
}

const stamps = new Map<string, Stamp>()

function stampOf(mark: Mark, radius: number): Stamp {
  const key = `${mark} ${radius.toFixed(2)}`
  const known = stamps.get(key)
  if (known) return known
  const reach = Math.ceil(radius * 1.5 + 1)
  const offsets: number[] = []
  const weights: number[] = []
  for (let dy = -reach; dy <= reach; dy++)
    for (let dx = -reach; dx <= reach; dx++) {
      let inside = 0
      for (let sub = 0; sub < UNIT; sub++) {
        const x = (dx + ((sub & 3) - 1.5) / 4) / radius
        const y = (dy + ((sub >> 2) - 1.5) / 4) / radius
        if (shapes[mark](x, y, 1 / radius)) inside++
      }
      if (inside === 0) continue
      offsets.push(dx, dy)
      weights.push(inside)
    }
  const stamp = { offsets: Int16Array.from(offsets), weights: Uint8Array.from(weights), reach }
  if (stamps.size > 64) stamps.clear()
  stamps.set(key, stamp)
  return stamp
}

/** How many points of the clouds are inside the frame. */
export function countVisible(clouds: readonly Float32Array[], { x, y }: Pick<SplatFrame, 'x' | 'y'>): number {
  let count = 0
  for (const points of clouds)
    for (let at = 0; at < points.length; at += 2) {
      const px = points[at]!
      const py = points[at + 1]!
      if (px >= x[0] && px <= x[1] && py >= y[0] && py <= y[1]) count++
    }
  return count
}

/** Radius of a mark in CSS pixels: smaller where there are more of them. */
export const markRadius = (visible: number): number =>
  Math.max(0.9, 2.4 * (2000 / Math.max(2000, visible)) ** 0.25)

/**
 * Draws clouds, the first lowest, over `image` (RGBA, width · height · 4, not premultiplied); `coverage` (width · height)
 * is scratch, zero before and after.
 */
export function splat(
  image: Uint8ClampedArray,
  coverage: Uint32Array,
  frame: SplatFrame,
  clouds: readonly SplatCloud[],
): void {
  const { width, height, x, y, radius } = frame
  const scaleX = width / (x[1] - x[0])
  const scaleY = height / (y[1] - y[0])
  for (const { points, mark, colour, opacity } of clouds) {
    const { offsets, weights, reach } = stampOf(mark, radius)
    const size = weights.length
    // Where a stamp lies inside the picture whole, its offsets are one addition each.
    const strides = Int32Array.from(weights, (_, i) => offsets[2 * i]! + width * offsets[2 * i + 1]!)
    for (let at = 0; at < points.length; at += 2) {
      const left = Math.round((points[at]! - x[0]) * scaleX - 0.5)
      const top = Math.round((y[1] - points[at + 1]!) * scaleY - 0.5)
      if (left < -reach || top < -reach || left >= width + reach || top >= height + reach) continue
      if (left >= reach && top >= reach && left < width - reach && top < height - reach) {
        const centre = top * width + left
        for (let i = 0; i < size; i++) coverage[centre + strides[i]!]! += weights[i]!
        continue
      }
      for (let i = 0; i < size; i++) {
        const px = left + offsets[2 * i]!
        const py = top + offsets[2 * i + 1]!
        if (px >= 0 && py >= 0 && px < width && py < height) coverage[py * width + px]! += weights[i]!
      }
    }
    paint(image, coverage, colour, opacity)
  }
}

/** Lays a colour over the image where there is coverage, and clears it: marks in one pixel add up as sheets would. */
function paint(image: Uint8ClampedArray, coverage: Uint32Array, colour: Colour, opacity: number): void {
  const most = UNIT * MAX_MARKS
  const alphas = Float32Array.from({ length: most + 1 }, (_, ink) => 1 - (1 - opacity) ** (ink / UNIT))
  for (let pixel = 0; pixel < coverage.length; pixel++) {
    const ink = coverage[pixel]!
    if (ink === 0) continue
    coverage[pixel] = 0
    layOver(image, 4 * pixel, colour, alphas[ink > most ? most : ink]!)
  }
}
