import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../../../testing/openTestDevice.ts'
import { mergeSmall, roundNormals, type SmallMerge } from '../../../../testing/smallMerge.ts'
import type { Gpu } from '../../../gpu/device.ts'
import { type HostMatrix, rowOf, singularTriplets } from '../../singularValues.ts'
import { correctionOf, sharedSubspace } from './correction.ts'
import { method } from './method.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const norm = (x: ArrayLike<number>) => Math.hypot(...Array.from(x))
const far = (a: ArrayLike<number>, b: ArrayLike<number>) => norm(Array.from(a, (x, i) => x - b[i])) / norm(b)

describe('correction', () => {
  const [rows, columns] = [12, 9]
  const tasks = [1, 2, 3].map(
    (seed): HostMatrix => ({
      rows,
      columns,
      data: Float64Array.from(roundNormals(rows * columns, seed, 0.5)),
    }),
  )
  const shares = tasks.map(({ data }) => 0.3 / norm(data))
  const total = shares.reduce((a, b) => a + b)
  const options = { shares, subspace: 3, lr: 0.02, steps: 100 }
  /** Σ_j Σ_a ⟨τ_j, τ_j − Σ λ τ − Λ Δ⟩_a², from its definition. */
  const loss = (delta: ArrayLike<number>) => {
    let sum = 0
    for (const { data } of tasks)
      for (let a = 0; a < rows; a++) {
        let product = 0
        for (let i = a * columns; i < (a + 1) * columns; i++) {
          const merged = tasks.reduce((s, task, k) => s + shares[k] * task.data[i], 0)
          product += data[i] * (data[i] - merged - total * delta[i])
        }
        sum += product * product
      }
    return sum
  }
  const zero = new Float64Array(rows * columns)

  test('goes down, and never into the shared subspace', () => {
    const { data } = correctionOf(tasks, options)
    expect(loss(data)).toBeLessThan(0.9 * loss(zero))
    const q = sharedSubspace(tasks.map(singularTriplets), 3)
    expect(q.rows).toBe(3)
    for (let k = 0; k < q.rows; k++) {
      const direction = rowOf(q, k)
      for (let j = 0; j < columns; j++) {
        let along = 0
        for (let i = 0; i < rows; i++) along += direction[i] * data[i * columns + j]
        expect(Math.abs(along)).toBeLessThan(1e-14)
      }
    }
    // Without a subspace it can go further down.
    const free = correctionOf(tasks, { ...options, subspace: 64 })
    expect(loss(free.data)).toBeLessThan(loss(data))
  })

  test('the first step is lr against the sign of the projected gradient', () => {
    const first = correctionOf(tasks, { ...options, subspace: 64, lr: 1e-3, steps: 1 }).data
    for (let i = 0; i < first.length; i += 7) {
      const moved = zero.slice()
      moved[i] = 1e-6
      const up = loss(moved)
      moved[i] = -1e-6
      expect(first[i]).toBeCloseTo(-1e-3 * Math.sign(up - loss(moved)), 8)
    }
  })

  test('the subspace of tasks that share one direction is that direction', () => {
    const one = [3, 4].map((seed): HostMatrix => {
      const v = roundNormals(columns, seed)
      return {
        rows,
        columns,
        data: Float64Array.from({ length: rows * columns }, (_, at) => (at < columns ? v[at] : 0)),
      }
    })
    const q = sharedSubspace(one.map(singularTriplets), 2)
    expect(Array.from(q.data, Math.abs)).toEqual([1, ...new Array<number>(rows - 1).fill(0)])
  })
})

describe('masks and lengths', () => {
  const shapes = { b: [2, 2], a: [3] }
  const base = { b: [0, 0, 0, 0], a: [10, 10, 10] }
  const merge = (deltas: { b: number[]; a: number[] }[], parameters: SmallMerge['parameters'] = {}) =>
    mergeSmall(gpu, {
      method: 'doge',
      base,
      shapes,
      models: deltas.map(({ a, b }) => ({ b, a: a.map((x) => x + 10) })),
      parameters: { steps: 0, ...parameters },
    }).then((merged) => ({
      b: Array.from(merged.get('b')!),
      a: Array.from(merged.get('a')!, (x) => x - 10),
    }))
  const close = (found: number[], wanted: number[]) =>
    found.forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i], 5)
    })

  test('every task has length η in every tensor', async () => {
    const { a, b } = await merge([{ b: [3, 0, 0, 4], a: [0, 2, 0] }], { top: 1, eta: 0.5 })
    close(b, [0.3, 0, 0, 0.4])
    close(a, [0, 0.5, 0])
  })

  test('the largest of the whole model stay; of equals the first, tensors by name', async () => {
    const one = { b: [2, -1, 1, 1], a: [1, 0.5, -2] }
    // int(.6 · 7) = 4: both twos, then a's one and b's first.
    const { a, b } = await merge([one], { top: 0.6, eta: 1 })
    close(
      b,
      [2, -1, 0, 0].map((x) => x / Math.sqrt(7)),
    )
    close(
      a,
      [1, 0, -2].map((x) => x / Math.sqrt(5.25)),
    )
    const nothing = await merge([one], { top: 0.14 })
    expect([nothing.a, nothing.b]).toEqual([base.a.map(() => 0), base.b])
  })

  test('masks are each expert’s own', async () => {
    const found = await merge(
      [
        { b: [8, 0, 0, 0], a: [0, 0, 1] },
        { b: [0, 0, 0, 1], a: [9, 0, 0] },
      ],
      {
        top: 0.15,
        eta: 1,
      },
    )
    close(found.b, [1, 0, 0, 0])
    close(found.a, [1, 0, 0])
  })

  test('bad input: nothing changes, numbers that are none, several shares', async () => {
    const zero = { b: [0, 0, 0, 0], a: [0, 0, 0] }
    expect(await merge([zero, zero], { steps: 5 })).toEqual(zero)
    const half = await merge([zero, { ...zero, b: [1, 2, 3, 4] }], { steps: 20, eta: 1, top: 1 })
    expect(half.b.every(Number.isFinite)).toBe(true)
    expect(far(half.b, [1, 2, 3, 4])).toBeLessThan(2)
    await expect(merge([{ ...zero, a: [1, Number.NaN, 0] }])).rejects.toMatchObject({
      code: 'not-finite',
      where: { tensor: 'a' },
    })
    const tensors = [0.3, 0.5].map((top) => ({
      name: `${top}`,
      shape: [1],
      parameters: { top },
      modelParameters: [],
    }))
    const model = { gpu, tensors, layerCount: 0, seed: 0, forEach: () => Promise.resolve() }
    await expect(method.survey!(model)).rejects.toThrow(/whole model, found 0.3 and 0.5/)
  })
})
