import type { MergeReference } from '../../method.ts'
import { added, denseOf, frobenius, times, transposed } from '../../spectral.reference.ts'

export const reference: MergeReference = ({ tensors, base, models, material }) =>
  new Map(
    tensors.map(({ name, shape, parameters, modelParameters }) => {
      const [rows, columns] = shape.length === 2 ? shape : [1, base!.get(name)!.length]
      const dense = (values: Float64Array) => denseOf(values, rows, columns)
      const aligned = dense(base!.get(name)!)
      const weights = modelParameters.map(({ weight }) => Number(weight))
      const total = weights.reduce((a, b) => a + b, 0)
      const safe = material('safe', name, 'base')
      const away = safe && added(dense(safe), aligned, -1)
      let out = aligned
      models.forEach((model, k) => {
        let delta = added(dense(model.get(name)!), aligned, -1)
        if (shape.length === 2) {
          const v = added(aligned, dense(material('unaligned', name, 'base')!), -1)
          const size = frobenius(v)
          const projected = times(v, times(transposed(v), delta)).map((row) =>
            row.map((x) => (size < 1e-9 ? 0 : x / size)),
          )
          const norms = frobenius(projected) * frobenius(delta)
          const changes = delta.flat()
          const along = projected.flat().reduce((sum, x, i) => sum + x * changes[i], 0)
          if ((norms === 0 ? 0 : along / norms) < Number(parameters.tau)) {
            const alpha = Number(parameters.alpha)
            delta = delta.map((row, i) =>
              row.map((x, j) => alpha * x + (away ? (1 - alpha) * away[i][j] : 0)),
            )
          }
        }
        out = added(out, delta, weights[k] / total)
      })
      return [name, Float64Array.from(out.flat())]
    }),
  )
