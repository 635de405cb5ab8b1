import type { MergeReference } from '../../method.ts'

/** One pair of vectors. */
function interpolate(a: number[], b: number[], t: number): number[] {
  const length = (v: number[]) => Math.max(Math.sqrt(v.reduce((sum, x) => sum + x * x, 0)), 1e-7)
  const [na, nb] = [length(a), length(b)]
  const cosine = a.reduce((sum, x, i) => sum + (x / na) * (b[i] / nb), 0)
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)))
  const sine = Math.sin(angle)
  if (Math.abs(sine) < 1e-8) return a.map((x, i) => (1 - t) * x + t * b[i])
  return a.map((x, i) => (Math.sin((1 - t) * angle) * x + Math.sin(t * angle) * b[i]) / sine)
}

export const reference: MergeReference = ({ tensors, base, models }) =>
  new Map(
    tensors.map(({ name, shape, parameters, modelParameters }) => {
      const [w0, w1] = modelParameters.map(({ weight }) => Number(weight))
      const t = Math.abs(w0 + w1) < 1e-6 ? 0.5 : w1 / (w0 + w1)
      const origin = base?.get(name)
      const [a, b] = models.map((model) => model.get(name)!.map((x, i) => x - (origin ? origin[i] : 0)))
      const out = new Float64Array(a.length)
      // Each vector as the list of its places.
      const width = shape[shape.length - 1]
      const key = (i: number) => {
        if (parameters.nuslerp_flatten === true || shape.length < 2) return 0
        return parameters.nuslerp_row_wise === true ? i % (a.length / shape[0]) : Math.floor(i / width)
      }
      const places = new Map<number, number[]>()
      a.forEach((_, i) => {
        const line = places.get(key(i))
        if (line) line.push(i)
        else places.set(key(i), [i])
      })
      for (const line of places.values()) {
        const values = interpolate(
          line.map((i) => a[i]),
          line.map((i) => b[i]),
          t,
        )
        line.forEach((i, j) => {
          out[i] = values[j] + (origin ? origin[i] : 0)
        })
      }
      return [name, out]
    }),
  )
