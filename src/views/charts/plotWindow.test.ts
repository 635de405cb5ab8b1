import { describe, expect, it } from 'vitest'
import { panned, windowTicks, zoomed, zoomOf } from './plotWindow.ts'

const home = { x: [-4, 12], y: [0, 2] } as const

describe('zooming', () => {
  it('keeps what is under the pointer where it is', () => {
    const at = [0.25, 0.75] as const
    const closer = zoomed(home, home, 4, at)
    expect(zoomOf(home, closer)).toBeCloseTo(4, 12)
    expect(closer.x[0] + 0.25 * 4).toBeCloseTo(0, 12)
    expect(closer.y[0] + 0.75 * 0.5).toBeCloseTo(1.5, 12)
    const back = zoomed(home, closer, 1 / 4, at)
    expect(back.x[0]).toBeCloseTo(home.x[0], 12)
    expect(back.y[1]).toBeCloseTo(home.y[1], 12)
  })

  it('ends at twice the whole and far inside', () => {
    expect(zoomOf(home, zoomed(home, home, 1e-9))).toBeCloseTo(0.5, 12)
    expect(zoomOf(home, zoomed(home, home, 1e9))).toBeCloseTo(2048, 6)
  })
})

describe('panning', () => {
  it('moves by shares of the window', () => {
    const closer = zoomed(home, home, 2)
    const moved = panned(home, closer, 0.25, -0.5)
    expect(moved.x).toEqual([closer.x[0] + 2, closer.x[1] + 2])
    expect(moved.y).toEqual([closer.y[0] - 0.5, closer.y[1] - 0.5])
  })

  it('never leaves the whole behind', () => {
    const away = panned(home, home, 50, -50)
    expect(away.x).toEqual([4, 20])
    expect(away.y).toEqual([-1, 1])
  })
})

describe('ticks', () => {
  it('are round, inside and about six', () => {
    expect(windowTicks([-4, 4])).toEqual([-4, -2, 0, 2, 4])
    expect(windowTicks([0.3, 0.9])).toEqual([0.375, 0.5, 0.625, 0.75, 0.875])
    for (const span of [1e-3, 0.7, 5, 900]) {
      const ticks = windowTicks([0.123 * span, 1.123 * span])
      expect(ticks.length).toBeGreaterThanOrEqual(3)
      expect(ticks.length).toBeLessThanOrEqual(7)
      for (const tick of ticks) expect(tick >= 0.123 * span && tick <= 1.123 * span).toBe(true)
    }
  })
})
