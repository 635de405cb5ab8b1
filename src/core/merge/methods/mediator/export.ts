// What a router needs at prompt time, written apart: the trunk, which is a whole model with one expert in every
// conflicting layer, and the other experts' sparse differences from it there. One tensor is open at a time.

import { type MergeJob, runMerge } from '../../execute.ts'
import type { MergeMethod } from '../../method.ts'
import { type ConflictMap, mapConflict, routingOf } from './conflict.ts'
import { declaration } from './declaration.ts'
import { encodeAverage, encodeModel, readDifferences } from './method.ts'
import type { SparseDifference } from './sparse.ts'

/** One expert's difference from the trunk in one tensor of a routed layer. */
export interface RoutedDifference extends SparseDifference {
  tensor: string
  layer: number
  /** index of the expert among the merged models, and of the one that the trunk holds here */
  expert: number
  dense: number
}

/**
 * Writes the trunk to the job's `out` and gives every sparse difference to `write`, in the order of tensors and experts.
 * Resolves to the conflict map. With the shares of the static merge (`routingOf`) or of a prompt (`routingWeights`) a
 * routed tensor is trunk + Σ_i share_i · difference_i.
 */
export async function mediatorExport(
  job: MergeJob,
  write: (difference: RoutedDifference) => void | Promise<void>,
): Promise<ConflictMap> {
  let found: ConflictMap | undefined
  const method: MergeMethod<ConflictMap> = {
    declaration,
    async survey(model) {
      found = await mapConflict(model)
      return found
    },
    async merge(task, map) {
      const routing = routingOf(map, task)
      if (!routing || task.layer === undefined) {
        encodeAverage(task)
        return
      }
      encodeModel(task, routing.dense)
      const { differences } = await readDifferences(task, routing.dense)
      for (const [expert, difference] of differences)
        await write({
          tensor: task.name,
          layer: task.layer,
          expert,
          dense: routing.dense,
          ...difference,
        })
    },
  }
  await runMerge(method, job)
  return found!
}
