// Budget steps in sample space against explicit vectors: one functional, several, soft and hard, whole model and
// layers.

import { describe, expect, test } from 'vitest'
import { takeBudgetStep } from '../closedFormBudget.ts'
import { addSteps, type BudgetCut, rowProductAt, takeBudgetCuts } from './budgetCuts.ts'
import {
  type DenseInstance,
  dense,
  denseDirections,
  denseInstance,
  denseMinimum,
  lift,
  lowered,
} from './dense.reference.ts'
import { type ShieldPart, solveShield } from './shield.ts'

const LAMBDA = 3
const RANK = 2
/** Rows 0 … 3 are the shield's, 4 and 5 are gradients of two functionals. */
const SHIELDED = [0, 1, 2, 3]
const HARD = Number.POSITIVE_INFINITY

function made(seed: number, isLayered: boolean) {
  const instance = denseInstance(seed)
  const own = {
    ...instance,
    rows: { rows: 4, columns: 18, data: instance.rows.data.slice(0, 4 * 18) },
  }
  const parts = solveShield(isLayered ? instance.layers : [instance.total], instance.weights, SHIELDED, {
    lambdaAlign: LAMBDA,
    rank: RANK,
    rowWeights: 'equal',
    oneSided: false,
  })
  const spans = isLayered ? instance.bounds.slice(1).map((to, l) => [instance.bounds[l], to]) : [[0, 18]]
  const shieldTerms = spans.flatMap(([from, to]) =>
    denseDirections(own, RANK, from, to).map(({ u }) => ({
      weight: LAMBDA,
      c: lowered(instance, u),
      target: 0,
    })),
  )
  const q = (row: number) => instance.rows.data.slice(row * 18, (row + 1) * 18)
  return { instance, parts, shieldTerms, q }
}

const deltaOf = (instance: DenseInstance, b: readonly Float64Array[]) => lift(instance, b)
const at = (parts: readonly ShieldPart[]) => parts.map(({ b }) => b)
const distance = (x: Float64Array, y: Float64Array) => Math.hypot(...x.map((value, j) => value - y[j]))

describe.each([false, true])('layers: %s', (isLayered) => {
  const { instance, parts, shieldTerms, q } = made(1, isLayered)
  const star = deltaOf(instance, at(parts))
  const cut = (row: number, shortfall: number): BudgetCut => ({
    row,
    atAnchor: 0.7,
    threshold: 0.7 + dense(q(row), star) + shortfall,
  })

  test('row products are those of the explicit vectors', () => {
    expect(distance(star, denseMinimum(instance, shieldTerms))).toBeLessThan(1e-9)
    for (const row of [0, 4, 5])
      expect(rowProductAt(parts, instance.weights, row)).toBeCloseTo(dense(q(row), star), 10)
    const half = parts.map((part) => ({ ...part, b: part.b.map((value) => value / 2) }))
    expect(rowProductAt(half, instance.weights, 4, 0.5)).toBeCloseTo(dense(q(4), star) / 2, 10)
  })

  test('a soft budget of two functionals solves the normal equations with both hinges active', () => {
    const cuts = [cut(4, 1.5), cut(5, 2.5)]
    const soft = 0.02
    const step = takeBudgetCuts(parts, instance.weights, cuts, soft)
    expect(Math.min(...step.steps)).toBeGreaterThan(0)
    const truth = denseMinimum(instance, [
      ...shieldTerms,
      ...cuts.map(({ row, atAnchor, threshold }) => ({
        weight: soft,
        c: q(row),
        target: threshold - atAnchor,
      })),
    ])
    expect(distance(deltaOf(instance, step.b), truth)).toBeLessThan(1e-9)
    cuts.forEach(({ row, atAnchor, threshold }, r) => {
      expect(step.shortfallAfter[r]).toBeCloseTo(threshold - atAnchor - dense(q(row), truth), 9)
    })
  })

  test('a functional that the other’s step meets too is left alone', () => {
    // Row 4 twice: the milder demand is met by the harder one's step.
    const cuts = [cut(4, 1.5), cut(4, 0.5)]
    const step = takeBudgetCuts(parts, instance.weights, cuts, HARD)
    expect(step.steps[1]).toBeLessThan(1e-9)
    const alone = takeBudgetCuts(parts, instance.weights, [cuts[0]], HARD)
    expect(distance(deltaOf(instance, step.b), deltaOf(instance, alone.b))).toBeLessThan(1e-9)
  })

  test('λ_bud = Infinity meets both to first order, by the smallest correction', () => {
    const cuts = [cut(4, 1.5), cut(5, 2.5)]
    const step = takeBudgetCuts(parts, instance.weights, cuts, HARD)
    const delta = deltaOf(instance, step.b)
    cuts.forEach(({ row, atAnchor, threshold }) => {
      expect(atAnchor + dense(q(row), delta)).toBeCloseTo(threshold, 8)
    })
    expect(Math.max(...step.shortfallAfter)).toBeLessThan(1e-8)
    const near = denseMinimum(instance, [
      ...shieldTerms,
      ...cuts.map(({ row, atAnchor, threshold }) => ({
        weight: 1e7,
        c: q(row),
        target: threshold - atAnchor,
      })),
    ])
    expect(distance(delta, near)).toBeLessThan(1e-5)
  })

  test('nothing is done where the budget holds or is switched off', () => {
    const slack = takeBudgetCuts(parts, instance.weights, [cut(4, -0.1)], HARD)
    expect([slack.steps[0], slack.shortfallBefore[0]]).toEqual([0, 0])
    expect(slack.b).toEqual(at(parts))
    expect(takeBudgetCuts(parts, instance.weights, [cut(4, 1)], 0).b).toEqual(at(parts))
    expect(takeBudgetCuts(parts, instance.weights, [], HARD).b).toEqual(at(parts))
  })

  test('steps taken before can be taken again', () => {
    const step = takeBudgetCuts(parts, instance.weights, [cut(4, 1), cut(5, 1)], 0.5)
    const again = addSteps(parts, [
      { row: 4, step: step.steps[0] },
      { row: 5, step: step.steps[1] },
    ])
    expect(again).toEqual(step.b)
  })
})

test('one functional is the single step of closedFormBudget.ts', () => {
  const { instance, parts } = made(2, false)
  const [part] = parts
  const n = instance.total.count
  // The same basis over all rows: directions written out, unit eigenvalues do not matter to the step.
  const rows = new Float64Array(n * RANK)
  part.directions.forEach((direction, i) => {
    rows.set(direction, i * n)
  })
  const gradient = new Float64Array(n)
  gradient[4] = 1
  const rowProducts = instance.total.products[0].map((_, j) =>
    instance.weights.reduce((sum, weight, k) => sum + weight * instance.total.products[k][j], 0),
  )
  for (const lambdaBudget of [0.3, HARD]) {
    const single = takeBudgetStep({
      basis: { ...part.basis, n, rows },
      kernel: instance.total.gram.map((value) => value / n),
      rowProducts,
      b: part.b,
      lambdaAlign: LAMBDA,
      w: new Float64Array(RANK).fill(1),
      gradient,
      valueAtAnchor: 2,
      threshold: 9,
      lambdaBudget,
    })
    const several = takeBudgetCuts(
      parts,
      instance.weights,
      [{ row: 4, atAnchor: 2, threshold: 9 }],
      lambdaBudget,
    )
    expect(single.step).toBeGreaterThan(0)
    expect(several.steps[0] / single.step).toBeCloseTo(1, 10)
    expect(distance(several.b[0], single.b)).toBeLessThan(1e-10 * (1 + Math.hypot(...single.b)))
  }
})

test('a gradient inside the removed subspace is not reached, and moves nothing', () => {
  const instance = denseInstance(3)
  const parts = solveShield([instance.total], instance.weights, [0, 1, 2, 3, 4, 5], {
    lambdaAlign: HARD,
    rank: 6,
    rowWeights: 'equal',
    oneSided: false,
  })
  const step = takeBudgetCuts(parts, instance.weights, [{ row: 4, atAnchor: 0, threshold: 1 }], HARD)
  expect(step.steps[0]).toBe(0)
  expect(step.shortfallAfter[0]).toBeCloseTo(1, 8)
  expect(step.b).toEqual(at(parts))
})

test('values that are no numbers and a negative λ_bud are refused', () => {
  const { instance, parts } = made(4, false)
  const cut = { row: 4, atAnchor: 0, threshold: 1 }
  expect(() => takeBudgetCuts(parts, instance.weights, [cut], -1)).toThrow(/lambda_bud/)
  expect(() => takeBudgetCuts(parts, instance.weights, [{ ...cut, atAnchor: Number.NaN }], 1)).toThrow(/NaN/)
  expect(() =>
    takeBudgetCuts(parts, instance.weights, [{ ...cut, threshold: Number.POSITIVE_INFINITY }], 1),
  ).toThrow(/thresholds/)
})
