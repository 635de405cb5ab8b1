import type { MergeReference } from '../../method.ts'

export const reference: MergeReference = ({ tensors, base, models, material }) => {
  const fishers = models.map(
    (_, k) => new Map(tensors.map(({ name }) => [name, material('fisher', name, k)!])),
  )
  const norms = fishers.map((fisher) => {
    let sum = 0
    for (const values of fisher.values()) for (const value of values) sum += value * value
    return Math.sqrt(sum)
  })
  const merged = new Map<string, Float64Array>()
  for (const { name, parameters, modelParameters } of tensors) {
    const floor = Number(parameters.floor)
    const out = new Float64Array(models[0].get(name)!.length)
    for (let i = 0; i < out.length; i++) {
      let [top, bottom] = [0, 0]
      const add = (share: number, value: number) => {
        top += share * value
        bottom += share
      }
      if (parameters.variant === 'common') {
        models.forEach((model, k) => {
          add(Number(modelParameters[k].weight) * (fishers[k].get(name)![i] + floor), model.get(name)![i])
        })
        out[i] = bottom === 0 ? models[0].get(name)![i] : top / bottom
        continue
      }
      models.forEach((model, k) => {
        const weight = Number(modelParameters[k].weight)
        const lambda = parameters.normalize_fishers === true && norms[k] > 0 ? weight / norms[k] : weight
        const own = fishers[k].get(name)![i]
        add(lambda * (k === 0 && !base ? Math.max(own, floor) : own), model.get(name)![i])
      })
      if (base) add(floor, base.get(name)![i])
      out[i] = bottom === 0 ? (base ?? models[0]).get(name)![i] : top / bottom
    }
    merged.set(name, out)
  }
  return merged
}
