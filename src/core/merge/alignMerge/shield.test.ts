// The shield in sample space against explicit vectors: whole model, layers, one side, offsets, and its limits.

import { describe, expect, test } from 'vitest'
import { alignmentBasis } from '../../geometry/sampleSpace.ts'
import { Random } from '../../tensors/random.ts'
import { matrix } from '../closedForm.reference.ts'
import { solveAlignMerge } from '../closedForm.ts'
import {
  type DenseInstance,
  dense,
  denseDirections,
  denseInstance,
  denseMinimum,
  derive,
  lift,
  lowered,
} from './dense.reference.ts'
import { type ShieldOptions, solveShield } from './shield.ts'

const RANK = 4
const ROWS = [0, 1, 2, 3, 4, 5]
const options = (change: Partial<ShieldOptions> = {}): ShieldOptions => ({
  lambdaAlign: 5,
  rank: RANK,
  rowWeights: 'equal',
  oneSided: false,
  ...change,
})
const distance = (x: Float64Array, y: Float64Array) => Math.hypot(...x.map((value, j) => value - y[j]))
const merged = (instance: DenseInstance, parts: ReturnType<typeof solveShield>) =>
  lift(
    instance,
    parts.map(({ b }) => b),
  )

describe('the whole model', () => {
  test.each(['equal', 'eigen'] as const)('is the closed form number for number, %s weights', (rowWeights) => {
    const instance = denseInstance(1)
    const { total, weights, experts } = instance
    const kernel = total.gram.map((value) => value / total.count)
    const basis = alignmentBasis(kernel, total.count, { rank: RANK })
    const w = basis.eigenvalues.map((mu) => (rowWeights === 'equal' ? 1 : mu / basis.eigenvalues[0]))
    const { b, c, cShrunk } = solveAlignMerge({
      basis,
      a: total.products,
      gram: Float64Array.from(experts.flatMap((x) => experts.map((y) => dense(x, lowered(instance, y))))),
      weights,
      lambdaAlign: 5,
      w,
    })
    const [part] = solveShield([total], weights, ROWS, options({ rowWeights }))
    expect(part.b).toEqual(b)
    expect(part.c).toEqual(c)
    expect(part.cShrunk).toEqual(cShrunk)
  })

  test('some of the rows span U, the others are not touched', () => {
    const instance = denseInstance(2)
    const picked = [0, 2, 5]
    const { rows } = instance
    const own = derive({
      ...instance,
      rows: matrix(3, rows.columns, (i, j) => rows.data[picked[i] * rows.columns + j]),
    })
    const [part] = solveShield([instance.total], instance.weights, picked, options({ rank: 2 }))
    const [alone] = solveShield([own.total], own.weights, [0, 1, 2], options({ rank: 2 }))
    expect([part.b[1], part.b[3], part.b[4]]).toEqual([0, 0, 0])
    expect(distance(merged(instance, [part]), merged(own, [alone]))).toBeLessThan(1e-12)
  })

  test.each([3, 400])('offsets move what c_i is drawn to, λ %d', (lambdaAlign) => {
    const instance = denseInstance(3)
    const random = new Random(9, 1)
    const offsets = ROWS.map(() => random.normal())
    const parts = solveShield([instance.total], instance.weights, ROWS, options({ lambdaAlign }), offsets)
    // w_iᵀ(f(δ) + o): the same combination of rows makes direction and offset.
    const terms = parts[0].directions.map((w) => ({
      weight: lambdaAlign,
      c: lowered(instance, upTo(instance, w)),
      target: -w.reduce((sum, value, j) => sum + value * offsets[j], 0),
    }))
    expect(distance(merged(instance, parts), denseMinimum(instance, terms))).toBeLessThan(1e-9)
  })
})

/** u = G⁻¹Aᵀw: minus what lifting b = w takes off a δ̄ of zero. */
function upTo(instance: DenseInstance, w: Float64Array): Float64Array {
  const bare = { ...instance, bar: instance.bar.map(() => 0) }
  return lift(bare, [w]).map((value) => -value)
}

describe('layers', () => {
  test.each(['equal', 'eigen'] as const)('each layer has its own U and minimum, %s weights', (rowWeights) => {
    const instance = denseInstance(4)
    const parts = solveShield(instance.layers, instance.weights, ROWS, options({ rowWeights }))
    const terms = instance.bounds.slice(1).flatMap((to, l) => {
      const directions = denseDirections(instance, RANK, instance.bounds[l], to)
      return directions.map(({ u, mu }) => ({
        weight: 5 * (rowWeights === 'equal' ? 1 : mu / directions[0].mu),
        c: lowered(instance, u),
        target: 0,
      }))
    })
    expect(distance(merged(instance, parts), denseMinimum(instance, terms))).toBeLessThan(1e-9)
    const [whole] = solveShield([instance.total], instance.weights, ROWS, options({ rowWeights }))
    expect(distance(merged(instance, parts), merged(instance, [whole]))).toBeGreaterThan(0.01)
  })

  test('take no offsets', () => {
    const { layers, weights } = denseInstance(4)
    expect(() => solveShield(layers, weights, ROWS, options(), [1, 1, 1, 1, 1, 1])).toThrow(/not for layers/)
  })
})

describe('one side', () => {
  test('only motion that lowers the rows’ mean is shrunk', () => {
    let [shrunk, free] = [0, 0]
    for (let seed = 10; seed < 16; seed++) {
      const instance = denseInstance(seed)
      const parts = solveShield([instance.total], instance.weights, ROWS, options({ oneSided: true }))
      const delta = merged(instance, parts)
      for (const [i, { u }] of denseDirections(instance, RANK).entries()) {
        const along = lowered(instance, u)
        const [before, after] = [dense(along, instance.bar), dense(along, delta)]
        expect(after).toBeCloseTo(before > 0 ? before / 6 : before, 9)
        expect(parts[0].cShrunk[i]).toBeCloseTo(after, 9)
        if (before > 0) shrunk++
        else free++
      }
    }
    expect(Math.min(shrunk, free)).toBeGreaterThan(4)
  })

  test('is the minimum of the one-sided objective', () => {
    const instance = denseInstance(12)
    const directions = denseDirections(instance, RANK)
    const objective = (delta: Float64Array) => {
      const gap = delta.map((value, j) => value - instance.bar[j])
      return directions.reduce(
        (sum, { u }) => sum + 5 * Math.max(dense(lowered(instance, u), delta), 0) ** 2,
        dense(gap, lowered(instance, gap)),
      )
    }
    const best = merged(
      instance,
      solveShield([instance.total], instance.weights, ROWS, options({ oneSided: true })),
    )
    const random = new Random(4, 4)
    const least = objective(best)
    for (let trial = 0; trial < 500; trial++) {
      const size = 10 ** (-3 * random.uniform())
      expect(objective(best.map((value) => value + size * random.normal()))).toBeGreaterThan(least)
    }
  })
})

describe('limits', () => {
  test('rows that repeat each other have a singular Gram matrix and the limit of its pseudo-inverse', () => {
    const instance = denseInstance(20)
    const { rows } = instance
    const twice = derive({
      ...instance,
      rows: matrix(6, rows.columns, (i, j) => rows.data[(i % 3) * rows.columns + j]),
    })
    const once = derive({
      ...instance,
      rows: matrix(3, rows.columns, (i, j) => rows.data[i * rows.columns + j]),
    })
    const hard = { lambdaAlign: Number.POSITIVE_INFINITY, rank: 6 }
    const [two] = solveShield([twice.total], twice.weights, ROWS, options(hard))
    const [one] = solveShield([once.total], once.weights, [0, 1, 2], options(hard))
    expect(two.basis.rank).toBe(3)
    expect(distance(merged(twice, [two]), merged(once, [one]))).toBeLessThan(1e-9)
    expect(two.cShrunk.every((value) => value === 0)).toBe(true)
  })

  test('rows of zeros leave the barycentre', () => {
    const instance = denseInstance(21, { rows: () => 0 })
    const parts = solveShield(instance.layers, instance.weights, ROWS, options())
    expect(parts.map(({ basis }) => basis.rank)).toEqual([0, 0])
    expect(merged(instance, parts)).toEqual(instance.bar)
  })

  test('zero displacement stays zero; experts that are all equal are one expert', () => {
    const instance = denseInstance(22)
    const still = derive({ ...instance, experts: instance.experts.map((expert) => expert.map(() => 0)) })
    const [rest] = solveShield([still.total], still.weights, ROWS, options())
    expect(rest.b.every((value) => value === 0)).toBe(true)
    const same = derive({ ...instance, experts: instance.experts.map(() => instance.experts[0]) })
    const alone = derive({ ...instance, experts: [instance.experts[0]], weights: Float64Array.of(1) })
    const [many] = solveShield([same.total], same.weights, ROWS, options())
    const [single] = solveShield([alone.total], alone.weights, ROWS, options())
    expect(distance(many.b, single.b)).toBeLessThan(1e-12)
  })

  test('λ 0 takes nothing off', () => {
    const { total, weights } = denseInstance(23)
    const [part] = solveShield([total], weights, ROWS, options({ lambdaAlign: 0 }))
    expect(part.b.every((value) => value === 0)).toBe(true)
    expect(part.cShrunk).toEqual(part.c)
  })

  test('no rows, negative λ, rows that are not numbers', () => {
    const { total, weights } = denseInstance(24)
    expect(() => solveShield([total], weights, [], options())).toThrow(/at least one row/)
    expect(() => solveShield([total], weights, ROWS, options({ lambdaAlign: -1 }))).toThrow(/lambda_align/)
    const broken = { ...total, products: total.products.map((row) => row.map(() => Number.NaN)) }
    expect(() => solveShield([broken], weights, ROWS, options())).toThrow(/NaN/)
  })
})
