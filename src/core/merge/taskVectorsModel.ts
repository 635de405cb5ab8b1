// Trimming over the whole model instead of each tensor by itself: a survey finds, for every task vector, the magnitude
// that its largest elements reach, and how many elements of exactly that magnitude each tensor keeps.

import { keepWindow, NO_SELECTOR, spreadOf } from '../kernels/sparsify/sparsify.ts'
import { findCuts, type MagnitudeCuts } from './magnitudeCuts.ts'
import type { ModelTask, PlannedTensor, TensorTask } from './method.ts'
import { encodeNothing, type Keep, type Ranked } from './taskVectorsKeep.ts'
import { baseOf } from './tensorTask.ts'
import { countOf } from './tiles.ts'

/** Cuts of all task vectors. */
export type ModelTrim = MagnitudeCuts

/** Elements a task vector keeps in all: int(density · N), or with densities by tensor int(Σ density n). */
function keptCounts(tensors: readonly PlannedTensor[], densityOf: DensityOf, size: number): number[] {
  const total = tensors.reduce((sum, tensor) => sum + countOf(tensor), 0)
  return Array.from({ length: size }, (_, k) => {
    const densities = tensors.map((tensor) => densityOf(tensor, k))
    const isUniform = densities.every((density) => density === densities[0])
    const share = isUniform
      ? densities[0] * total
      : tensors.reduce((sum, tensor, t) => sum + densities[t] * countOf(tensor), 0)
    return Math.min(total, Math.floor(share))
  })
}

export type DensityOf = (tensor: PlannedTensor, k: number) => number

const taskVector = (task: TensorTask, k: number): Ranked => ({
  model: task.models[k],
  base: baseOf(task),
  type: task.type,
  count: task.count,
})

/** Surveys `tensors` of a model; ties are kept in the order of sorted names, then of elements. */
export async function surveyTrim(
  model: ModelTask,
  tensors: readonly PlannedTensor[],
  densityOf: DensityOf,
): Promise<ModelTrim> {
  const names = new Set(tensors.map(({ name }) => name))
  const ranks = keptCounts(tensors, densityOf, tensors[0]?.modelParameters.length ?? 0)
  return findCuts(
    model.gpu,
    (work) =>
      model.forEach(async (task) => {
        if (names.has(task.name)) await work(task)
      }),
    ranks.map((rank, k) => ({ ranks: [rank], values: (task) => taskVector(task, k) })),
  )
}

/** Encodes bits of what a surveyed tensor keeps. */
export function encodeModelTrim(task: TensorTask, trim: ModelTrim): Keep {
  const sources = task.models.map((_, k) => ({ ranks: [1], values: (one: TensorTask) => taskVector(one, k) }))
  const picks = trim.encode(task, sources)
  const keep = encodeNothing(task)
  task.models.forEach((model, k) => {
    task.gpu.run(
      keepWindow,
      { count: task.padded, minusBase: 1, spread: spreadOf(k), outer: k, inner: NO_SELECTOR },
      { model, base: baseOf(task), picks, keep: keep.buffer },
      task.type,
    )
  })
  return keep
}
