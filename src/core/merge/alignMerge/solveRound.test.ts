// Shield and budget together: two-sided it is one after the other, one-sided it is the minimum of the whole
// one-sided objective, also where the budget's step frees a direction or turns one harmful.

import { describe, expect, test } from 'vitest'
import { Random } from '../../tensors/random.ts'
import { addSteps, takeBudgetCuts } from './budgetCuts.ts'
import {
  type DenseInstance,
  dense,
  denseDirections,
  denseInstance,
  lift,
  lowered,
} from './dense.reference.ts'
import { solveShield } from './shield.ts'
import { solveRound } from './solveRound.ts'

const RANK = 3
const SHIELDED = [0, 1, 2, 3]
const SOFT = 0.8

function problem(seed: number, lambdaAlign: number, oneSided: boolean, shortfall: number) {
  const instance = denseInstance(seed)
  const shield = solveShield([instance.total], instance.weights, SHIELDED, {
    lambdaAlign,
    rank: RANK,
    rowWeights: 'equal',
    oneSided,
  })
  const q = instance.rows.data.slice(4 * 18, 5 * 18)
  const threshold = dense(q, instance.bar) + shortfall
  return { instance, shield, q, threshold, cut: { row: 4, atAnchor: 0, threshold } }
}

function shieldDirections(instance: DenseInstance) {
  const own = { ...instance, rows: { rows: 4, columns: 18, data: instance.rows.data.slice(0, 4 * 18) } }
  return denseDirections(own, RANK).map(({ u }) => lowered(instance, u))
}

test('two-sided it is shield, earlier steps, then the new step', () => {
  const { instance, shield, cut } = problem(1, 3, false, 2)
  const taken = [{ row: 5, step: 0.01 }]
  const { carried, budget, parts } = solveRound(shield, instance.weights, taken, [cut], SOFT, false)
  expect(parts).toEqual(shield)
  expect(carried).toEqual(addSteps(shield, taken))
  const from = shield.map((part, p) => ({ ...part, b: carried[p] }))
  expect(budget).toEqual(takeBudgetCuts(from, instance.weights, [cut], SOFT))
})

describe('one-sided', () => {
  test.each([4, 1e6])('it is the minimum of shield and budget together, λ %d', (lambdaAlign) => {
    let changed = 0
    for (let seed = 1; seed < 9; seed++) {
      const { instance, shield, q, threshold, cut } = problem(seed, lambdaAlign, true, 12)
      const along = shieldDirections(instance)
      const { budget, parts } = solveRound(shield, instance.weights, [], [cut], SOFT, true)
      const best = lift(instance, budget.b)
      if (parts.some(({ shares }, p) => shares.some((share, i) => share !== shield[p].shares[i]))) changed++
      const objective = (delta: Float64Array) => {
        const gap = delta.map((value, j) => value - instance.bar[j])
        return (
          dense(gap, lowered(instance, gap)) +
          along.reduce((sum, gu) => sum + lambdaAlign * Math.max(dense(gu, delta), 0) ** 2, 0) +
          SOFT * Math.max(threshold - dense(q, delta), 0) ** 2
        )
      }
      const least = objective(best)
      const random = new Random(seed, 5)
      for (let trial = 0; trial < 200; trial++) {
        const size = 10 ** (-1 - 4 * random.uniform())
        const other = best.map((value) => value + size * random.normal())
        expect(objective(other)).toBeGreaterThan(least * (1 - 1e-9))
      }
    }
    // Else the test would only see cases where the order does not matter.
    expect(changed).toBeGreaterThan(1)
  })

  test('a hard shield leaves no positive coordinate', () => {
    for (let seed = 1; seed < 9; seed++) {
      const { instance, shield, cut } = problem(seed, Number.POSITIVE_INFINITY, true, 12)
      const { budget } = solveRound(shield, instance.weights, [], [cut], SOFT, true)
      const delta = lift(instance, budget.b)
      for (const gu of shieldDirections(instance)) expect(dense(gu, delta)).toBeLessThan(1e-9)
    }
  })
})
