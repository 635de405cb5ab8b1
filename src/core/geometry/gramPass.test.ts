// Streamed inner products against plain sums of the same numbers, over several chunks and tensors.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import type { Gpu } from '../gpu/device.ts'
import { GRAM_OVER, GRAM_PLAIN, GRAM_TIMES } from '../kernels/weightedGram/weightedGram.ts'
import { Random } from '../tensors/random.ts'
import { sumGrams } from './gramPass.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

// Below one chunk; several chunks with a short last one; more elements than 16 of the smallest chunks hold.
const TENSORS = [
  { name: 'small', count: 36 },
  { name: 'middle', count: 1300 },
  { name: 'large', count: 12_004 },
]
const ROWS_A = 3
const ROWS_B = 2

function makeTensor(count: number, seed: number) {
  const random = new Random(seed, 1)
  const a = random.normals(ROWS_A * count)
  const b = random.normals(ROWS_B * count)
  const w = Float32Array.from({ length: count }, () => 0.2 + random.uniform())
  return { count, a, b, w }
}
const host = new Map(TENSORS.map(({ name, count }, i) => [name, makeTensor(count, 30 + i)]))

/** Σ a_i b_j ω (3,2) of one tensor in float64. */
function expected(name: string, omega: (w: number) => number): number[] {
  const { count, a, b, w } = host.get(name)!
  return Array.from({ length: ROWS_A * ROWS_B }, (_, at) => {
    const [i, j] = [Math.floor(at / ROWS_B), at % ROWS_B]
    let sum = 0
    for (let k = 0; k < count; k++) sum += a[i * count + k] * b[j * count + k] * omega(w[k])
    return sum
  })
}

const MODES: [string, number, (w: number) => number][] = [
  ['plain', GRAM_PLAIN, () => 1],
  ['times', GRAM_TIMES, (w) => w],
  ['over', GRAM_OVER, (w) => 1 / w],
]

test('three products at once: of each tensor, and in all', async () => {
  const buffers = new Map(
    Array.from(host, ([name, { a, b, w }]) => [name, [a, b, w].map((data) => gpu.upload(data))]),
  )
  const progress: [number, number][] = []
  const sums = await sumGrams(
    gpu,
    TENSORS,
    (name) => {
      const [a, b, w] = buffers.get(name)!
      return MODES.map(([label, mode]) => ({
        label,
        a: { buffer: a, rows: ROWS_A },
        b: { buffer: b, rows: ROWS_B },
        mode,
        ...(mode === GRAM_PLAIN ? {} : { weights: w }),
      }))
    },
    { onTensor: (done, total) => progress.push([done, total]) },
  )
  expect(progress).toEqual([
    [1, 3],
    [2, 3],
    [3, 3],
  ])
  expect(sums.byTensor.map(({ name }) => name)).toEqual(TENSORS.map(({ name }) => name))
  for (const [label, , omega] of MODES) {
    const total = new Float64Array(ROWS_A * ROWS_B)
    for (const { name, products } of sums.byTensor)
      expected(name, omega).forEach((value, at) => {
        total[at] += value
        // Terms of order one with changing signs: the error grows with the root of their number.
        const bound = 3e-6 * Math.sqrt(host.get(name)!.count)
        expect(Math.abs(products.get(label)![at] - value), `${label} of ${name}`).toBeLessThan(bound)
      })
    sums.total.get(label)!.forEach((value, at) => {
      expect(Math.abs(value - total[at]), `${label} in all`).toBeLessThan(1e-3)
    })
  }
  for (const buffer of [...buffers.values()].flat()) buffer.destroy()
})

test('large sums of small terms keep seven digits: chunks are added in float64', async () => {
  const count = 400_000
  const ones = gpu.upload(new Float32Array(count).fill(1))
  const tenth = gpu.upload(new Float32Array(count).fill(Math.fround(0.1)))
  const sums = await sumGrams(gpu, [{ name: 'x', count }], () => [
    { label: 'sum', a: { buffer: ones, rows: 1 }, b: { buffer: tenth, rows: 1 }, mode: GRAM_PLAIN },
  ])
  expect(sums.total.get('sum')![0] / (count * Math.fround(0.1))).toBeCloseTo(1, 4)
  ones.destroy()
  tenth.destroy()
})

test('a raised signal stops before the next tensor', async () => {
  const abort = new AbortController()
  const buffer = gpu.upload(new Float32Array(64).fill(1))
  let asked = 0
  const attempt = sumGrams(
    gpu,
    [1, 2, 3].map((i) => ({ name: `t${i}`, count: 64 })),
    () => {
      if (++asked === 2) abort.abort()
      return [{ label: 's', a: { buffer, rows: 1 }, b: { buffer, rows: 1 }, mode: GRAM_PLAIN }]
    },
    { signal: abort.signal },
  )
  await expect(attempt).rejects.toMatchObject({ code: 'cancelled' })
  expect(asked).toBe(2)
  buffer.destroy()
})
