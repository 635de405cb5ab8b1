// Merging models on the fly (OPCM, Tang et al., arXiv 2501.09522): experts are taken one after another, each projected
// away from what the running merge already uses. What is needed of all that came before is the running merge itself and
// three numbers, so that one more expert can be added at any time with only base, running merge and newcomer open.
//
//   τ_m = running − θ_0 = U S Vᵀ, τ = θ_t − θ_0, P = UᵀτV; P[i,i] ← 0 for i < rank, P[:s,:s] ← 0 with
//   s = number of i with (σ_1+…+σ_i)/Σσ ≤ α;  τ̃ = U P Vᵀ, for tensors that are no matrices τ̃ = τ
//   D = λ_{t−1} τ_m + τ̃,  n̄ = mean norm of the task vectors so far,  λ_t = ‖D‖/n̄,  running = θ_0 + D/λ_t
//
// Norms are over the whole model, so that D of all tensors must be known before any can be written: it is held on the
// host in float32, four bytes a parameter, and device memory stays at one tensor. At α = 1 (ours) s = rank.

import { EngineError } from '../errors.ts'
import { type MergeJob, runMerge } from './execute.ts'
import type { MergeMethod, ModelTask, TensorTask } from './method.ts'
import { declaration } from './methods/opcm/declaration.ts'
import { numberOf } from './parameters.ts'
import {
  assertDecomposable,
  type HostMatrix,
  rankOf,
  rowOf,
  type SingularTriplets,
  singularTriplets,
} from './singularValues.ts'
import { isMatrix } from './spectral.ts'
import { baseOf, readTensor, writeTensor } from './tensorTask.ts'
import { encodeWeightedSum } from './weightedSum.ts'

/** What a running merge must be accompanied by to be continued; plain numbers. */
export interface OpcmState {
  /** experts merged so far */
  count: number
  /** n̄ (whole-model norms of their task vectors) */
  meanNorm: number
  /** λ of the last step */
  lambda: number
}

/** A running merge as displacement from the base: `scale` times `values` of every tensor, float32 on the host. */
export interface OpcmRun {
  state: OpcmState
  values: Map<string, Float32Array>
  scale: number
}

/** s: leading directions of the running merge in which nothing of a newcomer is taken. */
function protectedCount(values: Float64Array, rank: number, alpha: number): number {
  const total = values.subarray(0, rank).reduce((a, b) => a + b, 0)
  if (alpha >= 1) return rank
  let [sum, count] = [0, 0]
  for (let i = 0; i < rank; i++) {
    sum += values[i]
    if (sum / total <= alpha) count++
  }
  return count
}

/** uᵢᵀ τ for the first `count` left vectors: (count, n). */
function leftProducts({ left }: SingularTriplets, tau: HostMatrix, count: number): HostMatrix {
  const { rows, columns } = tau
  const data = new Float64Array(count * columns)
  for (let k = 0; k < count; k++) {
    const u = rowOf(left, k)
    const out = data.subarray(k * columns, (k + 1) * columns)
    for (let i = 0; i < rows; i++)
      for (let j = 0, at = i * columns; j < columns; j++) out[j] += u[i] * tau.data[at + j]
  }
  return { rows: count, columns, data }
}

/**
 * τ̃ (m, n), what is taken of a newcomer's task vector τ beside a running one: τ − U_s U_sᵀ τ V_s V_sᵀ −
 * Σ_{s ≤ i < rank} (uᵢᵀ τ vᵢ) uᵢ vᵢᵀ, which is U P Vᵀ without the null space's vectors. A running zero takes all.
 */
export function projectNewcomer(running: HostMatrix, tau: HostMatrix, alpha: number): HostMatrix {
  const triplets = singularTriplets(running)
  const rank = rankOf(triplets.values)
  const s = protectedCount(triplets.values, rank, alpha)
  const { rows, columns } = tau
  const products = leftProducts(triplets, tau, rank)
  const data = tau.data.slice()
  for (let i = 0; i < rank; i++) {
    // Row i of P over the directions that are taken out, as a combination of right vectors.
    const out = new Float64Array(columns)
    const product = rowOf(products, i)
    for (let j = i < s ? 0 : i; j < (i < s ? s : i + 1); j++) {
      const v = rowOf(triplets.right, j)
      let entry = 0
      for (let k = 0; k < columns; k++) entry += product[k] * v[k]
      for (let k = 0; k < columns; k++) out[k] += entry * v[k]
    }
    const u = rowOf(triplets.left, i)
    for (let r = 0; r < rows; r++)
      for (let k = 0, at = r * columns; k < columns; k++) data[at + k] -= u[r] * out[k]
  }
  return { rows, columns, data }
}

/** θ − θ_0 (count) of one open model, in float64. */
async function readTask(task: TensorTask, model: GPUBuffer): Promise<Float64Array> {
  const base = await readTensor(task, baseOf(task))
  const values = await readTensor(task, model)
  for (let i = 0; i < values.length; i++) values[i] -= base[i]
  const [rows, columns] = isMatrix(task) ? task.shape : [1, values.length]
  assertDecomposable({ rows, columns, data: values }, task.name)
  return values
}

const squareSum = (values: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i]
  return sum
}

/** The run that is one model: the first expert, or, with a state, a running merge; and how many models are open. */
async function startRun(model: ModelTask, state?: OpcmState): Promise<{ run: OpcmRun; experts: number }> {
  const values = new Map<string, Float32Array>()
  let square = 0
  let experts = 0
  await model.forEach(async (task) => {
    experts = Math.max(experts, task.models.length)
    const tau = await readTask(task, task.models[0])
    square += squareSum(tau)
    values.set(task.name, Float32Array.from(tau))
  })
  const start = state ?? { count: 1, meanNorm: Math.sqrt(square), lambda: 1 }
  return { run: { values, scale: 1, state: start }, experts }
}

/** Adds expert `k` of the open models to a run, in place. */
async function addExpert(model: ModelTask, run: OpcmRun, k: number): Promise<void> {
  const { count, meanNorm, lambda } = run.state
  let [moved, own] = [0, 0]
  await model.forEach(async (task) => {
    const tau = await readTask(task, task.models[k])
    own += squareSum(tau)
    const running = Float64Array.from(run.values.get(task.name)!, (value) => value * run.scale)
    let taken = tau
    if (isMatrix(task) && running.some((value) => value !== 0)) {
      const [rows, columns] = task.shape
      const alpha = numberOf(task.parameters, 'alpha')
      taken = projectNewcomer({ rows, columns, data: running }, { rows, columns, data: tau }, alpha).data
    }
    const sum = running.map((value, i) => lambda * value + taken[i])
    moved += squareSum(sum)
    run.values.set(task.name, Float32Array.from(sum))
  })
  const norm = (count * meanNorm + Math.sqrt(own)) / (count + 1)
  const isNothing = moved === 0 || norm === 0
  const next = isNothing ? 1 : Math.sqrt(moved) / norm
  run.scale = isNothing ? 0 : 1 / next
  run.state = { count: count + 1, meanNorm: norm, lambda: next }
}

/**
 * The method. With a state the first model is a running merge and the others newcomers; else they are all experts.
 * `onState` is told what the merge must be accompanied by to be continued.
 */
export function opcmMethod(start?: OpcmState, onState?: (state: OpcmState) => void): MergeMethod<OpcmRun> {
  return {
    declaration,
    async survey(model) {
      const { run, experts } = await startRun(model, start)
      for (let k = 1; k < experts; k++) await addExpert(model, run, k)
      onState?.(run.state)
      return run
    },
    async merge(task, { values, scale }) {
      if (task.models.length === 1) {
        encodeWeightedSum(task, [1])
        return
      }
      const base = await readTensor(task, baseOf(task))
      const moved = values.get(task.name)!
      writeTensor(
        task,
        base.map((value, i) => value + scale * moved[i]),
      )
    },
  }
}

/**
 * Adds one more expert to a running merge: `job` opens the running merge and the newcomer as its two models, beside the
 * base. Resolves to the state of the new merge, which is written to `out`. Rejects `request-invalid` for a state that is
 * none.
 */
export async function continueOpcm(job: MergeJob, state: OpcmState): Promise<OpcmState> {
  const isState =
    Number.isInteger(state.count) &&
    state.count >= 1 &&
    state.meanNorm >= 0 &&
    state.lambda > 0 &&
    Number.isFinite(state.meanNorm + state.lambda)
  if (!isState)
    throw new EngineError(
      'request-invalid',
      `found a running merge of ${state.count} experts, mean norm ${state.meanNorm}, λ ${state.lambda}; expected at least one and finite numbers`,
    )
  let found = state
  await runMerge(
    opcmMethod(state, (next) => {
      found = next
    }),
    job,
  )
  return found
}
