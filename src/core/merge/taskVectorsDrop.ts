// The merges that DARE, DELLA and breadcrumbs share, with and without election.

import type { MagnitudeCuts } from './magnitudeCuts.ts'
import { findCuts } from './magnitudeCuts.ts'
import type { MergeMethod, PlannedTensor, TensorPasses, TensorTask } from './method.ts'
import { isOn, numberOf } from './parameters.ts'
import { mergeTaskVectors, type SparseMerge } from './taskVectors.ts'
import {
  encodeDraws,
  encodeRankedDraws,
  encodeWindows,
  factorsOf,
  type Keep,
  measureNorms,
  type Window,
  windowSources,
} from './taskVectorsKeep.ts'
import { countOf, rowLength } from './tiles.ts'

/** What the tiles of a tensor share; nothing where it is whole. */
export interface SparseMeasure {
  cuts?: MagnitudeCuts
  /** factor of each model */
  factors?: number[]
}

/** How a family of methods keeps elements, and what it multiplies them by. */
interface Sparsifier {
  keep(task: TensorTask, found: SparseMeasure | undefined): Keep | undefined
  rescale(tensor: PlannedTensor): SparseMerge['rescale']
  /** elements at multiples of which a tensor may be cut */
  unit(tensor: PlannedTensor): number
  windows?(tensor: PlannedTensor): Window[]
}

const each = (tensor: PlannedTensor, id: string) =>
  tensor.modelParameters.map((values) => numberOf(values, id))
const isPaper = ({ parameters }: PlannedTensor) => parameters.variant === 'paper'
const normOrNone = ({ parameters }: PlannedTensor): SparseMerge['rescale'] =>
  isOn(parameters, 'rescale') ? 'norm' : 'none'

/** What tiles need beforehand: where magnitudes end, and the norms that factors are made of. */
export async function measureSparse(
  tensor: TensorPasses,
  { windows, keep, rescale }: Omit<Sparsifier, 'unit'>,
): Promise<SparseMeasure | undefined> {
  if (!tensor.isTiled) return undefined
  const found: SparseMeasure = {}
  const limits = windows?.(tensor)
  if (limits?.some((window) => window !== undefined))
    found.cuts = await findCuts(tensor.gpu, tensor.forEachTile, windowSources(limits, tensor.total))
  if (rescale(tensor) === 'norm') {
    let isDropped = false
    const norms = await measureNorms(tensor, 1, (tile) => {
      const kept = keep(tile, found)
      isDropped ||= kept !== undefined
      return kept
    })
    found.factors = isDropped ? factorsOf(norms) : norms.map(() => 1)
  }
  return found
}

/** Keep bits, three planes of sums for more than four models, one factor for each model at most. */
export const sparseScratch = (models: number): number => models + 5

function sparseMethod(
  sparsifier: Sparsifier,
  elects: boolean,
): Required<Pick<MergeMethod<undefined, SparseMeasure | undefined>, 'tiling' | 'measure' | 'merge'>> {
  return {
    tiling: { unit: sparsifier.unit, scratch: sparseScratch },
    measure: (tensor) => measureSparse(tensor, sparsifier),
    merge: (task, _, found) =>
      mergeTaskVectors(task, {
        keep: sparsifier.keep(task, found),
        elects,
        rescale: found?.factors ?? sparsifier.rescale(task),
      }),
  }
}

interface Options {
  elects: boolean
}

/** DARE: each element stays with probability `density`; rescaled by the L1 norm, or by 1/density as in the paper. */
export const droppedMerge = ({ elects }: Options) =>
  sparseMethod(
    {
      unit: () => 1,
      keep: (task) => encodeDraws(task, each(task, 'density')),
      rescale: (tensor) => {
        if (!isPaper(tensor)) return normOrNone(tensor)
        if (!isOn(tensor.parameters, 'rescale')) return 'none'
        // Of density 0 nothing stays, whatever it is divided by.
        return each(tensor, 'density').map((density) => (density > 0 ? 1 / Math.min(density, 1) : 1))
      },
    },
    elects,
  )

/** DELLA: probabilities by rank; rescaled by the L1 norm, or each element by its own 1/p as in the paper. */
export const rankedMerge = ({ elects }: Options) =>
  sparseMethod(
    {
      unit: (tensor) => rowLength(tensor) * 4,
      keep: (task) => {
        const epsilons = each(task, 'epsilon')
        const densities = each(task, 'density').map((density, k) => ({ density, epsilon: epsilons[k] }))
        return encodeRankedDraws(task, densities, isPaper(task) && isOn(task.parameters, 'rescale'))
      },
      rescale: (tensor) => (isPaper(tensor) ? 'none' : normOrNone(tensor)),
    },
    elects,
  )

/** Breadcrumbs: the largest int(γ n) and the smallest are dropped, int(density · n) stay. */
function windowsOf(tensor: PlannedTensor): Window[] {
  const count = countOf(tensor)
  const gammas = each(tensor, 'gamma')
  return each(tensor, 'density').map((density, k) => {
    if (density >= 1) return undefined
    const top = Math.floor(gammas[k] * count)
    const bottom = count - Math.floor(density * count) - top
    return bottom < 0 ? { top: top + bottom, bottom: 0 } : { top, bottom }
  })
}

export const windowedMerge = ({ elects }: Options) =>
  sparseMethod(
    {
      unit: () => 1,
      windows: windowsOf,
      keep: (task, found) => encodeWindows(task, windowsOf(task), found?.cuts),
      rescale: normOrNone,
    },
    elects,
  )
