// What a search may choose, and the merge that a choice stands for: weights of every expert in every group of layers,
// and densities for the modes that have them. As in mergekit's evolution (arXiv 2406.14563, EvoMM): weights start at
// 1/n, densities at 1, weights pass through their absolute values unless they may be negative.
// Everything is merged by the registered methods, so that what was searched is what is written.

import { EngineError } from '../errors.ts'
import { runMerge } from '../merge/execute.ts'
import type { MergeMethod, ParameterValues, PlannedTensor } from '../merge/method.ts'
import { methodOf } from '../merge/methods/registry.ts'
import { completeParameters } from '../merge/parameters.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import type { LayerGroups } from './layerGroups.ts'

export const MERGE_MODES = ['linear', 'task_arithmetic', 'slerp', 'ties', 'dare_ties'] as const
/**
 * linear: Σ w_k θ_k with Σ w_k = 1; task_arithmetic: θ_0 + Σ λ_k τ_k; slerp: between the two models of largest
 * weight, at the softmax of the two; ties, dare_ties: task vectors thinned to a density first
 */
export type MergeMode = (typeof MERGE_MODES)[number]

/** A choice: [group][expert]. */
export interface Choice {
  weights: readonly (readonly number[])[]
  densities?: readonly (readonly number[])[]
}

/** Smallest density a search may try: none at all would empty a tensor. */
const MIN_DENSITY = 0.05

export interface GenomeShape {
  mode: MergeMode
  groups: number
  experts: number
  /** weights below 0 stand for themselves instead of their absolute value */
  allowNegative?: boolean
}

const hasDensity = (mode: MergeMode) => mode === 'ties' || mode === 'dare_ties'

/** Genes of the uniform choice: [weights | densities], group by group. */
export function startGenome({ mode, groups, experts }: GenomeShape): Float64Array {
  const weights = new Array<number>(groups * experts).fill(1 / experts)
  return Float64Array.from(hasDensity(mode) ? [...weights, ...weights.map(() => 1)] : weights)
}

/** No method takes a larger weight. */
const MAX_WEIGHT = 10

/** The choice that genes stand for; undefined where weights that must sum to 1 are all 0, or one is above 10. */
export function decodeGenome(shape: GenomeShape, genes: ArrayLike<number>): Choice | undefined {
  const { mode, groups, experts, allowNegative = false } = shape
  const table = (offset: number, map: (gene: number) => number) =>
    Array.from({ length: groups }, (_, g) =>
      Array.from({ length: experts }, (_, k) => map(genes[offset + g * experts + k])),
    )
  let weights = table(0, (gene) => (allowNegative ? gene : Math.abs(gene)))
  if (mode === 'linear') {
    const sums = weights.map((row) => row.reduce((sum, weight) => sum + weight, 0))
    if (sums.some((sum) => Math.abs(sum) < 1e-9)) return undefined
    weights = weights.map((row, g) => row.map((weight) => weight / sums[g]))
  }
  if (weights.flat().some((weight) => !(Math.abs(weight) <= MAX_WEIGHT))) return undefined
  if (!hasDensity(mode)) return { weights }
  // Folded back into [0, 1], so that a step past the edge is a step inside.
  const densities = table(groups * experts, (gene) => {
    const folded = Math.abs(gene) % 2
    return Math.max(MIN_DENSITY, folded > 1 ? 2 - folded : folded)
  })
  return { weights, densities }
}

export interface ChoiceMerge {
  anchor: DeviceModel
  experts: readonly DeviceModel[]
  mode: MergeMode
  groups: LayerGroups
  /** for modes that draw random numbers */ seed: number
}

/** Throws unless a mode can be searched with these models. */
export function assertMode({ anchor, experts, mode }: Omit<ChoiceMerge, 'groups' | 'seed'>): void {
  if (!(MERGE_MODES as readonly string[]).includes(mode))
    throw new EngineError('request-invalid', `mode ${mode}: expected one of ${MERGE_MODES.join(', ')}`)
  methodOf(mode)
  if (mode === 'slerp' && experts.length < 2)
    throw new EngineError('request-invalid', 'slerp needs two experts to lie between')
  const other = experts.find(({ type }) => type !== anchor.type)
  if (other)
    throw new EngineError(
      'request-invalid',
      `a merge needs one storage type, found ${anchor.type} and ${other.type}`,
    )
}

/** Writes the merge of a choice into `out`, a model of the anchor's shapes and storage. */
export async function mergeChoice(
  { anchor, experts, mode, groups, seed }: ChoiceMerge,
  choice: Choice,
  out: DeviceModel,
  signal?: AbortSignal,
): Promise<void> {
  const method = methodOf(mode)
  const all = experts.map((_, k) => k)
  const plans = choice.weights.map(
    (weights, g): Plan =>
      mode === 'slerp'
        ? arcPlan(method, weights)
        : { ...weightPlan(method, weights, choice.densities?.[g]), order: all },
  )
  const tensors = [...anchor.tensors.values()].map(({ spec }): PlannedTensor => {
    const { parameters, modelParameters } = plans[groups.of(spec.name)]
    const layer = spec.layer === undefined ? {} : { layer: spec.layer }
    return { name: spec.name, shape: spec.shape, ...layer, parameters, modelParameters }
  })
  const needsBase = method.declaration.base === 'required'
  await runMerge(method, {
    gpu: anchor.gpu,
    tensors,
    layerCount: anchor.config.layerCount,
    seed,
    open: ({ name }) => {
      const { order, from } = plans[groups.of(name)]
      return {
        base: needsBase ? (from === undefined ? anchor : experts[from]).buffer(name) : undefined,
        models: order.map((k) => experts[k].buffer(name)),
        out: out.buffer(name),
        type: anchor.type,
      }
    },
    signal,
  })
}

interface Plan {
  parameters: ParameterValues
  modelParameters: readonly ParameterValues[]
  /** experts that are merged */ order: readonly number[]
  /** expert that stands in for the base */ from?: number
}

function weightPlan(
  { declaration }: MergeMethod<unknown>,
  weights: readonly number[],
  densities: readonly number[] | undefined,
): Omit<Plan, 'order'> {
  const has = (id: string) => declaration.parameters.some((parameter) => parameter.id === id)
  return completeParameters(
    declaration,
    has('normalize') ? { normalize: false } : {},
    weights.map((weight, k) => ({ weight, ...(densities && { density: densities[k] }) })),
  )
}

/** The two largest weights; on the arc from the larger to the smaller at the softmax of the two. */
function arcPlan({ declaration }: MergeMethod<unknown>, weights: readonly number[]): Plan {
  const [from, to] = weights.map((_, k) => k).sort((a, b) => weights[b] - weights[a] || a - b)
  const t = 1 / (1 + Math.exp(weights[from] - weights[to]))
  return { ...completeParameters(declaration, { t }, [{}]), order: [to], from }
}
