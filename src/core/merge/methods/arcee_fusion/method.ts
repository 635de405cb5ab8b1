// Arcee fusion (mergekit `arcee_fusion`): importance = |τ| · D of the row, D = Σ p log(p/q) of the softmaxes of the
// model's and the base's row (a vector is one row); τ stays where importance ≥ median + 1.5 (Q3 − Q1), the quantiles
// being the elements at place ⌊q (n − 1)⌋ of the tensor's sorted importances. mergekit sorts a random million of larger
// tensors; here the order statistics are exact at any size.
//
// Σ p log(p/q) cancels: in float32 the rounding of its sums is 1e-4 of it and more, and decides which elements near the
// threshold stay. Variant `mergekit` therefore goes through the same float32 steps; `exact` sums what does not cancel.

import { EngineError } from '../../../errors.ts'
import { SELECTOR_WORDS } from '../../../kernels/magnitudeSelect/magnitudeSelect.ts'
import { rowDivergence, rowImportance, takeImportant } from '../../../kernels/rowDivergence/rowDivergence.ts'
import { defineMethod, type TensorTask } from '../../method.ts'
import { encodeSelect } from '../../taskVectorsKeep.ts'
import { baseOf } from '../../tensorTask.ts'
import { declaration } from './declaration.ts'
import { LEAST_PROBABILITY, readDivergences } from './floatDivergence.ts'

const QUANTILES = [0.25, 0.5, 0.75]

/** D of every row (rows, float32) on the device. */
async function divergences(task: TensorTask, rows: number, width: number): Promise<GPUBuffer> {
  const { gpu, type } = task
  const divergence = task.scratch(rows * 4)
  if (task.parameters.variant === 'exact')
    gpu.run(
      rowDivergence,
      { rows, width, least: LEAST_PROBABILITY },
      { model: task.models[0], base: baseOf(task), divergence },
      type,
    )
  else gpu.write(divergence, await readDivergences(task, rows, width))
  return divergence
}

/** median + 1.5 (Q3 − Q1), rounded as float32 arithmetic rounds it. */
async function thresholdOf(task: TensorTask, values: GPUBuffer): Promise<number> {
  const { gpu, count } = task
  const ranks = QUANTILES.map((q) => count - Math.floor(q * (count - 1)))
  const picks = encodeSelect(task, [{ values: { model: values, type: 'f32', count }, ranks }])
  const bits = await gpu.readWords(picks, ranks.length * SELECTOR_WORDS)
  const [low, median, high] = ranks.map((_, i) => new Float32Array(bits.buffer)[i * SELECTOR_WORDS])
  const threshold = Math.fround(median + Math.fround(1.5 * Math.fround(high - low)))
  if (!Number.isFinite(threshold))
    throw new EngineError('not-finite', `found a threshold of ${threshold}, expected a number`, {
      tensor: task.name,
    })
  return threshold
}

export const method = defineMethod({
  declaration,
  async merge(task) {
    const { gpu, padded, count, type } = task
    const width = task.shape[task.shape.length - 1] ?? 1
    const rows = count / width
    const pair = { model: task.models[0], base: baseOf(task) }
    const values = task.scratch(padded * 4)
    const divergence = await divergences(task, rows, width)
    gpu.run(rowImportance, { count: padded, width, rows }, { ...pair, divergence, values }, type)
    const threshold = await thresholdOf(task, values)
    gpu.run(takeImportant, { count: padded, threshold }, { ...pair, values, out: task.out }, type)
  },
})
