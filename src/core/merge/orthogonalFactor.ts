// QR of a tall matrix by Householder reflections in float64 (Golub & Van Loan, Matrix Computations, section 5.2), so that
// singular values of a long thin matrix are found on a small square one. Columns are kept as rows: every loop runs along
// memory.

/** A = Q R: reflections that make up Q (m, m), and R (n, n) row-major, upper triangular. */
export interface Reflections {
  /** (n, m): row k is the unit vector of reflection k, zeros before place k; all zeros where there is none */
  vectors: Float64Array
  r: Float64Array
  rows: number
  columns: number
}

const dot = (x: Float64Array, y: Float64Array, from: number): number => {
  // Four sums at once: one would wait for itself at every step.
  let [a, b, c, d] = [0, 0, 0, 0]
  let i = from
  for (; i + 3 < x.length; i += 4) {
    a += x[i] * y[i]
    b += x[i + 1] * y[i + 1]
    c += x[i + 2] * y[i + 2]
    d += x[i + 3] * y[i + 3]
  }
  for (; i < x.length; i++) a += x[i] * y[i]
  return a + b + (c + d)
}

/** x ← x − 2 v vᵀ x. */
function reflect(x: Float64Array, v: Float64Array, from: number): void {
  const share = 2 * dot(x, v, from)
  for (let i = from; i < x.length; i++) x[i] -= share * v[i]
}

/** Factors the matrix whose columns are the rows of `columns` (n, m), m ≥ n, which is overwritten. */
export function reflections(data: Float64Array, rows: number, columns: number): Reflections {
  const column = (k: number) => data.subarray(k * rows, (k + 1) * rows)
  const r = new Float64Array(columns * columns)
  for (let k = 0; k < columns; k++) {
    const own = column(k)
    const size = Math.sqrt(dot(own, own, k))
    // Away from the axis, so that nothing cancels.
    const diagonal = own[k] > 0 ? -size : size
    for (let i = 0; i < k; i++) r[i * columns + k] = own[i]
    r[k * columns + k] = diagonal
    own.fill(0, 0, k)
    own[k] -= diagonal
    const length = Math.sqrt(dot(own, own, k))
    if (length === 0) continue
    for (let i = k; i < rows; i++) own[i] /= length
    for (let j = k + 1; j < columns; j++) reflect(column(j), own, k)
  }
  return { vectors: data, r, rows, columns }
}

/** Q x for x (m), in place. */
export function applyReflections({ vectors, rows, columns }: Reflections, x: Float64Array): void {
  for (let k = columns - 1; k >= 0; k--) reflect(x, vectors.subarray(k * rows, (k + 1) * rows), k)
}
