import { describe, expect, it } from 'vitest'
import { Random } from '../../core/tensors/random.ts'
import { type Direction, PointIndex } from './pointIndex.ts'

const random = new Random(5, 1)
const cloud = (count: number, x: number, y: number) =>
  Float32Array.from({ length: 2 * count }, (_, at) => random.normal() + (at % 2 === 0 ? x : y))
const clouds = [cloud(700, -2, 0), new Float32Array(0), cloud(1300, 2, 1), cloud(1, 40, -3)]
const index = new PointIndex(clouds)
const all = clouds.flatMap((points, which) =>
  Array.from({ length: points.length / 2 }, (_, at) => ({
    cloud: which,
    index: at,
    x: points[2 * at]!,
    y: points[2 * at + 1]!,
  })),
)

describe('the index of points', () => {
  it('numbers the points of all clouds in order', () => {
    expect(index.count).toBe(2001)
    for (const id of [0, 699, 700, 1999, 2000]) {
      const { cloud: which, index: at } = all[id]!
      expect(index.placeOf(id)).toEqual({ cloud: which, index: at })
      expect(index.idOf({ cloud: which, index: at })).toBe(id)
      expect([index.x(id), index.y(id)]).toEqual([all[id]!.x, all[id]!.y])
    }
  })

  it('finds the nearest point that a search of all finds, and none out of reach', () => {
    let misses = 0
    for (let trial = 0; trial < 500; trial++) {
      const [x, y] = [3 * random.normal(), 3 * random.normal()]
      const [reachX, reachY] = [0.2, 0.1]
      const far = all.map((point) => ((point.x - x) / reachX) ** 2 + ((point.y - y) / reachY) ** 2)
      const least = Math.min(...far)
      const found = index.nearest(x, y, reachX, reachY)
      if (least >= 1) {
        misses++
        expect(found).toBeUndefined()
      } else expect(found).toBe(far.indexOf(least))
    }
    expect(misses).toBeGreaterThan(20)
    expect(misses).toBeLessThan(480)
  })

  it('brushes what lies in a rectangle, from any corner', () => {
    for (let trial = 0; trial < 50; trial++) {
      const [x0, x1, y0, y1] = Array.from({ length: 4 }, () => 2 * random.normal()) as [
        number,
        number,
        number,
        number,
      ]
      const expected = all.flatMap(({ x, y }, id) =>
        x >= Math.min(x0, x1) && x <= Math.max(x0, x1) && y >= Math.min(y0, y1) && y <= Math.max(y0, y1)
          ? [id]
          : [],
      )
      expect(index.inRectangle(x0, y0, x1, y1)).toEqual(expected)
    }
    expect(index.inRectangle(-100, -100, 100, 100)).toHaveLength(2001)
  })

  it('brushes what lies in a lasso: a triangle by its half-planes, a U without its gap', () => {
    const expected = all.flatMap(({ x, y }, id) => (y > 0 && y < 2 && x > -2 + y && x < 2 - y ? [id] : []))
    expect(expected.length).toBeGreaterThan(50)
    expect(index.inPolygon([-2, 0, 2, 0, 0, 2])).toEqual(expected)
    const u = [-3, -3, 5, -3, 5, 4, 3, 4, 3, -1, -1, -1, -1, 4, -3, 4]
    const inside = all.flatMap(({ x, y }, id) =>
      x > -3 && x < 5 && y > -3 && y < 4 && !(x > -1 && x < 3 && y > -1) ? [id] : [],
    )
    expect(index.inPolygon(u)).toEqual(inside)
    expect(index.inPolygon([0, 0, 1, 1])).toEqual([])
  })

  it('goes to the neighbour that an arrow points at', () => {
    const few = new PointIndex([Float32Array.of(0, 0, 3, 1, 1, 2, -5, -1)])
    const go = (from: number, direction: Direction) => few.neighbour(from, direction, 1, 1)
    expect(go(0, 'right')).toBe(1)
    expect(go(0, 'up')).toBe(2)
    expect(go(0, 'left')).toBe(3)
    // Nothing within 45° below: the nearest of the lower half.
    expect(go(0, 'down')).toBe(3)
    expect(go(1, 'right')).toBeUndefined()
    // Where a pixel holds more of the one axis, the eye sees another angle.
    expect(few.neighbour(0, 'right', 1, 4)).toBe(2)
  })

  it('is quick with 100 000 points', () => {
    const many = new PointIndex([cloud(50_000, -1, 0), cloud(50_000, 1, 0)])
    const begun = performance.now()
    for (let trial = 0; trial < 1000; trial++) many.nearest(random.normal(), random.normal(), 0.03, 0.03)
    // Some microseconds each; a search of all would take a thousand times as long.
    expect((performance.now() - begun) / 1000).toBeLessThan(1)
  })

  it('holds nothing, or points all in one place', () => {
    expect(new PointIndex([]).nearest(0, 0, 1, 1)).toBeUndefined()
    const same = new PointIndex([Float32Array.of(2, 3, 2, 3)])
    expect(same.nearest(2, 3, 1, 1)).toBe(0)
    expect(same.inRectangle(1, 2, 3, 4)).toEqual([0, 1])
    expect(same.neighbour(0, 'right', 1, 1)).toBeUndefined()
  })
})
