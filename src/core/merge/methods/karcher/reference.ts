// On explicit unit vectors.
import type { MergeReference } from '../../method.ts'

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0)
const norm = (a: Float64Array) => Math.sqrt(dot(a, a))
const scaled = (a: Float64Array, by: number) => a.map((x) => x * by)

export const reference: MergeReference = ({ tensors, base, models }) =>
  new Map(
    tensors.map(({ name, parameters }) => {
      const [tol, maxIter] = [Number(parameters.tol), Number(parameters.max_iter)]
      const inputs = [...(base ? [base] : []), ...models].map((model) => model.get(name)!)
      if (inputs.length === 1) return [name, inputs[0]]
      const kept = inputs.filter((v) => norm(v) > tol)
      if (kept.length === 0) return [name, new Float64Array(inputs[0].length)]
      const units = kept.map((v) => scaled(v, 1 / norm(v)))
      const sum = units[0].map((_, i) => units.reduce((s, u) => s + u[i] / units.length, 0))
      let centre = norm(sum) < tol ? units[0] : scaled(sum, 1 / norm(sum))
      for (let step = 0; step < maxIter; step++) {
        const tangent = new Float64Array(centre.length)
        for (const u of units) {
          const cosine = Math.min(1, Math.max(-1, dot(u, centre)))
          const angle = Math.acos(cosine)
          if (angle < tol) continue
          const factor = angle / Math.sin(angle) / units.length
          for (let i = 0; i < u.length; i++) tangent[i] += factor * (u[i] - cosine * centre[i])
        }
        const length = norm(tangent)
        if (length < tol) break
        centre = centre.map((c, i) => Math.cos(length) * c + (Math.sin(length) * tangent[i]) / length)
        centre = scaled(centre, 1 / norm(centre))
      }
      return [name, scaled(centre, kept.reduce((s, v) => s + norm(v), 0) / kept.length)]
    }),
  )
