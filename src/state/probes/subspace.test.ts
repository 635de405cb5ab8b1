// The page's algebra against vectors written out: two experts, three own directions, two held-out ones, four cells.
import { describe, expect, it } from 'vitest'
import type { ModuleSummary, RowSetName } from '../../../workers/api/probes.ts'
import type { GeometrySummary } from '../../../workers/api.ts'
import { Random } from '../../core/tensors/random.ts'
import { shieldedDrift } from '../algebra.ts'
import {
  cellNorms,
  cellValues,
  plainCoordinates,
  rowSets,
  shieldedCoordinates,
  shieldedParts,
  sumCells,
} from './subspace.ts'

const random = new Random(4, 2)
const size = 24
const cells = 4
const cellOf = (weight: number) => weight % cells
const g = Array.from({ length: size }, () => 0.5 + random.uniform())
const inner = (a: readonly number[], b: readonly number[], cell?: number) =>
  g.reduce((sum, value, j) => sum + (cell === undefined || cellOf(j) === cell ? value * a[j]! * b[j]! : 0), 0)

/** G-orthonormal vectors (Gram-Schmidt). */
function orthonormal(count: number): number[][] {
  const out: number[][] = []
  while (out.length < count) {
    let vector = g.map(() => random.normal())
    for (const earlier of out) {
      const along = inner(earlier, vector)
      vector = vector.map((value, j) => value - along * earlier[j]!)
    }
    const norm = Math.sqrt(inner(vector, vector))
    out.push(vector.map((value) => value / norm))
  }
  return out
}

const directions: Record<RowSetName, number[][]> = {
  own: orthonormal(3),
  heldOut: orthonormal(2),
  other: orthonormal(2),
}
const experts = [0, 1].map(() => g.map(() => random.normal()))
const coordinates = (which: RowSetName) =>
  experts.map((delta) => directions[which].map((u) => inner(u, delta)))
const perSet = <T>(make: (which: RowSetName) => T) =>
  Object.fromEntries(rowSets.map((which) => [which, make(which)])) as Record<RowSetName, T>
const cellList = Array.from({ length: cells }, (_, cell) => cell)

const geometry = {
  alignmentCoordinates: coordinates('own'),
  heldOutCoordinates: coordinates('heldOut'),
  otherCoordinates: coordinates('other'),
  gram: experts.map((a) => experts.map((b) => inner(a, b))),
} as unknown as GeometrySummary
const modules: ModuleSummary = {
  ...{ key: 'k', durationMs: 0 },
  cells: cellList.map((layer) => ({ layer, module: 'q' })),
  ranks: { own: 3, heldOut: 2, other: 2 },
  parts: perSet((which) =>
    experts.map((delta) =>
      Float64Array.from(cellList.flatMap((cell) => directions[which].map((u) => inner(u, delta, cell)))),
    ),
  ),
  overlaps: perSet((which) =>
    Float64Array.from(
      cellList.flatMap((cell) =>
        directions[which].flatMap((u) => directions.own.map((v) => inner(u, v, cell))),
      ),
    ),
  ),
}

/** The closed form, written out on vectors. */
function shielded({ weights, lambdaAlign, rank }: { weights: number[]; lambdaAlign: number; rank: number }) {
  const mean = g.map((_, j) => weights.reduce((sum, w, k) => sum + w * experts[k]![j]!, 0))
  return directions.own.slice(0, rank).reduce((delta, u) => {
    const step = (lambdaAlign / (1 + lambdaAlign)) * inner(u, mean)
    return delta.map((value, j) => value - step * u[j]!)
  }, mean)
}

describe.each([
  { weights: [0.5, 0.5], lambdaAlign: 4, rank: 2 },
  { weights: [0.9, 0.1], lambdaAlign: 0, rank: 3 },
  { weights: [0, 1], lambdaAlign: 1024, rank: 3 },
])('at %j', (settings) => {
  const delta = shielded(settings)

  it.each(rowSets)('the %s coordinates after the shield are those of the vectors', (which) => {
    const { before, after } = shieldedCoordinates(geometry, modules, which, settings)
    expect(before).toEqual(plainCoordinates(geometry, which, settings.weights))
    directions[which].forEach((u, i) => {
      expect(after![i]).toBeCloseTo(inner(u, delta), 10)
    })
  })

  it.each(rowSets)('the %s parts are those of the vectors, and sum to the coordinates', (which) => {
    const { before, after } = shieldedParts(geometry, modules, which, settings)
    const expected = cellList.flatMap((cell) => directions[which].map((u) => inner(u, delta, cell)))
    expected.forEach((value, at) => {
      expect(after[at]).toBeCloseTo(value, 10)
    })
    const whole = shieldedCoordinates(geometry, modules, which, settings)
    sumCells(before, cells).forEach((value, i) => {
      expect(value).toBeCloseTo(whole.before[i]!, 10)
    })
    sumCells(after, cells).forEach((value, i) => {
      expect(value).toBeCloseTo(whole.after![i]!, 10)
    })
  })

  it('agrees with the drift of the other figures', () => {
    const { after } = shieldedCoordinates(geometry, modules, 'own', settings)
    const { own } = shieldedDrift(geometry, settings.weights, settings.lambdaAlign, settings.rank)
    expect(Math.hypot(...after!.slice(0, settings.rank))).toBeCloseTo(own, 10)
  })
})

it('knows nothing of other directions after the shield before the engine has told', () => {
  const settings = { weights: [0.5, 0.5], lambdaAlign: 4, rank: 2 }
  expect(shieldedCoordinates(geometry, undefined, 'heldOut', settings).after).toBeUndefined()
  expect(shieldedCoordinates(geometry, undefined, 'own', settings).after).toHaveLength(3)
})

it('takes cells one direction at a time, or all of a rank together', () => {
  const parts = Float64Array.of(3, 4, 100, -1, 0, 5)
  expect(cellValues(parts, 2, 0)).toEqual([3, -1])
  expect(cellNorms(parts, 2, 2)).toEqual([5, 1])
})
