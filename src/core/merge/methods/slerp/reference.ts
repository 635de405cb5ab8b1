import type { MergeReference } from '../../method.ts'

export const reference: MergeReference = ({ tensors, base, models }) =>
  new Map(
    tensors.map(({ name, parameters }) => {
      const [a, b] = [base!.get(name)!, models[0].get(name)!]
      const t = Number(parameters.t)
      const unit = (v: Float64Array) => {
        const norm = Math.hypot(...v)
        return norm > 1e-8 ? v.map((x) => x / norm) : v
      }
      const [u, w] = [unit(a), unit(b)]
      let cosine = 0
      for (let i = 0; i < a.length; i++) cosine += u[i] * w[i]
      if (Math.abs(cosine) > 0.9995) return [name, a.map((x, i) => (1 - t) * x + t * b[i])]
      const angle = Math.acos(cosine)
      return [
        name,
        a.map((x, i) => (Math.sin((1 - t) * angle) * x + Math.sin(t * angle) * b[i]) / Math.sin(angle)),
      ]
    }),
  )
