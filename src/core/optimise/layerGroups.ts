// Which tensors share a weight: runs of layers, as in mergekit's evolution. The embedding goes with the first group,
// the final norm and the head with the last, because that is where their tensors act.

import { EngineError } from '../errors.ts'
import type { DeviceModel } from '../model/deviceModel.ts'

export interface LayerGroups {
  count: number
  /** group of a tensor by name */ of(tensor: string): number
  /** e.g. "layers 0–1", for tables */ labels: readonly string[]
}

/** Groups of `layersPerGroup` layers; Infinity gives one group of all. */
export function layerGroups(model: DeviceModel, layersPerGroup = Number.POSITIVE_INFINITY): LayerGroups {
  const layers = model.config.layerCount
  const size = Math.min(layersPerGroup, layers)
  if (!Number.isInteger(size) || size < 1)
    throw new EngineError(
      'request-invalid',
      `${layersPerGroup} layers per group: expected a whole number from 1`,
    )
  const count = Math.ceil(layers / size)
  const groups = new Map(
    [...model.tensors.values()].map(({ spec }) => [
      spec.name,
      spec.layer !== undefined ? Math.floor(spec.layer / size) : spec.role === 'embedding' ? 0 : count - 1,
    ]),
  )
  return {
    count,
    of(tensor) {
      const group = groups.get(tensor)
      if (group === undefined)
        throw new EngineError('request-invalid', 'the model has no such tensor', { tensor })
      return group
    },
    labels: Array.from({ length: count }, (_, g) => {
      const [from, to] = [g * size, Math.min(layers, (g + 1) * size) - 1]
      return from === to ? `layer ${from}` : `layers ${from}–${to}`
    }),
  }
}
