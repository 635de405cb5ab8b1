import { describe, expect, it } from 'vitest'
import { Random } from '../tensors/random.ts'
import {
  type HostMatrix,
  polarFactor,
  rankOf,
  rowOf,
  singularTriplets,
  sumOfProducts,
} from './singularValues.ts'

const random = (rows: number, columns: number, seed: number): HostMatrix => ({
  rows,
  columns,
  data: Float64Array.from(new Random(seed, 3).normals(rows * columns, 1)),
})

const norm = (x: Float64Array) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0))
const minus = (x: Float64Array, y: Float64Array) => x.map((value, i) => value - y[i])
const product = (a: HostMatrix, b: HostMatrix): HostMatrix => ({
  rows: a.rows,
  columns: b.columns,
  data: Float64Array.from({ length: a.rows * b.columns }, (_, at) => {
    const [i, j] = [Math.floor(at / b.columns), at % b.columns]
    let sum = 0
    for (let k = 0; k < a.columns; k++) sum += a.data[i * a.columns + k] * b.data[k * b.columns + j]
    return sum
  }),
})

/** Orthonormal rows by Gram–Schmidt, twice: not by the code under test. */
function orthonormal(count: number, length: number, seed: number): HostMatrix {
  const made = random(count, length, seed)
  for (let i = 0; i < count; i++) {
    const row = rowOf(made, i)
    for (let pass = 0; pass < 2; pass++)
      for (let j = 0; j < i; j++) {
        const other = rowOf(made, j)
        const along = row.reduce((sum, value, k) => sum + value * other[k], 0)
        for (let k = 0; k < length; k++) row[k] -= along * other[k]
      }
    const size = norm(row)
    for (let k = 0; k < length; k++) row[k] /= size
  }
  return made
}

/** A matrix with these singular values. */
function withValues(rows: number, columns: number, values: number[], seed = 11): HostMatrix {
  const [a, b] = [orthonormal(values.length, rows, seed), orthonormal(values.length, columns, seed + 1)]
  return sumOfProducts(a, b, Float64Array.from(values))
}

/** ‖RRᵀ − I‖ of rows R. */
function unevenness(rows: HostMatrix): number {
  let sum = 0
  for (let i = 0; i < rows.rows; i++)
    for (let j = 0; j < rows.rows; j++) {
      const other = rowOf(rows, j)
      const dot = rowOf(rows, i).reduce((s, value, k) => s + value * other[k], 0)
      sum += (dot - (i === j ? 1 : 0)) ** 2
    }
  return Math.sqrt(sum)
}

const decades = (count: number, condition: number) =>
  Array.from({ length: count }, (_, i) => condition ** (-i / (count - 1)))

describe('singularTriplets', () => {
  const cases: [string, HostMatrix, number[]?][] = [
    ['square', random(40, 40, 1)],
    ['tall', random(90, 12, 2)],
    ['wide', random(12, 90, 3)],
    ['a little taller', random(14, 12, 7)],
    ['long, condition 1e12', withValues(90, 20, decades(20, 1e12)), decades(20, 1e12)],
    ['long, rank 3', withValues(8, 60, [5, 3, 2]), [5, 3, 2, 0, 0, 0, 0, 0]],
    [
      'long, columns nearly along the axes',
      {
        rows: 30,
        columns: 6,
        data: random(30, 6, 8).data.map((x, i) => (i % 7 === 0 && i < 36 ? 1 : 1e-9 * x)),
      },
    ],
    ['one row', random(1, 9, 4)],
    ['one column', random(9, 1, 5)],
    ['one number, negative', { rows: 1, columns: 1, data: Float64Array.of(-3) }, [3]],
    ['zero, tall', { rows: 5, columns: 3, data: new Float64Array(15) }, [0, 0, 0]],
    ['zero, wide', { rows: 3, columns: 5, data: new Float64Array(15) }, [0, 0, 0]],
    ['condition 1e12', withValues(50, 30, decades(30, 1e12)), decades(30, 1e12)],
    ['condition 1e12, wide', withValues(30, 50, decades(30, 1e12)), decades(30, 1e12)],
    ['rank 4 of 20', withValues(30, 20, [5, 3, 2, 1]), [5, 3, 2, 1, ...Array<number>(16).fill(0)]],
    ['rank 4 of 20, wide', withValues(20, 30, [5, 3, 2, 1]), [5, 3, 2, 1, ...Array<number>(16).fill(0)]],
    ['all alike', withValues(20, 8, Array<number>(8).fill(3)), Array<number>(8).fill(3)],
    ['pairs alike', withValues(16, 16, [4, 4, 2, 2, 1, 1]), [4, 4, 2, 2, 1, 1, ...Array<number>(10).fill(0)]],
    ['all ones', { rows: 12, columns: 9, data: new Float64Array(108).fill(1) }, [Math.sqrt(108)]],
    [
      'tiny',
      withValues(
        10,
        6,
        [3, 2, 1].map((x) => x * 1e-200),
      ),
      [3e-200, 2e-200, 1e-200],
    ],
    [
      'huge',
      withValues(
        10,
        6,
        [3, 2, 1].map((x) => x * 1e200),
      ),
      [3e200, 2e200, 1e200],
    ],
    [
      'a zero row and a zero column',
      {
        rows: 12,
        columns: 10,
        data: random(12, 10, 6).data.map((x, i) => (i % 10 === 4 || i < 10 ? 0 : x)),
      },
    ],
  ]
  it.each(cases)('%s', (_name, matrix, values) => {
    const { count, values: found, left, right } = singularTriplets(matrix)
    expect(count).toBe(Math.min(matrix.rows, matrix.columns))
    expect([found.length, left.rows, left.columns, right.rows, right.columns]).toEqual([
      ...[count, count, matrix.rows, count, matrix.columns],
    ])
    const scale = Math.max(...Array.from(matrix.data, Math.abs)) || 1
    const rest = minus(sumOfProducts(left, right, found).data, matrix.data)
    expect(norm(rest.map((x) => x / scale))).toBeLessThan(
      1e-12 * norm(matrix.data.map((x) => x / scale)) + 1e-300,
    )
    expect(unevenness(left)).toBeLessThan(1e-12)
    expect(unevenness(right)).toBeLessThan(1e-12)
    found.forEach((value, i) => {
      expect(value).toBeGreaterThanOrEqual(0)
      if (i > 0) expect(value).toBeLessThanOrEqual(found[i - 1])
      const wanted = values?.[i]
      if (wanted !== undefined) expect(Math.abs(value - wanted)).toBeLessThan(1e-14 * found[0] + 1e-300)
      const u = rowOf(left, i)
      const largest = Math.max(...Array.from(u, Math.abs))
      expect(u.find((x) => Math.abs(x) >= largest * (1 - 1e-9))).toBeGreaterThan(0)
    })
  })

  it('refuses what is no matrix, no number, or too large', () => {
    const data = new Float64Array(6)
    expect(() => singularTriplets({ rows: 2, columns: 4, data })).toThrow(/6 entries for a 2 × 4/)
    expect(() => singularTriplets({ rows: 0, columns: 4, data: new Float64Array() })).toThrow(/0 entries/)
    expect(() =>
      singularTriplets({ rows: 2, columns: 3, data: data.map((x, i) => (i === 4 ? Number.NaN : x)) }),
    ).toThrow(/entry 4 of 2 × 3 is NaN/)
    const large = { rows: 4097, columns: 4097, data: new Float64Array(4097 ** 2) }
    expect(() => singularTriplets(large)).toThrow(/at most 4096/)
  })
})

describe('polarFactor', () => {
  it('has the singular vectors and no singular values', () => {
    const matrix = random(14, 6, 21)
    const polar = polarFactor(matrix)
    // Polar decomposition M = P H: PᵀP = I and H = PᵀM is symmetric and positive.
    const transposed = { rows: 6, columns: 14, data: new Float64Array(84) }
    polar.data.forEach((value, at) => {
      transposed.data[(at % 6) * 14 + Math.floor(at / 6)] = value
    })
    expect(unevenness(transposed)).toBeLessThan(1e-13)
    const h = product(transposed, matrix)
    for (let i = 0; i < 6; i++) {
      expect(h.data[i * 6 + i]).toBeGreaterThan(0)
      for (let j = 0; j < 6; j++) expect(h.data[i * 6 + j]).toBeCloseTo(h.data[j * 6 + i], 12)
    }
  })

  it('leaves null directions out, and is zero for zero', () => {
    const polar = polarFactor(withValues(10, 8, [2, 1, 0.5, 1e-6]))
    expect(norm(polar.data)).toBeCloseTo(Math.sqrt(3), 12)
    expect(rankOf(Float64Array.of(2, 1, 0.5, 1e-6))).toBe(3)
    expect(rankOf(new Float64Array(4))).toBe(0)
    expect(polarFactor({ rows: 3, columns: 4, data: new Float64Array(12) }).data).toEqual(
      new Float64Array(12),
    )
  })
})
