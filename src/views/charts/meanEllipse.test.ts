import { describe, expect, it } from 'vitest'
import { Random } from '../../core/tensors/random.ts'
import { ellipseOutline, meanEllipse, quantileF2 } from './meanEllipse.ts'

describe('the ellipse of a mean', () => {
  it('has the quantiles of F with two degrees of freedom', () => {
    // Tables: F(2, 10) and F(2, 60) at 95 %; for many, half of the χ² quantile 5.9915.
    expect(quantileF2(0.95, 10)).toBeCloseTo(4.103, 3)
    expect(quantileF2(0.95, 60)).toBeCloseTo(3.15, 2)
    expect(quantileF2(0.95, 1e6)).toBeCloseTo(5.9915 / 2, 3)
  })

  it('lies along the spread', () => {
    // Four points of a rectangle turned by 30°.
    const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)]
    const corners = [2, 1, -2, 1, 2, -1, -2, -1]
    const points = Float32Array.from(corners, (_, at) => {
      const [along, across] = [corners[at & ~1]!, corners[at | 1]!]
      return at % 2 === 0 ? along * c - across * s + 5 : along * s + across * c
    })
    const found = meanEllipse(points)!
    expect(found.x).toBeCloseTo(5, 5)
    expect(found.y).toBeCloseTo(0, 5)
    expect(found.angle).toBeCloseTo(Math.PI / 6, 5)
    expect(found.a / found.b).toBeCloseTo(2, 5)
    const outline = ellipseOutline(found, 4)
    expect(outline[0]).toBeCloseTo(5 + found.a * c, 4)
    expect(outline[1]).toBeCloseTo(found.a * s, 4)
    expect(meanEllipse(points.subarray(0, 6))).toBeUndefined()
  })

  it('covers the true mean in 95 of 100 samples', () => {
    const random = new Random(9, 2)
    let covered = 0
    const trials = 2000
    for (let trial = 0; trial < trials; trial++) {
      const points = new Float32Array(24)
      for (let i = 0; i < 12; i++) {
        points[2 * i] = random.normal()
        points[2 * i + 1] = 0.4 * random.normal() + 0.8 * points[2 * i]!
      }
      const { x, y, a, b, angle } = meanEllipse(points)!
      const along = -x * Math.cos(angle) - y * Math.sin(angle)
      const across = x * Math.sin(angle) - y * Math.cos(angle)
      if ((along / a) ** 2 + (across / b) ** 2 <= 1) covered++
    }
    // Standard error 0.5 %.
    expect(covered / trials).toBeGreaterThan(0.935)
    expect(covered / trials).toBeLessThan(0.965)
  })
})
