// The merges that DARE, DELLA and breadcrumbs share, with and without election.

import type { TensorTask } from './method.ts'
import { isOn, numberOf } from './parameters.ts'
import { mergeTaskVectors, type SparseMerge } from './taskVectors.ts'
import { encodeDraws, encodeRankedDraws, encodeWindows } from './taskVectorsKeep.ts'

interface Options {
  elects: boolean
}

const each = (task: TensorTask, id: string) => task.modelParameters.map((values) => numberOf(values, id))
const isPaper = (task: TensorTask) => task.parameters.variant === 'paper'
const normOrNone = (task: TensorTask): SparseMerge['rescale'] =>
  isOn(task.parameters, 'rescale') ? 'norm' : 'none'

/** DARE: each element stays with probability `density`; rescaled by the L1 norm, or by 1/density as in the paper. */
export async function mergeDropped(task: TensorTask, { elects }: Options): Promise<void> {
  const densities = each(task, 'density')
  const byDensity = isPaper(task) && isOn(task.parameters, 'rescale')
  await mergeTaskVectors(task, {
    keep: encodeDraws(task, densities),
    elects,
    // Of density 0 nothing stays, whatever it is divided by.
    rescale: byDensity
      ? densities.map((density) => (density > 0 ? 1 / Math.min(density, 1) : 1))
      : isPaper(task)
        ? 'none'
        : normOrNone(task),
  })
}

/** DELLA: probabilities by rank; rescaled by the L1 norm, or each element by its own 1/p as in the paper. */
export async function mergeDroppedByRank(task: TensorTask, { elects }: Options): Promise<void> {
  const epsilons = each(task, 'epsilon')
  const densities = each(task, 'density').map((density, k) => ({ density, epsilon: epsilons[k] }))
  const asFactors = isPaper(task) && isOn(task.parameters, 'rescale')
  await mergeTaskVectors(task, {
    keep: encodeRankedDraws(task, densities, asFactors),
    elects,
    rescale: isPaper(task) ? 'none' : normOrNone(task),
  })
}

/** Breadcrumbs: the largest int(γ n) and the smallest are dropped, int(density · n) stay. */
export async function mergeWithoutOutliers(task: TensorTask, { elects }: Options): Promise<void> {
  const { count } = task
  const gammas = each(task, 'gamma')
  const windows = each(task, 'density').map((density, k) => {
    if (density >= 1) return undefined
    const top = Math.floor(gammas[k] * count)
    const bottom = count - Math.floor(density * count) - top
    return bottom < 0 ? { top: top + bottom, bottom: 0 } : { top, bottom }
  })
  await mergeTaskVectors(task, { keep: encodeWindows(task, windows), elects, rescale: normOrNone(task) })
}
