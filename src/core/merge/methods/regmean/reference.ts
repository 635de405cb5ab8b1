import type { MergeReference } from '../../method.ts'

/** X with X S = R by Gauss-Jordan elimination with row exchange; X (rows), S (n), R (rows) lists of rows. */
function solve(S: number[][], R: number[][]): number[][] {
  const n = S.length
  // Sᵀ Xᵀ = Rᵀ
  const table = S.map((_, i) => [...S.map((row) => row[i]), ...R.map((row) => row[i])])
  for (let column = 0; column < n; column++) {
    let best = column
    for (let i = column; i < n; i++) if (Math.abs(table[i][column]) > Math.abs(table[best][column])) best = i
    ;[table[column], table[best]] = [table[best], table[column]]
    const pivot = table[column][column]
    table[column] = table[column].map((value) => value / pivot)
    for (let i = 0; i < n; i++) {
      if (i === column) continue
      const factor = table[i][column]
      table[i] = table[i].map((value, j) => value - factor * table[column][j])
    }
  }
  return R.map((_, r) => table.map((row) => row[n + r]))
}

export const reference: MergeReference = ({ tensors, models, material }) => {
  const merged = new Map<string, Float64Array>()
  for (const { name, shape, parameters, modelParameters } of tensors) {
    const weights = modelParameters.map(({ weight }) => Number(weight))
    const total = weights.reduce((a, b) => a + b, 0)
    const parts = models.map((model) => model.get(name)!)
    const mean = parts[0].map((_, i) => parts.reduce((sum, part, k) => sum + weights[k] * part[i], 0) / total)
    const grams = models.map((_, k) => material('gram', name, k))
    merged.set(name, mean)
    if (shape.length !== 2 || grams.some((gram) => gram === undefined)) continue
    const [rows, n] = shape
    const factor = (i: number, j: number) => (i === j ? 1 : Number(parameters.off_diagonal))
    const range = (count: number) => Array.from({ length: count }, (_, i) => i)
    const S = range(n).map((i) =>
      range(n).map((j) =>
        models.reduce((sum, _, k) => sum + weights[k] * factor(i, j) * grams[k]![i * n + j], 0),
      ),
    )
    const ridge = (1e-8 * range(n).reduce((sum, i) => sum + S[i][i], 0)) / n
    for (const i of range(n)) S[i][i] += ridge
    const R = range(rows).map((r) =>
      range(n).map((j) => {
        let sum = ridge * mean[r * n + j]
        for (const k of models.keys())
          for (let i = 0; i < n; i++)
            sum += weights[k] * parts[k][r * n + i] * factor(i, j) * grams[k]![i * n + j]
        return sum
      }),
    )
    if (S.some((row) => row.some((value) => value !== 0)))
      merged.set(name, Float64Array.from(solve(S, R).flat()))
  }
  return merged
}
