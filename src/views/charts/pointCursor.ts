// A picture of points as one stop of the tab key: arrow keys walk to the nearest point in their direction, Enter opens
// it. Screen readers meet a list box whose options are the points.

import type { KeyboardEvent } from 'react'

export interface CursorPoint {
  id: string
  /** pixels */
  x: number
  y: number
}

const directions: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}

/** The nearest point on that side; what lies aside counts double. Undefined at the edge. */
export function nearestTowards(
  points: readonly CursorPoint[],
  from: CursorPoint,
  [right, down]: readonly [number, number],
): CursorPoint | undefined {
  let nearest: CursorPoint | undefined
  let least = Number.POSITIVE_INFINITY
  for (const point of points) {
    const [x, y] = [point.x - from.x, point.y - from.y]
    const along = x * right + y * down
    if (point.id === from.id || along <= 0.5) continue
    const away = along + 2 * Math.abs(x * down - y * right)
    if (away < least) {
      nearest = point
      least = away
    }
  }
  return nearest
}

/** The point that a key leads to, or what it asks for; undefined for keys that are not ours. */
export function pointForKey(
  points: readonly CursorPoint[],
  active: string | undefined,
  key: string,
): string | undefined {
  const from = points.find(({ id }) => id === active) ?? points[0]
  if (!from) return undefined
  if (key === 'Home') return points[0]!.id
  if (key === 'End') return points.at(-1)!.id
  const direction = directions[key]
  return direction && (nearestTowards(points, from, direction) ?? from).id
}

export interface PointCursor {
  active: string | undefined
  onActive: (id: string | undefined) => void
  onOpen: (id: string) => void
}

/** What the element around the points needs. */
export function listBoxProps(
  points: readonly CursorPoint[],
  { active, onActive, onOpen }: PointCursor,
  optionId: (id: string) => string,
) {
  return {
    role: 'listbox',
    tabIndex: 0,
    ...(active !== undefined && { 'aria-activedescendant': optionId(active) }),
    onFocus: () => {
      if (active === undefined && points[0]) onActive(points[0].id)
    },
    onBlur: () => onActive(undefined),
    onKeyDown: (event: KeyboardEvent) => {
      if ((event.key === 'Enter' || event.key === ' ') && active !== undefined) {
        event.preventDefault()
        onOpen(active)
        return
      }
      const next = pointForKey(points, active, event.key)
      if (next === undefined) return
      event.preventDefault()
      onActive(next)
    },
  } as const
}
