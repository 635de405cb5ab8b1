import type { MergeReference } from '../../method.ts'

const norm = (parts: number[][]) => Math.sqrt(parts.flat().reduce((sum, x) => sum + x * x, 0))

export const reference: MergeReference = ({ tensors, base, models }) => {
  const values = models.map((model) => tensors.map(({ name }) => Array.from(model.get(name)!)))
  const origin = tensors.map(({ name }) => Array.from(base!.get(name)!))
  const tau = values.map((parts) => parts.map((part, at) => part.map((x, i) => x - origin[at][i])))
  const layers = [...new Set(tensors.flatMap(({ layer }) => (layer === undefined ? [] : [layer])))]
  const of = (layer: number | undefined, parts: number[][]) =>
    parts.filter((_, at) => tensors[at].layer === layer)
  const kappa = layers.map((layer) => {
    const sum = origin.map((part, at) => part.map((_, i) => tau.reduce((s, parts) => s + parts[at][i], 0)))
    const lengths = tau.reduce((s, parts) => s + norm(of(layer, parts)), 0)
    return lengths === 0 ? 0 : 1 - norm(of(layer, sum)) / lengths
  })
  const mean = kappa.reduce((a, b) => a + b, 0) / kappa.length
  const std = Math.sqrt(kappa.reduce((s, k) => s + (k - mean) ** 2, 0) / kappa.length)
  return new Map(
    tensors.map(({ name, layer, parameters, modelParameters }, at) => {
      const weights = modelParameters.map(({ weight }) => Number(weight))
      const bound = mean + Number(parameters.threshold) * std + 1e-6
      const isLow = layer === undefined || kappa[layers.indexOf(layer)] <= bound
      const parts = weights.map((weight, k) => (isLow ? 0 : weight * norm(of(layer, tau[k]))))
      const total = parts.reduce((a, b) => a + b, 0)
      if (isLow || total === 0) {
        const sum = weights.reduce((a, b) => a + b, 0)
        const merged = origin[at].map((x, i) =>
          tau.reduce((s, part, k) => s + (weights[k] / sum) * part[at][i], x),
        )
        return [name, Float64Array.from(merged)]
      }
      const shares = parts.map((part) => part / total)
      const dense = shares.indexOf(Math.max(...shares))
      const out = [...values[dense][at]]
      if (parameters.mode === 'static')
        values.forEach((part, k) => {
          if (k === dense) return
          const difference = part[at].map((x, i) => x - values[dense][at][i])
          const order = difference
            .map((_, i) => i)
            .sort((a, b) => Math.abs(difference[b]) - Math.abs(difference[a]))
          const count = Math.max(1, Math.trunc(Number(parameters.keep) * order.length))
          for (const i of order.slice(0, count)) out[i] += shares[k] * difference[i]
        })
      return [name, Float64Array.from(out)]
    }),
  )
}
