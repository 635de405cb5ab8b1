// A merge by a method's float64 reference on host tensors: the same inputs, parameters and defaults as on the device.

import { EngineError, throwIfCancelled } from '../../errors.ts'
import { type MaterialKind, type MethodDeclaration, missingWithoutDevice } from '../../merge/declaration.ts'
import type { ParameterValues, PlannedTensor, ReferenceModel } from '../../merge/method.ts'
import { DECLARATIONS } from '../../merge/methods/declarations.ts'
import { referenceOf } from '../../merge/methods/references.ts'
import { completeParameters } from '../../merge/parameters.ts'
import { type HostWeights, type PlacedWeight, weightOf } from './hostWeights.ts'

export interface HostMerge {
  method: string
  base: HostWeights
  /** K experts with their weights, which sum to 1 */ models: readonly HostWeights[]
  weights: readonly number[]
  parameters: ParameterValues
  layerCount: number
  seed: number
  /** further models by role */ references: Partial<Record<MaterialKind, HostWeights>>
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** Methods that look at all tensors before they merge the first; others are merged a tensor at a time. */
export const WHOLE_MODEL: readonly string[] = ['doge', 'fisher_average', 'mediator', 'opcm', 'ties']

/**
 * Merged weights (P), float64. Rejects `gpu-unavailable` for a method that needs gradients, `request-invalid` for an
 * unknown method, a number of experts it cannot merge, parameters out of range, or a further model that is not named.
 */
export async function mergeOnHost(merge: HostMerge): Promise<Float64Array> {
  const declaration = DECLARATIONS.find(({ id }) => id === merge.method)
  if (!declaration) throw new EngineError('request-invalid', `no method is called ${merge.method}`)
  const { layout } = merge.base
  const input = referenceInput(declaration, merge)
  const reference = await referenceOf(merge.method)
  const out = new Float64Array(layout.total)
  const take = (merged: ReadonlyMap<string, Float64Array>, weight: PlacedWeight) => {
    const values = merged.get(weight.name)
    if (values?.length !== weight.count)
      throw new EngineError('shape-mismatch', `found ${values?.length} values, expected ${weight.count}`, {
        tensor: weight.name,
      })
    out.set(values, weight.start)
  }
  if (WHOLE_MODEL.includes(merge.method)) {
    const merged = reference(input)
    for (const weight of layout.weights) take(merged, weight)
    return out
  }
  for (const [index, weight] of layout.weights.entries()) {
    // A turn of the event loop: only there does a cancel arrive.
    await new Promise((resolve) => setTimeout(resolve, 0))
    throwIfCancelled(merge.signal)
    take(reference({ ...input, tensors: [input.tensors[index]] }), weight)
    merge.onProgress?.(index + 1, layout.weights.length)
  }
  return out
}

function referenceInput(declaration: MethodDeclaration, merge: HostMerge): ReferenceModel {
  const { label, experts, material, base: kind, isBaseLeftOut } = declaration
  const missing = missingWithoutDevice(declaration)
  if (missing)
    throw new EngineError('gpu-unavailable', `${label} needs ${missing}, which only WebGPU gives here`)
  const K = merge.models.length
  if (K < experts.min || K > experts.max)
    throw new EngineError(
      'request-invalid',
      `${label} merges ${experts.min} to ${experts.max} models, found ${K}`,
    )
  for (const role of material)
    if (!merge.references[role])
      throw new EngineError(
        'request-invalid',
        `${merge.method} needs one more model: name the ${role} one in references.${role}`,
      )
  const hasWeight = declaration.parameters.some(({ id }) => id === 'weight')
  const complete = completeParameters(
    declaration,
    merge.parameters,
    merge.weights.map((weight) => (hasWeight ? { weight } : {})),
  )
  const wide = (model: HostWeights) =>
    new Map(
      model.layout.weights.map((weight) => [weight.name, Float64Array.from(weightOf(weight, model.values))]),
    )
  const hasBase = kind === 'required' || (kind === 'optional' && !isBaseLeftOut)
  const further = new Map(Object.entries(merge.references).map(([role, model]) => [role, wide(model)]))
  return {
    tensors: merge.base.layout.weights.map(
      ({ name, shape, layer }): PlannedTensor => ({
        name,
        shape,
        ...(layer !== undefined && { layer }),
        ...complete,
      }),
    ),
    layerCount: merge.layerCount,
    seed: merge.seed,
    base: hasBase ? wide(merge.base) : undefined,
    models: merge.models.map(wide),
    material: (role, tensor) => further.get(role)?.get(tensor),
  }
}
