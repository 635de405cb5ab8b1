// The slow truth of spectral merges: dense matrices as arrays of rows, singular vectors by one-sided Jacobi rotations of
// columns (Hestenes 1958). Shares nothing with singularValues.ts.

export type Dense = number[][]

export const denseOf = (values: ArrayLike<number>, rows: number, columns: number): Dense =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => values[i * columns + j]))

export const flat = (m: Dense): Float64Array => Float64Array.from(m.flat())
export const transposed = (m: Dense): Dense => m[0].map((_, j) => m.map((row) => row[j]))
export function times(a: Dense, b: Dense): Dense {
  const columns = transposed(b)
  return a.map((row) => columns.map((column) => dot(row, column)))
}
export const added = (a: Dense, b: Dense, share = 1): Dense =>
  a.map((row, i) => row.map((x, j) => x + share * b[i][j]))
// Plain loops where most of the time goes: where there is no GPU, this is what merges.
function dot(a: number[], b: number[]): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
/** x ← c(x − t y), y ← c(y + t x). */
function rotate(x: number[], y: number[], cosine: number, t: number): void {
  for (let i = 0; i < x.length; i++) {
    const value = x[i]
    x[i] = cosine * (value - t * y[i])
    y[i] = cosine * (y[i] + t * value)
  }
}
export const frobenius = (m: Dense): number => Math.sqrt(m.flat().reduce((sum, x) => sum + x * x, 0))

/** Singular triplets that are not null, descending: columns u (m) and v (n). */
export interface ReferenceTriplet {
  u: number[]
  s: number
  v: number[]
}

export function referenceTriplets(matrix: Dense): ReferenceTriplet[] {
  if (matrix.length < matrix[0].length)
    return referenceTriplets(transposed(matrix)).map(({ u, s, v }) => ({ u: v, s, v: u }))
  const columns = transposed(matrix)
  const n = columns.length
  const right = columns.map((_, i) => columns.map((_, j) => (i === j ? 1 : 0)))
  for (let sweep = 0, isDone = false; !isDone && sweep < 60; sweep++) {
    isDone = true
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const [a, b, c] = [
          dot(columns[p], columns[p]),
          dot(columns[q], columns[q]),
          dot(columns[p], columns[q]),
        ]
        if (Math.abs(c) <= 1e-15 * Math.sqrt(a * b)) continue
        isDone = false
        const zeta = (b - a) / (2 * c)
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta))
        const cosine = 1 / Math.sqrt(1 + t * t)
        for (const rows of [columns, right]) rotate(rows[p], rows[q], cosine, t)
      }
  }
  const triplets = columns.map((column, i) => {
    const s = Math.sqrt(dot(column, column))
    return { u: column.map((x) => (s > 0 ? x / s : 0)), s, v: right[i] }
  })
  triplets.sort((a, b) => b.s - a.s)
  return triplets.filter(({ s }) => s > 1e-5 * triplets[0].s)
}

/** Σ share u vᵀ. */
export function sumTriplets(
  triplets: readonly ReferenceTriplet[],
  share: (triplet: ReferenceTriplet, i: number) => number,
  rows: number,
  columns: number,
): Dense {
  const out = denseOf(new Float64Array(rows * columns), rows, columns)
  triplets.forEach((triplet, k) => {
    const s = share(triplet, k)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) out[i][j] += s * triplet.u[i] * triplet.v[j]
  })
  return out
}

/** P Qᵀ of M = P D Qᵀ. */
export const referencePolar = (m: Dense): Dense =>
  sumTriplets(referenceTriplets(m), () => 1, m.length, m[0].length)

/** polar(U) S polar(V)ᵀ of triplets side by side. */
export function referenceWhitened(
  triplets: readonly ReferenceTriplet[],
  rows: number,
  columns: number,
): Dense {
  if (triplets.length === 0) return denseOf(new Float64Array(rows * columns), rows, columns)
  const u = referencePolar(transposed(triplets.map((triplet) => triplet.u)))
  const v = referencePolar(transposed(triplets.map((triplet) => triplet.v)))
  return times(
    u.map((row) => row.map((x, k) => x * triplets[k].s)),
    transposed(v),
  )
}

/** Columns of an orthonormal basis of R^n that starts with these orthonormal vectors: (n) vectors. */
export function completeBasis(vectors: readonly number[][], n: number): number[][] {
  const basis = vectors.map((vector) => [...vector])
  for (let axis = 0; axis < n && basis.length < n; axis++) {
    const vector: number[] = Array.from({ length: n }, (_, i) => (i === axis ? 1 : 0))
    for (let pass = 0; pass < 2; pass++)
      for (const other of basis) {
        const along = dot(vector, other)
        for (let i = 0; i < n; i++) vector[i] -= along * other[i]
      }
    const size = Math.sqrt(dot(vector, vector))
    if (size > 1e-6) basis.push(vector.map((x) => x / size))
  }
  return basis
}
