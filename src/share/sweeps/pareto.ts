// Which of several merges no other beats, in two measures at once, with and without regard to their intervals.

export interface ParetoValue {
  value: number
  /** 95 % interval */
  low: number
  high: number
}

export interface ParetoCandidate {
  x: ParetoValue
  y: ParetoValue
}

/** Which way is better. */
export type Better = 'high' | 'low'

/**
 * - `front`: no other is at least as good in both and better in one; equals stand on the front together
 * - `unclear`: some other is, but none beyond both intervals
 * - `beaten`: some other's whole intervals are better in both
 */
export type Standing = 'front' | 'unclear' | 'beaten'

const turned = ({ value, low, high }: ParetoValue, better: Better): ParetoValue =>
  better === 'high' ? { value, low, high } : { value: -value, low: -high, high: -low }

/** Standing of each candidate among all. */
export function standingsOf(
  candidates: readonly ParetoCandidate[],
  better: { x: Better; y: Better },
): Standing[] {
  const points = candidates.map(({ x, y }) => ({ x: turned(x, better.x), y: turned(y, better.y) }))
  return points.map((point) => {
    const stronger = points.filter(
      ({ x, y }) =>
        x.value >= point.x.value &&
        y.value >= point.y.value &&
        (x.value > point.x.value || y.value > point.y.value),
    )
    if (stronger.length === 0) return 'front'
    const isClear = stronger.some(({ x, y }) => x.low > point.x.high && y.low > point.y.high)
    return isClear ? 'beaten' : 'unclear'
  })
}
