// RAM's sum: a weight that one model changed by more than ε takes the whole change, one that several changed their
// mean. Which models changed a weight is a pattern of bits, and what is divided by depends on the pattern alone.

import { countPatterns } from '../kernels/elect/elect.ts'
import type { TensorPasses, TensorTask } from './method.ts'
import { numberOf } from './parameters.ts'
import { encodePatterns, encodeTaskVectorSum, type TaskVectorSum } from './taskVectors.ts'
import { lanesOf } from './taskVectorsKeep.ts'

/** Encodes θ_0 + factors[k] τ_k where model k alone is active, θ_0 + mean of active τ where several are. */
export function encodeActiveSum(task: TensorTask, factors: readonly number[]): void {
  encodeTaskVectorSum(task, activeSum(task, factors))
}

function activeSum(task: TensorTask, factors: readonly number[]): TaskVectorSum {
  return {
    choice: { by: 'size', epsilon: numberOf(task.parameters, 'epsilon') },
    coefficients: factors.map(() => 1),
    scale: (chosen) => {
      const active = chosen.filter(Boolean).length
      return active === 1 ? factors[chosen.indexOf(true)] : active > 1 ? 1 / active : 0
    },
  }
}

const COPIES = 8

/** Elements that model k alone changes, and that it changes with others. */
export async function countActive(tensor: TensorPasses): Promise<{ unique: number; shared: number }[]> {
  const sums = tensor.modelParameters.map(() => ({ unique: 0, shared: 0 }))
  await tensor.forEachTile((tile) => addActive(tile, sums))
  return sums
}

async function addActive(
  task: TensorTask,
  sums: readonly { unique: number; shared: number }[],
): Promise<void> {
  const { gpu, count, padded, models } = task
  const bits = models.length
  const carry = encodePatterns(task, activeSum(task, Array(bits).fill(1)))
  const counts = task.scratch(COPIES * 2 ** bits * 4)
  gpu.clear(counts)
  gpu.run(
    countPatterns,
    { count, offset: 2 * padded, bits, lanes: lanesOf(count), copies: COPIES },
    { x: carry, counts },
  )
  const words = await gpu.readWords(counts, COPIES * 2 ** bits)
  sums.forEach((own, k) => {
    words.forEach((size, at) => {
      const pattern = at % 2 ** bits
      if ((pattern & (1 << k)) === 0) return
      if (pattern === 1 << k) own.unique += size
      else own.shared += size
    })
  })
}
