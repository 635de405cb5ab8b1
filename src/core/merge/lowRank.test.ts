import { describe, expect, it } from 'vitest'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { Random } from '../tensors/random.ts'
import { type LowRank, lowRank } from './lowRank.ts'
import { type HostMatrix, rowOf } from './singularValues.ts'

const normal = (rows: number, columns: number, seed: number): HostMatrix => ({
  rows,
  columns,
  data: Float64Array.from(new Random(seed).normals(rows * columns)),
})

/** Orthonormal rows by Gram–Schmidt, twice. */
function orthonormalRows(count: number, length: number, seed: number): HostMatrix {
  const out = normal(count, length, seed)
  for (let pass = 0; pass < 2; pass++)
    for (let i = 0; i < count; i++) {
      const row = rowOf(out, i)
      for (let k = 0; k < i; k++) {
        const other = rowOf(out, k)
        const share = row.reduce((sum, value, j) => sum + value * other[j], 0)
        for (let j = 0; j < length; j++) row[j] -= share * other[j]
      }
      const size = Math.hypot(...row)
      for (let j = 0; j < length; j++) row[j] /= size
    }
  return out
}

/** Σ σ_i u_i v_iᵀ of known parts. */
function withSpectrum(rows: number, columns: number, values: number[], seed: number): HostMatrix {
  const [u, v] = [
    orthonormalRows(values.length, rows, seed),
    orthonormalRows(values.length, columns, seed + 1),
  ]
  const data = new Float64Array(rows * columns)
  values.forEach((value, k) => {
    const [a, b] = [rowOf(u, k), rowOf(v, k)]
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) data[i * columns + j] += value * a[i] * b[j]
  })
  return { rows, columns, data }
}

/** ‖M − Σ σ u vᵀ‖_F, element by element. */
function residual({ rows, columns, data }: HostMatrix, { rank, values, left, right }: LowRank): number {
  let sum = 0
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      let value = data[i * columns + j]
      for (let k = 0; k < rank; k++)
        value -= values[k] * left.data[k * rows + i] * right.data[k * columns + j]
      sum += value * value
    }
  return Math.sqrt(sum)
}

const tailOf = (values: number[], rank: number): number => Math.hypot(...values.slice(rank))

describe('exactly', () => {
  const SPECTRUM = [9, 5, 5, 2, 1, 0.25, 0.03]

  it.each([
    [23, 11],
    [11, 23],
    [9, 9],
  ])('a %d × %d matrix of known singular values leaves out the rest of them', (rows, columns) => {
    const matrix = withSpectrum(rows, columns, SPECTRUM, 3)
    for (let rank = 1; rank <= 7; rank++) {
      const found = lowRank(matrix, { rank })
      expect(found.isExact).toBe(true)
      expect(found.rank).toBe(rank)
      for (let k = 0; k < rank; k++) expect(found.values[k]).toBeCloseTo(SPECTRUM[k], 10)
      expect(found.norm).toBeCloseTo(Math.hypot(...SPECTRUM), 10)
      expect(found.bestError).toBeCloseTo(tailOf(SPECTRUM, rank), 9)
      expect(Math.abs(residual(matrix, found) - found.error)).toBeLessThan(1e-9)
    }
  })

  it('no other matrix of the rank comes as near', () => {
    const matrix = normal(14, 12, 5)
    const found = lowRank(matrix, { rank: 3 })
    const random = new Random(8)
    for (let n = 0; n < 50; n++) {
      const moved = {
        ...found,
        left: { ...found.left, data: found.left.data.map((value) => value + 0.01 * random.normal()) },
      }
      expect(residual(matrix, moved)).toBeGreaterThan(found.error)
    }
  })

  it('takes the smallest rank that holds the energy', () => {
    const matrix = withSpectrum(20, 15, [3, 2, 1, 1, 1], 7)
    // Squares 9, 4, 1, 1, 1 of 16.
    for (const [energy, rank] of [
      [0.5, 1],
      [0.5626, 2],
      [0.8125, 2],
      [0.82, 3],
      [1, 5],
    ])
      expect(lowRank(matrix, { rank: 15, energy }).rank).toBe(rank)
    expect(lowRank(matrix, { rank: 2, energy: 1 }).rank).toBe(2)
    expect(lowRank(matrix, { rank: 99 }).rank).toBe(15)
  })
})

describe('in a random subspace', () => {
  it('finds a matrix of low rank whole', () => {
    const matrix = withSpectrum(70, 50, [4, 3, 2, 1], 2)
    const found = lowRank(matrix, { rank: 4, exactSide: 1 })
    expect(found.isExact).toBe(false)
    expect(found.bestError).toBeUndefined()
    expect(residual(matrix, found)).toBeLessThan(1e-10)
    ;[4, 3, 2, 1].forEach((value, k) => {
      expect(found.values[k]).toBeCloseTo(value, 10)
    })
  })

  it.each([
    ['a slow decay', (k: number) => 1 / (1 + k), 1.001],
    ['a flat spectrum', () => 1, 1.001],
    ['a gap', (k: number) => (k < 8 ? 1 : 0.01), 1 + 1e-9],
  ])('leaves hardly more than the best with %s', (_, decay, ratio) => {
    const values = Array.from({ length: 60 }, (__, k) => decay(k))
    const matrix = withSpectrum(90, 60, values, 4)
    const exact = lowRank(matrix, { rank: 8 })
    const found = lowRank(matrix, { rank: 8, exactSide: 1, seed: 3 })
    expect(found.error).toBeGreaterThan(exact.error * (1 - 1e-12))
    expect(found.error).toBeLessThan(exact.error * ratio)
    // What it says of itself is what it leaves.
    expect(Math.abs(residual(matrix, found) - found.error)).toBeLessThan(1e-9)
    expect(lowRank(matrix, { rank: 8, exactSide: 1, seed: 3 }).left.data).toEqual(found.left.data)
  })

  it('stops when it is told to', async () => {
    const signal = AbortSignal.abort()
    await expectFailure(() => lowRank(normal(20, 20, 1), { rank: 2, exactSide: 1, signal }), 'cancelled')
  })
})

it('refuses ranks, energies and values that make no sense', async () => {
  const matrix = normal(4, 4, 1)
  await expectFailure(() => lowRank(matrix, { rank: 0 }), 'request-invalid')
  await expectFailure(() => lowRank(matrix, { rank: 1.5 }), 'request-invalid')
  await expectFailure(() => lowRank(matrix, { rank: 1, energy: 0 }), 'request-invalid')
  await expectFailure(() => lowRank(matrix, { rank: 1, energy: 1.1 }), 'request-invalid')
  matrix.data[5] = Number.NaN
  for (const exactSide of [1, 256])
    await expectFailure(() => lowRank(matrix, { rank: 1, exactSide, tensor: 'x' }), 'not-finite', {
      tensor: 'x',
    })
})
