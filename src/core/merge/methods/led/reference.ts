import type { MergeReference } from '../../method.ts'

/** Indices of the `keep` largest, of equals the lower first. */
function largest(scores: Float64Array, keep: number): Set<number> {
  const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b)
  return new Set(order.slice(0, keep))
}

export const reference: MergeReference = ({ tensors, base, models, material }) =>
  new Map(
    tensors.map(({ name, parameters, modelParameters }) => {
      const origin = base!.get(name)!
      const elected = models.map((_, k) => {
        const keep = Math.trunc(Number(modelParameters[k].r) * origin.length)
        const own = largest(material('importance', name, k)!, keep)
        const ofBase = material('baseImportance', name, k) ?? material('importance', name, 'base')!
        const both = largest(ofBase, keep)
        return new Set([...own].filter((i) => both.has(i)))
      })
      return [
        name,
        origin.map((value, i) => {
          let out = value
          models.forEach((model, k) => {
            const isAlone = elected.every((set, other) => set.has(i) === (other === k))
            if (isAlone)
              out +=
                Number(parameters.lambda) * Number(modelParameters[k].weight) * (model.get(name)![i] - value)
          })
          return out
        }),
      ]
    }),
  )
