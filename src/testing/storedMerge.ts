// Merges of seeded tensors in any storage type, on the device and in a method's float64 reference, for property tests.

import type { Gpu } from '../core/gpu/device.ts'
import { runMerge } from '../core/merge/execute.ts'
import type { MergeReference, ParameterValues, PlannedTensor } from '../core/merge/method.ts'
import { methodOf } from '../core/merge/methods/registry.ts'
import { completeParameters } from '../core/merge/parameters.ts'
import { paddedCount } from '../core/model/deviceModel.ts'
import { decodeWeights, encodeWeights, WEIGHT_BYTES, type WeightType } from '../core/tensors/dtype.ts'

export interface StoredMerge {
  method: string
  type: WeightType
  /** shape of each tensor by name, in the order in which they are merged */
  shapes: Readonly<Record<string, readonly number[]>>
  /** values by model and tensor; the first model is the base where `hasBase` */
  values: readonly Readonly<Record<string, Float32Array>>[]
  hasBase: boolean
  parameters: ParameterValues
  modelParameters: readonly ParameterValues[]
  seed: number
}

interface Planned {
  tensors: PlannedTensor[]
  layerCount: number
  /** rounded to the stored type */
  base: Readonly<Record<string, Float32Array>> | undefined
  models: readonly Readonly<Record<string, Float32Array>>[]
}

function planOf(merge: StoredMerge): Planned {
  const complete = completeParameters(
    methodOf(merge.method).declaration,
    merge.parameters,
    merge.modelParameters,
  )
  const tensors = Object.entries(merge.shapes).map(([name, shape]) => {
    const layer = /layers\.(\d+)\./.exec(name)?.[1]
    return { name, shape, ...(layer !== undefined && { layer: Number(layer) }), ...complete }
  })
  const rounded = merge.values.map((model) =>
    Object.fromEntries(
      Object.entries(model).map(([name, values]) => [
        name,
        decodeWeights(encodeWeights(values, merge.type), merge.type),
      ]),
    ),
  )
  const layers = tensors.map(({ layer }) => layer ?? -1)
  return {
    tensors,
    layerCount: Math.max(...layers) + 1,
    base: merge.hasBase ? rounded[0] : undefined,
    models: merge.hasBase ? rounded.slice(1) : rounded,
  }
}

/** Merged tensors by name, as stored. */
export async function mergeStored(gpu: Gpu, merge: StoredMerge): Promise<Map<string, Float32Array>> {
  const { tensors, layerCount, base, models } = planOf(merge)
  const merged = new Map<string, Float32Array>()
  const countOf = ({ shape }: PlannedTensor) => shape.reduce((a, b) => a * b, 1)
  const upload = (values: Float32Array) => {
    const padded = new Float32Array(paddedCount(values.length))
    padded.set(values)
    return gpu.upload(encodeWeights(padded, merge.type))
  }
  await runMerge(methodOf(merge.method), {
    gpu,
    tensors,
    layerCount,
    seed: merge.seed,
    open: (tensor) => ({
      base: base && upload(base[tensor.name]),
      models: models.map((model) => upload(model[tensor.name])),
      out: upload(new Float32Array(countOf(tensor)).fill(7)),
      type: merge.type,
    }),
    close: async (tensor, opened, isWritten) => {
      const bytes = countOf(tensor) * WEIGHT_BYTES[merge.type]
      if (isWritten)
        merged.set(
          tensor.name,
          decodeWeights(new Uint8Array(await gpu.readBytes(opened.out, bytes)), merge.type),
        )
      gpu.flush()
      for (const buffer of [opened.base, ...opened.models, opened.out]) buffer?.destroy()
    },
  })
  return merged
}

/** The same in float64. */
export function referenceStored(reference: MergeReference, merge: StoredMerge): Map<string, Float64Array> {
  const { tensors, layerCount, base, models } = planOf(merge)
  const wide = (model: Readonly<Record<string, Float32Array>>) =>
    new Map(Object.entries(model).map(([name, values]) => [name, Float64Array.from(values)]))
  return reference({
    tensors,
    layerCount,
    seed: merge.seed,
    base: base && wide(base),
    models: models.map(wide),
    material: () => undefined,
  })
}
