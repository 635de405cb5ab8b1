// What every merge method is given, and the streaming passes they share. Models are on the device in one
// storage type; the output is a model of the same shapes that is overwritten.

import { EngineError } from '../errors.ts'
import type { RowSet, TakeScratch } from '../geometry/gramPass.ts'
import { accumulateDifference } from '../kernels/mergeStep/mergeStep.ts'
import { type DeviceModel, paddedCount } from '../model/deviceModel.ts'

export interface MergeInput {
  /** θ_IT */ anchor: DeviceModel
  /** θ_k */ experts: readonly DeviceModel[]
  /** λ_k, sum 1 */ weights: ArrayLike<number>
}

/** Throws unless all models are stored alike. */
export function assertSameStorage({ anchor, experts }: MergeInput, out: DeviceModel): void {
  for (const model of [...experts, out])
    if (model.type !== anchor.type)
      throw new EngineError(
        'request-invalid',
        `a merge needs one storage type, found ${anchor.type} and ${model.type}`,
      )
}

/** Encodes δ̄ = Σ λ_k (θ_k − θ_IT) of one tensor into `sum` (count, float32). */
export function encodeBarycentre(
  { anchor, experts, weights }: MergeInput,
  name: string,
  sum: GPUBuffer,
): void {
  const count = paddedCount(anchor.tensor(name).count)
  experts.forEach((expert, k) => {
    anchor.gpu.run(
      accumulateDifference,
      { count, first: k === 0 ? 1 : 0, offset: 0, lambda: weights[k] },
      { expert: expert.buffer(name), base: anchor.buffer(name), sum },
      anchor.type,
    )
  })
}

/** All Δ_k of one tensor as rows (K, count), encoded into what `take` gives; for inner products. */
export function differenceRows(
  { anchor, experts }: Omit<MergeInput, 'weights'>,
  name: string,
  take: TakeScratch,
): RowSet {
  const count = paddedCount(anchor.tensor(name).count)
  const rows = experts.length
  const buffer = take(rows * count * 4)
  experts.forEach((expert, k) => {
    anchor.gpu.run(
      accumulateDifference,
      { count, first: 1, offset: k * count, lambda: 1 },
      { expert: expert.buffer(name), base: anchor.buffer(name), sum: buffer },
      anchor.type,
    )
  })
  return { buffer, rows }
}
