// Mediator-style merging (after arXiv 2502.04411, whose conflict measure and router are not published; these are ours,
// methods.md §5.3): low-conflict layers and all tensors outside of layers θ_0 + Σ wτ / Σ w; in the others one expert d
// stays whole, θ = θ_d + Σ_{i≠d} s_i keep(θ_i − θ_d), s_i by weight and length of change, keep the largest differences.

import { EngineError } from '../../../errors.ts'
import { defineMethod, type TensorTask } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { readTensor, writeTensor } from '../../tensorTask.ts'
import { encodeWeightedSum } from '../../weightedSum.ts'
import { type ConflictMap, mapConflict, routingOf } from './conflict.ts'
import { declaration } from './declaration.ts'
import { addDifferences, type SparseDifference, sparseDifference } from './sparse.ts'

/** Encodes the weighted mean of all experts. */
export function encodeAverage(task: TensorTask): void {
  const weights = task.modelParameters.map((values) => numberOf(values, 'weight'))
  const total = weights.reduce((a, b) => a + b, 0)
  if (total === 0)
    throw new EngineError('request-invalid', 'weights add up to 0, so they cannot be normalised', {
      tensor: task.name,
    })
  encodeWeightedSum(
    task,
    weights.map((weight) => weight / total),
  )
}

/** Encodes one model as it is. */
export const encodeModel = (task: TensorTask, k: number): void =>
  encodeWeightedSum({ ...task, models: [task.models[k]] }, [1])

/** Differences of all experts but the dense one, in order; numbers must be finite. */
export async function readDifferences(
  task: TensorTask,
  dense: number,
): Promise<{ whole: Float64Array; differences: Map<number, SparseDifference> }> {
  const whole = await readTensor(task, task.models[dense])
  const differences = new Map<number, SparseDifference>()
  for (const [k, model] of task.models.entries()) {
    if (k === dense) continue
    const own = await readTensor(task, model)
    differences.set(k, sparseDifference(own, whole, numberOf(task.parameters, 'keep')))
  }
  return { whole, differences }
}

export const method = defineMethod<ConflictMap>({
  declaration,
  survey: mapConflict,
  async merge(task, map) {
    const routing = routingOf(map, task)
    if (!routing) {
      encodeAverage(task)
      return
    }
    const { dense, shares } = routing
    if (task.parameters.mode === 'trunk' || task.models.length === 1) {
      encodeModel(task, dense)
      return
    }
    const { whole, differences } = await readDifferences(task, dense)
    addDifferences(
      whole,
      [...differences.values()],
      Array.from(differences.keys(), (k) => shares[k]),
    )
    writeTensor(task, whole)
  },
})
