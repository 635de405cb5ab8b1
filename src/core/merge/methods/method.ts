// What a merge method declares and does. One file per method beside this one, listed in registry.ts.

import type { AlignmentRows } from '../../geometry/alignmentRows.ts'
import type { Fisher } from '../../geometry/fisher.ts'
import type { Metric } from '../../geometry/metric.ts'
import type { DeviceModel } from '../../model/deviceModel.ts'
import type { MergeInput } from '../mergeInput.ts'

/** What a method can ask for beyond anchor and experts. */
export interface MergeMaterial {
  /** the closed form's b (n) with the rows and metric it is for */
  shield?: { b: Float64Array; rows: AlignmentRows; metric: Metric }
  /** Fisher diagonal of each expert */
  expertFishers?: readonly Fisher[]
}

export interface MergeMethod {
  id: string
  label: string
  /** paper or code that defines it; «ours» where none does */
  source: string
  needs: readonly (keyof MergeMaterial)[]
  /** Encodes the whole merge into `out`; work is done when the queue is. */
  encode(input: MergeInput, material: MergeMaterial, out: DeviceModel): void
}
