import type { MergeReference } from '../../method.ts'
import { denseOf, flat, referenceTriplets, referenceWhitened } from '../../spectral.reference.ts'

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length

export const reference: MergeReference = ({ tensors, base, models }) =>
  new Map(
    tensors.map(({ name, shape, parameters }) => {
      const origin = base!.get(name)!
      const alpha = Number(parameters.alpha)
      const tau = models.map((model) => Array.from(model.get(name)!, (x, i) => x - origin[i]))
      if (shape.length !== 2) return [name, origin.map((x, i) => x + alpha * mean(tau.map((v) => v[i])))]
      const [rows, columns] = shape
      const [r, T] = [Math.min(rows, columns), tau.length]
      const o = tau.map((v) => {
        const a = v.map(Math.abs)
        const centre = mean(a)
        const bound = centre + Number(parameters.sigma) * Math.sqrt(mean(a.map((x) => (x - centre) ** 2)))
        return a.filter((x) => x > bound).reduce((s, x) => s + x, 0)
      })
      const total = o.reduce((s, x) => s + x, 0)
      const rho = tau.map((v) => {
        const rms = Math.sqrt(mean(v.map((x) => x * x)))
        return rms === 0 ? 1 : v.filter((x) => Math.abs(x) < 0.1 * rms).length / v.length
      })
      const meanDense = mean(rho.map((x) => 1 - x))
      if (meanDense === 0) return [name, Float64Array.from(origin)]
      const triplets = tau.flatMap((v, i) => {
        const kept = Math.min(r, Math.floor(((r / T) * (1 - rho[i])) / meanDense + 0.5))
        const factor = total === 0 ? 1 : (T * o[i]) / total
        return referenceTriplets(denseOf(v, rows, columns))
          .slice(0, kept)
          .map((triplet) => ({ ...triplet, s: triplet.s * factor }))
      })
      const delta = flat(referenceWhitened(triplets, rows, columns))
      return [name, origin.map((x, i) => x + alpha * delta[i])]
    }),
  )
