import { describe, expect, it } from 'vitest'
import { Random } from '../tensors/random.ts'
import { eigenSymmetric, orientSign } from './eigen.ts'

/** Q diag(values) Q^T with Q from Gram-Schmidt on Gaussian vectors. */
function withSpectrum(values: number[], seed: number): Float64Array {
  const n = values.length
  const random = new Random(seed, 0)
  const q: Float64Array[] = []
  for (let i = 0; i < n; i++) {
    const v = Float64Array.from({ length: n }, () => random.normal())
    for (let pass = 0; pass < 2; pass++)
      for (const earlier of q) {
        const along = v.reduce((sum, x, j) => sum + x * earlier[j], 0)
        v.forEach((x, j) => {
          v[j] = x - along * earlier[j]
        })
      }
    const norm = Math.hypot(...v)
    q.push(v.map((x) => x / norm))
  }
  const out = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) out[i * n + j] += values[k] * q[k][i] * q[k][j]
  return out
}

/** Largest |K v - mu v| and |V V^T - I| entries. */
function defects(matrix: Float64Array, n: number): { residual: number; orthogonality: number } {
  const { values, vectors } = eigenSymmetric(matrix, n)
  let residual = 0
  let orthogonality = 0
  for (let i = 0; i < n; i++) {
    const v = vectors.subarray(i * n, (i + 1) * n)
    for (let r = 0; r < n; r++) {
      let sum = -values[i] * v[r]
      for (let k = 0; k < n; k++) sum += matrix[r * n + k] * v[k]
      residual = Math.max(residual, Math.abs(sum))
      let inner = r === i ? -1 : 0
      for (let k = 0; k < n; k++) inner += v[k] * vectors[r * n + k]
      orthogonality = Math.max(orthogonality, Math.abs(inner))
    }
  }
  return { residual, orthogonality }
}

describe('eigenSymmetric', () => {
  it('solves a 2x2 matrix by hand', () => {
    const { values, vectors } = eigenSymmetric(Float64Array.of(2, 1, 1, 2), 2)
    expect(values[0]).toBeCloseTo(3, 14)
    expect(values[1]).toBeCloseTo(1, 14)
    const half = Math.SQRT1_2
    const wanted = [half, half, half, -half]
    wanted.forEach((value, i) => {
      expect(vectors[i]).toBeCloseTo(value, 14)
    })
  })

  it('orders an indefinite spectrum with a zero diagonal', () => {
    expect([...eigenSymmetric(Float64Array.of(0, 1, 1, 0), 2).values]).toEqual([1, -1])
    expect([...eigenSymmetric(Float64Array.of(-5, 0, 0, 0, 7, 0, 0, 0, 1), 3).values]).toEqual([7, 1, -5])
  })

  it.each([
    ['well-conditioned', Array.from({ length: 40 }, (_, i) => 1 + i)],
    ['ill-conditioned 1e12', Array.from({ length: 30 }, (_, i) => 10 ** (-i * 0.4))],
    ['rank 5 of 60', Array.from({ length: 60 }, (_, i) => (i < 5 ? 5 - i : 0))],
    ['repeated eigenvalues', [3, 3, 3, 2, 2, 1, 1, 1, 1]],
    ['indefinite, rank-deficient', [4, 1, 0, 0, 0, -1, -4, 0, 2, -2]],
    ['tiny scale', [3e-20, 2e-20, 1e-20, 1e-22]],
    ['huge scale', [3e200, 2e200, 1e180]],
  ])('%s: K v = mu v, V orthonormal, spectrum recovered', (_, spectrum) => {
    const n = spectrum.length
    const matrix = withSpectrum(spectrum, n)
    const largest = Math.max(...spectrum.map(Math.abs))
    const { residual, orthogonality } = defects(matrix, n)
    expect(residual).toBeLessThan(1e-14 * n * largest)
    expect(orthogonality).toBeLessThan(1e-14 * n)
    const sorted = [...spectrum].sort((x, y) => y - x)
    eigenSymmetric(matrix, n).values.forEach((value, i) => {
      expect(Math.abs(value - sorted[i])).toBeLessThan(1e-14 * n * largest)
    })
  })

  it('handles zeros, one entry, and 300 rows', () => {
    expect([...eigenSymmetric(new Float64Array(9), 3).values]).toEqual([0, 0, 0])
    expect([...eigenSymmetric(Float64Array.of(-2), 1).values]).toEqual([-2])
    const spectrum = Array.from({ length: 300 }, (_, i) => 0.95 ** i)
    const { residual, orthogonality } = defects(withSpectrum(spectrum, 1), 300)
    expect(residual).toBeLessThan(1e-12)
    expect(orthogonality).toBeLessThan(1e-12)
  }, 60_000)

  it('keeps relative accuracy of small eigenvalues of a scaled positive matrix', () => {
    // D M D with M well-conditioned: an absolute stopping rule would return noise for the smallest.
    const scale = [1, 1e-6, 1e-12]
    const m = [4, 1, 1, 1, 3, 1, 1, 1, 2]
    const matrix = Float64Array.from(m, (value, i) => value * scale[Math.floor(i / 3)] * scale[i % 3])
    const { values } = eigenSymmetric(matrix, 3)
    // Product of eigenvalues = determinant = 17 * (1e-18)^2.
    const product = values[0] * values[1] * values[2]
    expect(Math.abs(product / 17e-36 - 1)).toBeLessThan(1e-12)
  })

  it('gives every vector one sign, whatever the order of work', () => {
    const { vectors } = eigenSymmetric(withSpectrum([5, 4, 3, 2], 3), 4)
    for (let i = 0; i < 4; i++) {
      const row = [...vectors.subarray(4 * i, 4 * i + 4)]
      expect(Math.max(...row)).toBeCloseTo(Math.max(...row.map(Math.abs)), 12)
    }
    const tie = Float64Array.of(-0.5, 0.5 + 1e-14)
    orientSign(tie)
    expect(tie[0]).toBe(0.5)
  })

  it('refuses NaN, wrong sizes and asymmetry, and takes float32 asymmetry', () => {
    expect(() => eigenSymmetric(Float64Array.of(1, Number.NaN, 0, 1), 2)).toThrow(/entry 1/)
    expect(() => eigenSymmetric(new Float64Array(5), 2)).toThrow(/2x2/)
    expect(() => eigenSymmetric(Float64Array.of(1, 0.5, 0.4, 1), 2)).toThrow(/symmetric/)
    expect(eigenSymmetric(Float64Array.of(2, 1 + 1e-6, 1 - 1e-6, 2), 2).values[0]).toBeCloseTo(3, 12)
  })
})
