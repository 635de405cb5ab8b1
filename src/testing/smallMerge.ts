// Merges of a handful of numbers, on the device and in a method's float64 reference: for closed forms and bad input.

import { type MergeCase, type MergeVectors, referenceInput, runCase } from '../core/evaluate/verifyMerge.ts'
import type { Gpu } from '../core/gpu/device.ts'
import type { MaterialKind } from '../core/merge/declaration.ts'
import type { MergeReference, ParameterValues } from '../core/merge/method.ts'
import { Random } from '../core/tensors/random.ts'

/** Values by tensor, one-dimensional unless `shapes` says otherwise. */
export type SmallModel = Record<string, readonly number[]>

export interface SmallMerge {
  method: string
  base?: SmallModel
  models: readonly SmallModel[]
  shapes?: Record<string, readonly number[]>
  parameters?: ParameterValues
  /** one for each model */
  modelParameters?: readonly ParameterValues[]
  /** `<kind>.<model>.<tensor>`, model being `base` or the expert's number from 0 */
  material?: Record<string, readonly number[]>
  /** further models by role */
  references?: Partial<Record<MaterialKind, SmallModel>>
  seed?: number
}

function vectorsOf(merge: SmallMerge): { vectors: MergeVectors; merge: MergeCase } {
  const stored = (values: SmallModel) =>
    new Map(
      Object.entries(values).map(([name, numbers]) => [
        name,
        { shape: merge.shapes?.[name] ?? [numbers.length], values: Float32Array.from(numbers) },
      ]),
    )
  const names = merge.models.map((_, k) => String(k))
  const models = new Map(merge.models.map((model, k) => [names[k], stored(model)]))
  if (merge.base) models.set('base', stored(merge.base))
  const references = Object.entries(merge.references ?? {})
  for (const [role, model] of references) models.set(role, stored(model))
  return {
    vectors: { cases: [], models, material: stored(merge.material ?? {}), expected: new Map() },
    merge: {
      case: 0,
      method: merge.method,
      base: merge.base ? 'base' : null,
      models: names,
      parameters: { ...merge.parameters },
      tensor_parameters: Object.fromEntries(
        names.map((name, k) => [name, { ...merge.modelParameters?.[k] }]),
      ),
      seed: merge.seed ?? 0,
      material: Object.fromEntries(references.map(([role]) => [role, role])),
    },
  }
}

/** Merged tensors, computed on the device. */
export async function mergeSmall(gpu: Gpu, merge: SmallMerge): Promise<Map<string, Float32Array>> {
  const { vectors, merge: planned } = vectorsOf(merge)
  return runCase(gpu, vectors, planned)
}

/** The same by the float64 reference. */
export function referenceSmall(reference: MergeReference, merge: SmallMerge): Map<string, Float64Array> {
  const { vectors, merge: planned } = vectorsOf(merge)
  return reference(referenceInput(vectors, planned))
}

/** `count` seeded normals rounded to multiples of 2⁻¹², so that differences of weights are exact. */
export function roundNormals(count: number, seed: number, scale = 1): number[] {
  return Array.from(new Random(seed, 91).normals(count, scale), (value) => Math.round(value * 4096) / 4096)
}
