// Points of a cluster plot as SVG paths: a thousand circles in four paths instead of a thousand elements.

export interface ClusterLayer {
  id: string
  label: string
  /** x, y interleaved, in data units. */
  points: Float32Array
  colour: string
  isFilled: boolean
  /** Drawn paler: interpolated between two measurements. */
  isGuess: boolean
}

export type Scale = (value: number) => number

/** One circle per point. */
export function circlesPath(points: Float32Array, x: Scale, y: Scale, radius: number): string {
  const parts: string[] = []
  for (let index = 0; index + 1 < points.length; index += 2) {
    const left = (x(points[index]!) - radius).toFixed(1)
    const top = y(points[index + 1]!).toFixed(1)
    parts.push(
      `M${left},${top}a${radius},${radius} 0 1,0 ${2 * radius},0a${radius},${radius} 0 1,0 ${-2 * radius},0`,
    )
  }
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
  const step = tickStep(high - low)
  return [Math.floor(low / step) * step, Math.ceil(high / step) * step]
}

/** A power of two that cuts the extent in about six. */
function tickStep(extent: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(extent, 1e-6) / 6))
}

export function ticksOf([low, high]: [number, number]): number[] {
  const step = tickStep(high - low)
  return Array.from({ length: Math.round((high - low) / step) + 1 }, (_, index) => low + index * step)
}
