// Σ p log(p/q) of two rows' softmaxes as mergekit computes it: every step rounded to float32, sums in sixteen lanes that
// are then halved pair by pair, as on a processor with 512-bit registers. No reference for the true divergence: what it
// is off by is what mergekit is off by.

import { decodeWeights, WEIGHT_BYTES } from '../../../tensors/dtype.ts'
import type { TensorTask } from '../../method.ts'
import { baseOf } from '../../tensorTask.ts'

/** Added to every probability. */
export const LEAST_PROBABILITY = 1e-8

const LANES = 16
const round = Math.fround
const lanes = new Float32Array(LANES)

/** Sum of the first `size` numbers. */
export function sumInLanes(values: Float32Array, size: number): number {
  const whole = size - (size % LANES)
  lanes.fill(0)
  // Float32Array rounds on writing.
  for (let i = 0; i < whole; i++) lanes[i % LANES] += values[i]
  for (let half = LANES / 2; half >= 1; half /= 2)
    for (let lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half]
  let sum = lanes[0]
  for (let i = whole; i < size; i++) sum = round(sum + values[i])
  return sum
}

/** Softmax + 1e-8 of row `start` … of `values` into `out`. */
function probabilities(values: Float32Array, start: number, width: number, out: Float32Array): void {
  let most = values[start]
  for (let i = 1; i < width; i++) most = Math.max(most, values[start + i])
  for (let i = 0; i < width; i++) out[i] = Math.exp(round(values[start + i] - most))
  const scale = round(1 / sumInLanes(out, width))
  const least = round(LEAST_PROBABILITY)
  for (let i = 0; i < width; i++) out[i] = round(out[i] * scale) + least
}

/** D of `rows` rows (rows, width) of model and base. */
export function floatDivergences(
  model: Float32Array,
  base: Float32Array,
  rows: number,
  width: number,
): Float32Array {
  const [p, q] = [new Float32Array(width), new Float32Array(width)]
  return Float32Array.from({ length: rows }, (_, row) => {
    probabilities(model, row * width, width, p)
    probabilities(base, row * width, width, q)
    for (let i = 0; i < width; i++) p[i] *= round(Math.log(round(p[i] / q[i])))
    return sumInLanes(p, width)
  })
}

/** Elements read from the device at a time. */
const MOST_READ = 2 ** 22

/** D of every row of a tensor, read some rows at a time. */
export async function readDivergences(task: TensorTask, rows: number, width: number): Promise<Float32Array> {
  const out = new Float32Array(rows)
  // Whole fours of rows start at whole words, however weights are stored.
  const step = Math.max(4, Math.floor(MOST_READ / width / 4) * 4)
  for (let row = 0; row < rows; row += step) {
    const size = Math.min(step, rows - row)
    const read = async (buffer: GPUBuffer) => {
      const bytes = WEIGHT_BYTES[task.type]
      const data = await task.gpu.readBytes(buffer, size * width * bytes, row * width * bytes)
      return decodeWeights(new Uint8Array(data), task.type)
    }
    const [model, base] = [await read(task.models[0]), await read(baseOf(task))]
    out.set(floatDivergences(model, base, size, width), row)
  }
  return out
}
