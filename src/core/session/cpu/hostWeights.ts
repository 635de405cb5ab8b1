// All weights of a model end to end in host memory, float32, in the family's order: what merges and drifts are computed
// on where there is no device. 4 bytes per parameter.

import { EngineError, throwIfCancelled } from '../../errors.ts'
import type { Checkpoint } from '../../files/checkpoint.ts'
import type { WeightSpec } from '../../model/families/family.ts'
import { decodeWeights, encodeWeights, type WeightType } from '../../tensors/dtype.ts'

/** A weight and where it lies. */
export interface PlacedWeight extends WeightSpec {
  start: number
  count: number
}

export interface HostLayout {
  weights: readonly PlacedWeight[]
  /** P, parameters */ total: number
}

export interface HostWeights {
  layout: HostLayout
  /** (P), exactly what is stored */ values: Float32Array
  /** the type that they are stored in */ type: WeightType
}

export function layoutOf(weights: readonly WeightSpec[]): HostLayout {
  let total = 0
  const placed = weights.map((weight) => {
    const count = weight.shape.reduce((a, b) => a * b, 1)
    const start = total
    total += count
    return { ...weight, start, count }
  })
  return { weights: placed, total }
}

/** One weight (count) of all of them; a view. */
export const weightOf = <T extends Float32Array | Float64Array>(
  { start, count }: PlacedWeight,
  values: T,
): T => values.subarray(start, start + count) as T

/** Reads all weights; `not-finite` names the first that holds anything else, `cancelled`. */
export async function readHostWeights(
  checkpoint: Checkpoint,
  options: {
    signal?: AbortSignal | undefined
    onProgress?: ((done: number, total: number) => void) | undefined
  } = {},
): Promise<HostWeights> {
  const layout = layoutOf(checkpoint.weights)
  const values = new Float32Array(layout.total)
  for (const [index, weight] of layout.weights.entries()) {
    throwIfCancelled(options.signal)
    const { bytes, type } = await checkpoint.readWeight(weight.name, options.signal)
    const own = decodeWeights(bytes, type)
    if (own.some((value) => !Number.isFinite(value)))
      throw new EngineError('not-finite', 'the weight holds NaN or infinity', {
        file: checkpoint.name,
        tensor: weight.name,
      })
    values.set(own, weight.start)
    options.onProgress?.(index + 1, layout.weights.length)
  }
  return { layout, values, type: checkpoint.dtype }
}

/** Values as they are when stored as `type`: what a model that is written and read again holds. */
export function storedAs(values: Float64Array | Float32Array, type: WeightType): Float32Array {
  const single = values instanceof Float32Array ? values : Float32Array.from(values)
  return type === 'f32' ? single.slice() : decodeWeights(encodeWeights(single, type), type)
}

/** θ − θ_base (P), exact. */
export function differenceOf(model: HostWeights, base: HostWeights): Float64Array {
  if (model.layout.total !== base.layout.total)
    throw new EngineError(
      'shape-mismatch',
      `models of ${model.layout.total} and ${base.layout.total} parameters`,
    )
  const out = new Float64Array(base.layout.total)
  for (let i = 0; i < out.length; i++) out[i] = model.values[i] - base.values[i]
  return out
}
