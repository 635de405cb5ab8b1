import { describe, expect, it } from 'vitest'
import {
  latticeCell,
  latticeWeights,
  type Place,
  triangleCorners,
  triangleHeight,
  trianglePlace,
  weightsAt,
} from './triangle.ts'

/** Shoelace formula. */
function areaOf(outline: readonly Place[]): number {
  const twice = outline.reduce((sum, { x, y }, index) => {
    const next = outline[(index + 1) % outline.length]!
    return sum + x * next.y - next.x * y
  }, 0)
  return Math.abs(twice) / 2
}

function isWithin(outline: readonly Place[], { x, y }: Place): boolean {
  return outline.every((from, index) => {
    const to = outline[(index + 1) % outline.length]!
    return (to.x - from.x) * (y - from.y) - (to.y - from.y) * (x - from.x) >= -1e-9
  })
}

describe('weights in a triangle', () => {
  it('stand at the corners when one expert has all', () => {
    const alone = [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]
    expect(alone.map(trianglePlace)).toEqual(triangleCorners)
  })
  it('are the same weights when read back', () => {
    for (const weights of latticeWeights(7))
      weightsAt(trianglePlace(weights)).forEach((weight, index) => {
        expect(weight).toBeCloseTo(weights[index]!, 12)
      })
  })
  it('lie on a lattice, each once, none negative, all adding up to one', () => {
    for (const steps of [2, 4, 12]) {
      const lattice = latticeWeights(steps)
      expect(lattice).toHaveLength(((steps + 1) * (steps + 2)) / 2)
      expect(new Set(lattice.map(String)).size).toBe(lattice.length)
      for (const weights of lattice) {
        expect(Math.min(...weights)).toBeGreaterThanOrEqual(0)
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12)
      }
    }
  })
})

describe('cells of a triangle', () => {
  it.each([2, 3, 4, 12])(
    'of %d steps fill it and do not overlap: every place is in its nearest point’s',
    (steps) => {
      const lattice = latticeWeights(steps)
      const cells = lattice.map((weights) => latticeCell(weights, steps))
      const total = cells.reduce((sum, cell) => sum + areaOf(cell), 0)
      expect(total).toBeCloseTo(triangleHeight / 2, 9)
      const places = lattice.map(trianglePlace)
      for (const probe of latticeWeights(17).map(trianglePlace)) {
        const away = places.map(({ x, y }) => Math.hypot(x - probe.x, y - probe.y))
        expect(isWithin(cells[away.indexOf(Math.min(...away))]!, probe)).toBe(true)
      }
    },
  )
  it('are hexagons inside, halves at the sides and sixths at the corners', () => {
    const areas = (weights: [number, number, number]) => areaOf(latticeCell(weights, 4))
    const whole = areas([0.5, 0.25, 0.25])
    expect(areas([0.5, 0.5, 0]) / whole).toBeCloseTo(1 / 2, 9)
    expect(areas([0, 1, 0]) / whole).toBeCloseTo(1 / 6, 9)
  })
})
