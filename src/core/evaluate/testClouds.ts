// Seeded Gaussian clouds for the tests of this folder; not part of the product.

import { Random } from '../tensors/random.ts'
import type { ClassVectors } from './separation.ts'

/** Unit-variance clouds `gap` apart along the first axis, shifted by `shift` everywhere. */
export function clouds(
  counts: [number, number],
  width: number,
  gap: number,
  seed: number,
  shift = 0,
): ClassVectors {
  const random = new Random(seed, 7)
  const cloud = (count: number, at: number) =>
    Float64Array.from(
      { length: count * width },
      (_, i) => shift + random.normal() + (i % width === 0 ? at : 0),
    )
  return { safe: cloud(counts[0], gap), unsafe: cloud(counts[1], 0), width }
}

/** Row i of row-major `values`. */
export const rowOf = (values: Float32Array | Float64Array, width: number, i: number) =>
  values.subarray(i * width, (i + 1) * width)

/** Euclidean distance. */
export function distance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0
  for (let k = 0; k < x.length; k++) sum += (x[k] - y[k]) ** 2
  return Math.sqrt(sum)
}
