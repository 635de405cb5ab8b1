import { describe, expect, it } from 'vitest'
import { type Better, standingsOf } from './pareto.ts'

const at = (value: number, half = 0) => ({ value, low: value - half, high: value + half })
const high = { x: 'high', y: 'high' } as const

function standings(
  points: readonly (readonly [number, number])[],
  half = 0,
  better: { x: Better; y: Better } = high,
): string {
  return standingsOf(
    points.map(([x, y]) => ({ x: at(x, half), y: at(y, half) })),
    better,
  )
    .map((standing) => standing[0])
    .join('')
}

describe('standings', () => {
  it('have on the front what no other beats in one without losing in the other', () => {
    expect(
      standings([
        [0, 1],
        [1, 0],
        [0.5, 0.5],
        [0.4, 0.4],
        [0.9, 0],
      ]),
    ).toBe('fffbu')
  })
  it('let equals stand together, and call a tie in one measure no clear defeat', () => {
    expect(
      standings([
        [1, 1],
        [1, 1],
        [1, 0.5],
        [0.5, 1],
        [0.5, 0.5],
      ]),
    ).toBe('ffuub')
  })
  it('doubt a defeat that the intervals do not bear out', () => {
    const points = [
      [0.6, 0.6],
      [0.5, 0.5],
    ] as const
    expect(standings(points, 0.01)).toBe('fb')
    expect(standings(points, 0.06)).toBe('fu')
  })
  it('ask for one point that is clearly better in both, not for two', () => {
    expect(
      standings(
        [
          [0.9, 0.51],
          [0.51, 0.9],
          [0.5, 0.5],
        ],
        0.05,
      ),
    ).toBe('ffu')
    expect(
      standings(
        [
          [0.9, 0.51],
          [0.51, 0.9],
          [0.7, 0.7],
          [0.5, 0.5],
        ],
        0.05,
      ),
    ).toBe('fffb')
  })
  it('turn with what is better', () => {
    const points = [
      [0, 0],
      [1, 1],
    ] as const
    expect(standings(points, 0, { x: 'low', y: 'low' })).toBe('fb')
    expect(standings(points, 0, { x: 'high', y: 'low' })).toBe('ff')
  })
  it('of nothing are nothing, of one the front', () => {
    expect(standings([])).toBe('')
    expect(standings([[3, 3]])).toBe('f')
  })
})
