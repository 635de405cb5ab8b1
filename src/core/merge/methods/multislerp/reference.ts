// Step by step, tangent and all, on explicit vectors.
import type { MergeReference } from '../../method.ts'

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0)

export const reference: MergeReference = ({ tensors, base, models }) =>
  new Map(
    tensors.map(({ name, parameters, modelParameters }) => {
      const origin = base?.get(name)
      const vectors = models.map((model) => model.get(name)!.map((x, i) => x - (origin ? origin[i] : 0)))
      const back = (v: Float64Array): [string, Float64Array] => [
        name,
        v.map((x, i) => x + (origin ? origin[i] : 0)),
      ]
      if (vectors.length === 1) return back(vectors[0])
      const eps = Number(parameters.eps)
      let weights = modelParameters.map(({ weight }) => Number(weight))
      const total = weights.reduce((a, b) => a + b, 0)
      if (parameters.normalize_weights === true) weights = weights.map((weight) => weight / total)
      const norms = vectors.map((v) => Math.sqrt(dot(v, v)))
      if (norms.every((norm) => norm === 0)) return back(new Float64Array(vectors[0].length))
      const units = vectors.map((v, k) => v.map((x) => x / (norms[k] + eps)))
      const sum = units[0].map((_, i) => units.reduce((s, u, k) => s + weights[k] * u[i], 0))
      const norm = Math.sqrt(dot(sum, sum))
      if (norm < eps) throw new Error('antipodal')
      const mean = sum.map((x) => x / norm)
      const along = units.map((u) => dot(u, mean))
      const tangent = mean.map((m, i) => units.reduce((s, u, k) => s + weights[k] * (u[i] - along[k] * m), 0))
      const angle = Math.sqrt(dot(tangent, tangent)) + eps
      const length = norms.reduce((s, n, k) => s + weights[k] * n, 0)
      return back(mean.map((m, i) => (Math.cos(angle) * m + (Math.sin(angle) / angle) * tangent[i]) * length))
    }),
  )
