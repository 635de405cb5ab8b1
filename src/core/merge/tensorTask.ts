// The steps that methods share: rows of task vectors or weights in float32, their Gram matrix, a linear
// combination written in the stored type, and the way to the host and back for methods that need it.

import { EngineError } from '../errors.ts'
import { sumGrams } from '../geometry/gramPass.ts'
import { narrow, widen } from '../kernels/elementwise/elementwise.ts'
import { combineRows, stackRow } from '../kernels/mergeRows/mergeRows.ts'
import { GRAM_PLAIN } from '../kernels/weightedGram/weightedGram.ts'
import { decodeWeights, WEIGHT_BYTES } from '../tensors/dtype.ts'
import type { TensorTask } from './method.ts'

/** The base's buffer; `request-invalid` when there is none. */
export function baseOf(task: TensorTask): GPUBuffer {
  if (!task.base)
    throw new EngineError('request-invalid', 'this method needs a base model', { tensor: task.name })
  return task.base
}

/** Encodes rows (K, padded) of θ_k, or of θ_k − θ_0 with `minusBase`, into scratch. */
export function encodeRows(task: TensorTask, { minusBase }: { minusBase: boolean }): GPUBuffer {
  const { gpu, models, padded, type } = task
  const rows = task.scratch(models.length * padded * 4)
  const base = minusBase ? baseOf(task) : gpu.unused
  models.forEach((model, k) => {
    gpu.run(
      stackRow,
      { count: padded, offset: k * padded, minusBase: minusBase ? 1 : 0 },
      { model, base, rows },
      type,
    )
  })
  return rows
}

/** ⟨row_k, row_l⟩ (K,K), float64 sums of float32 chunks. */
export async function rowGram(
  task: TensorTask,
  rows: GPUBuffer,
  count = task.models.length,
): Promise<Float64Array> {
  const set = { buffer: rows, rows: count }
  const sums = await sumGrams(task.gpu, [{ name: task.name, count: task.padded }], () => [
    { label: 'gram', a: set, b: set, mode: GRAM_PLAIN },
  ])
  return sums.total.get('gram')!
}

/** Encodes out = baseShare·θ_0 + Σ_k coefficients[k]·row_k, in the stored type. */
export function encodeCombination(
  task: TensorTask,
  rows: GPUBuffer,
  coefficients: readonly number[],
  baseShare: number,
): void {
  const { gpu, padded } = task
  const values = task.scratch(coefficients.length * 4)
  gpu.write(values, Float32Array.from(coefficients))
  gpu.run(
    combineRows,
    { count: padded, rows: coefficients.length, stride: padded, baseShare },
    { base: baseShare === 0 ? gpu.unused : baseOf(task), rows_: rows, coefficients: values, out: task.out },
    task.type,
  )
}

/** A model's or the base's tensor on the host, as stored (count). */
export async function readTensor(task: TensorTask, buffer: GPUBuffer): Promise<Float64Array> {
  const bytes = await task.gpu.readBytes(buffer, task.count * WEIGHT_BYTES[task.type])
  return Float64Array.from(decodeWeights(new Uint8Array(bytes), task.type))
}

/** Material of this tensor on the host (count float32). */
export async function readMaterial(
  task: TensorTask,
  buffer: GPUBuffer,
  count = task.count,
): Promise<Float64Array> {
  return Float64Array.from(await task.gpu.readFloats(buffer, count))
}

/** Writes host values (count) into `out`, rounded to the stored type on the device. */
export function writeTensor(task: TensorTask, values: Float64Array): void {
  const { gpu, padded } = task
  const wide = task.scratch(padded * 4)
  const data = new Float32Array(padded)
  data.set(values)
  gpu.write(wide, data)
  gpu.run(narrow, { count: padded }, { a: wide, out: task.out }, task.type)
}

/** Encodes a stored tensor as float32 into new scratch (padded). */
export function encodeWide(task: TensorTask, buffer: GPUBuffer): GPUBuffer {
  const out = task.scratch(task.padded * 4)
  task.gpu.run(widen, { count: task.padded }, { weight: buffer, out }, task.type)
  return out
}
