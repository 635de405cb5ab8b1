// The steps that merges of task vectors share: deltas → sparsify → rescale → weigh → elect signs → combine, in the
// order of mergekit's generalised task arithmetic. τ_k = θ_k − θ_0 is never stored: every step forms it anew.

import { EngineError } from '../errors.ts'
import {
  CHOOSE_ACTIVE,
  CHOOSE_ALL,
  CHOOSE_ELECTED,
  combineTaskVectors,
  KEEP_ALL,
  MODELS_PER_DISPATCH,
} from '../kernels/elect/elect.ts'
import type { TensorTask } from './method.ts'
import { isOn, numberOf } from './parameters.ts'
import { type Keep, rescaleFactors } from './taskVectorsKeep.ts'
import { baseOf } from './tensorTask.ts'

/** How task vectors are chosen at each element. */
export type Choice =
  | { by: 'all' }
  /** those whose vote e_k τ_k has the sign of the sum of all votes; a sum of zero counts as `zeroSign` */
  | { by: 'election'; votes: readonly number[]; zeroSign?: 1 | -1 }
  /** those with |τ_k| > epsilon */
  | { by: 'size'; epsilon: number }

export interface TaskVectorSum {
  keep?: Keep | undefined
  choice: Choice
  /** c_k */
  coefficients: readonly number[]
  /** factor on the sum where exactly these models are chosen */
  scale(chosen: readonly boolean[]): number
}

/** Scale of every pattern of chosen models: bit k of the index is model k. */
function scaleTable(size: number, { choice, scale }: TaskVectorSum): number[] {
  const everyone = 2 ** size - 1
  return Array.from({ length: 2 ** size }, (_, pattern) =>
    choice.by === 'all' && pattern < everyone
      ? 0
      : scale(Array.from({ length: size }, (_, k) => ((pattern >> k) & 1) === 1)),
  )
}

/** Largest float32 that is at most `value`: x > value for a float32 x is x > this. */
export function roundDown(value: number): number {
  const near = Math.fround(value)
  if (near <= value) return near
  const bits = new Uint32Array(Float32Array.of(near).buffer)
  bits[0] += near > 0 ? -1 : 1
  return new Float32Array(bits.buffer)[0]
}

/** Four models of a dispatch, and how many they are. */
function groupsOf(task: TensorTask): { first: number; models: number; buffers: Record<string, GPUBuffer> }[] {
  const { models, gpu } = task
  const groups = Math.ceil(models.length / MODELS_PER_DISPATCH)
  return Array.from({ length: groups }, (_, g) => {
    const first = g * MODELS_PER_DISPATCH
    const own = models.slice(first, first + MODELS_PER_DISPATCH)
    const buffers: Record<string, GPUBuffer> = {}
    for (let j = 0; j < MODELS_PER_DISPATCH; j++) buffers[`m${j}`] = own[j] ?? gpu.unused
    return { first, models: own.length, buffers }
  })
}

interface Encoded {
  /** three planes of `padded` float32: Σ of votes, Σ so far, pattern so far */
  carry: GPUBuffer
}

/** Encodes totals, and sums up to `last`: 'totals', 'patterns' (nothing is written to `out`) or 'result'. */
function encodeSteps(task: TensorTask, sum: TaskVectorSum, last: 'totals' | 'patterns' | 'result'): Encoded {
  const { gpu, padded: count, type, out } = task
  const { keep, choice } = sum
  const size = task.models.length
  const elects = choice.by === 'election'
  const votes = elects ? choice.votes : sum.coefficients
  const coefficients = task.scratch((2 * size + 2 ** size) * 4)
  gpu.write(coefficients, Float32Array.from([...sum.coefficients, ...votes, ...scaleTable(size, sum)]))
  const groups = groupsOf(task)
  const isCarried = groups.length > 1 || last !== 'result'
  const carry = task.scratch(isCarried ? 3 * count * 4 : 16)
  const shared = {
    count,
    all: size,
    keepMode: keep?.mode ?? KEEP_ALL,
    choice: elects ? CHOOSE_ELECTED : choice.by === 'size' ? CHOOSE_ACTIVE : CHOOSE_ALL,
    zeroSign: (elects && choice.zeroSign) || 1,
    epsilon: choice.by === 'size' ? roundDown(choice.epsilon) : 0,
  }
  const run = (group: (typeof groups)[number], step: Record<string, number>) => {
    gpu.run(
      combineTaskVectors,
      { ...shared, first: group.first, models: group.models, ...step },
      { base: baseOf(task), ...group.buffers, keep: keep?.buffer ?? gpu.unused, coefficients, carry, out },
      type,
    )
  }
  const needsTotals = elects && (groups.length > 1 || last === 'totals')
  if (needsTotals)
    groups.forEach((group, g) => {
      run(group, { stage: 0, readTotal: g > 0 ? 1 : 0, addTotal: 1, continued: 0, finish: 0 })
    })
  if (last === 'totals') return { carry }
  groups.forEach((group, g) => {
    run(group, {
      stage: 1,
      readTotal: needsTotals ? 1 : 0,
      addTotal: elects && !needsTotals ? 1 : 0,
      continued: g > 0 ? 1 : 0,
      finish: g === groups.length - 1 && last === 'result' ? 1 : 0,
    })
  })
  return { carry }
}

/** Encodes out = θ_0 + scale(chosen) Σ_chosen c_k τ_k, in the stored type. */
export function encodeTaskVectorSum(task: TensorTask, sum: TaskVectorSum): void {
  encodeSteps(task, sum, 'result')
}

/** Encodes Σ of votes (padded, float32), for who asks what the elections decide. */
export const encodeVoteTotals = (task: TensorTask, sum: TaskVectorSum): GPUBuffer =>
  encodeSteps(task, sum, 'totals').carry

/** Encodes which models are chosen: pattern of each element as a float, in the third of three planes (padded). */
export const encodePatterns = (task: TensorTask, sum: TaskVectorSum): GPUBuffer =>
  encodeSteps(task, sum, 'patterns').carry

export const weightsOf = (task: TensorTask): number[] =>
  task.modelParameters.map((values) => numberOf(values, 'weight'))

/** Σ of the weights of chosen models. */
const chosenWeight = (weights: readonly number[], chosen: readonly boolean[]): number =>
  weights.reduce((sum, weight, k) => (chosen[k] ? sum + weight : sum), 0)

/** λ over Σ w of the models that agree, where it is normalised; nobody, or weights that cancel: λ. */
export function electedScale(task: TensorTask): (chosen: readonly boolean[]) => number {
  const lambda = numberOf(task.parameters, 'lambda')
  const weights = weightsOf(task)
  if (!isOn(task.parameters, 'normalize')) return () => lambda
  return (chosen) => lambda / (chosenWeight(weights, chosen) || 1)
}

/** Below this a sum of weights counts as zero, as in mergekit. */
const LEAST_WEIGHT = 1e-8

/** λ over Σ w where it is normalised; weights that cancel: λ. */
export function plainScale(task: TensorTask): () => number {
  const lambda = numberOf(task.parameters, 'lambda')
  const total = weightsOf(task).reduce((a, b) => a + b, 0)
  const divides = isOn(task.parameters, 'normalize') && Math.abs(total) >= LEAST_WEIGHT
  return () => (divides ? lambda / total : lambda)
}

export interface SparseMerge {
  keep: Keep | undefined
  elects: boolean
  /** factor on what is kept: that of the L1 norm, none, or one for each model */
  rescale: 'norm' | 'none' | readonly number[]
}

/**
 * Encodes mergekit's generalised task arithmetic for a tensor: θ_0 + λ Σ w_k r_k τ̂_k over all models, or over those
 * with the elected sign, divided by Σ w of the same models when normalised. The divisor never sees r_k.
 */
export async function mergeTaskVectors(task: TensorTask, sparse: SparseMerge): Promise<void> {
  const { keep, elects, rescale } = sparse
  const factors =
    rescale === 'norm'
      ? await rescaleFactors(task, keep)
      : rescale === 'none'
        ? task.models.map(() => 1)
        : rescale
  const coefficients = weightsOf(task).map((weight, k) => weight * factors[k])
  if (coefficients.some((value) => !Number.isFinite(value)))
    throw new EngineError('not-finite', `found coefficients ${coefficients.join(', ')}, expected numbers`, {
      tensor: task.name,
    })
  encodeTaskVectorSum(task, {
    keep,
    choice: elects ? { by: 'election', votes: coefficients } : { by: 'all' },
    coefficients,
    scale: elects ? electedScale(task) : plainScale(task),
  })
}
