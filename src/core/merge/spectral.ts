// Steps of the methods that work on singular vectors of task vectors: tensors to the host and back in float64, singular
// vectors of several tasks made orthonormal together, and the plain mean for tensors that are no matrices.

import type { TensorTask } from './method.ts'
import {
  assertDecomposable,
  type HostMatrix,
  polarFactor,
  rankOf,
  type SingularTriplets,
  singularTriplets,
  sumOfProducts,
} from './singularValues.ts'
import { baseOf, readTensor, writeTensor } from './tensorTask.ts'
import { encodeWeightedSum } from './weightedSum.ts'

/** Whether a tensor has singular vectors: everything else is averaged. */
export const isMatrix = (task: { shape: readonly number[] }): boolean => task.shape.length === 2

/** A tensor's base and task vectors on the host. */
export interface HostTasks {
  base: Float64Array
  /** τ_k, (m, n) each; what is no matrix is one row */
  tasks: HostMatrix[]
}

export async function readTasks(task: TensorTask): Promise<HostTasks> {
  const [rows, columns] = isMatrix(task) ? task.shape : [1, task.count]
  const base = await readTensor(task, baseOf(task))
  const tasks: HostMatrix[] = []
  for (const model of task.models) {
    const data = await readTensor(task, model)
    for (let i = 0; i < data.length; i++) data[i] -= base[i]
    const tau = { rows, columns, data }
    assertDecomposable(tau, task.name)
    tasks.push(tau)
  }
  return { base, tasks }
}

/** Writes θ_0 + scale · Δ. */
export function writeMoved(task: TensorTask, base: Float64Array, delta: Float64Array, scale: number): void {
  writeTensor(
    task,
    base.map((value, i) => value + scale * delta[i]),
  )
}

/** Encodes θ_0 + scale · mean of all task vectors, for tensors that are no matrices. */
export function encodeMeanTask(task: TensorTask, scale: number): void {
  const shares = task.models.map(() => scale / task.models.length)
  encodeWeightedSum({ ...task, models: [...task.models, baseOf(task)] }, [...shares, 1 - scale])
}

/** The leading singular triplets of one task: σ uvᵀ with u (m) and v (n) as rows. */
export interface LeadingTriplets {
  left: HostMatrix
  right: HostMatrix
  values: Float64Array
}

/** The first `count` triplets, fewer when the rank is lower. */
export function leadingTriplets(triplets: SingularTriplets, count: number): LeadingTriplets {
  const kept = Math.min(count, rankOf(triplets.values))
  const first = ({ columns, data }: HostMatrix): HostMatrix => ({
    rows: kept,
    columns,
    data: data.slice(0, kept * columns),
  })
  return {
    left: first(triplets.left),
    right: first(triplets.right),
    values: triplets.values.slice(0, kept),
  }
}

/** Rows of several matrices below one another. */
export function stackRows(parts: readonly HostMatrix[], columns: number): HostMatrix {
  const data = new Float64Array(parts.reduce((sum, part) => sum + part.data.length, 0))
  let at = 0
  for (const part of parts) {
    data.set(part.data, at)
    at += part.data.length
  }
  return { rows: data.length / columns, columns, data }
}

/**
 * Sum of several tasks' triplets after their singular vectors were made orthonormal together:
 * polar(U) S polar(V)ᵀ with U and V of all tasks side by side (TSV-Merge, arXiv 2412.00081). Zero for no triplets.
 */
export function whitenedSum(parts: readonly LeadingTriplets[], rows: number, columns: number): HostMatrix {
  const values = Float64Array.from(parts.flatMap((part) => [...part.values]))
  if (values.length === 0) return { rows, columns, data: new Float64Array(rows * columns) }
  // polar(Uᵀ) = polar(U)ᵀ, so factors stay stacked as rows.
  const factor = (side: 'left' | 'right', length: number) =>
    polarFactor(
      stackRows(
        parts.map((part) => part[side]),
        length,
      ),
    )
  return sumOfProducts(factor('left', rows), factor('right', columns), values)
}

/** All triplets of every task of a matrix. */
export const tripletsOf = ({ tasks }: HostTasks): SingularTriplets[] => tasks.map(singularTriplets)
