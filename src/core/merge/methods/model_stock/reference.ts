import type { MergeReference } from '../../method.ts'

export const reference: MergeReference = ({ tensors, base, models }) =>
  new Map(
    tensors.map(({ name, shape, parameters }) => {
      const origin = base!.get(name)!
      const tau = models.map((model) => model.get(name)!.map((x, i) => x - origin[i]))
      const isWhole = parameters.filter_wise !== true || shape.length < 2
      const width = isWhole ? origin.length : shape[shape.length - 1]
      const out = Float64Array.from(origin)
      for (let from = 0; from < origin.length; from += width) {
        const rows = tau.map((v) => v.subarray(from, from + width))
        const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0)
        const pairs: number[] = []
        for (let i = 0; i < rows.length; i++)
          for (let j = i + 1; j < rows.length; j++) {
            const norms = Math.sqrt(dot(rows[i], rows[i])) * Math.sqrt(dot(rows[j], rows[j]))
            pairs.push(dot(rows[i], rows[j]) / Math.max(norms, 1e-6))
          }
        const c = pairs.reduce((a, b) => a + b, 0) / pairs.length
        const t = (rows.length * c) / (1 + (rows.length - 1) * c)
        for (let i = 0; i < width; i++)
          out[from + i] += (t * rows.reduce((sum, row) => sum + row[i], 0)) / rows.length
      }
      return [name, out]
    }),
  )
