// Variant `mergekit` is defined by float32 steps, so its divergence takes them here too, written out once more;
// everything else is float64.

import type { MergeReference } from '../../method.ts'

const f = Math.fround

/** Lane j takes every sixteenth number; then lanes 0 and 8, 1 and 9 … are added, and so on; the rest follows. */
function sumOf(values: readonly number[]): number {
  const whole = Math.floor(values.length / 16) * 16
  let lanes = Array.from({ length: 16 }, (_, lane) =>
    values.slice(0, whole).reduce((sum, value, i) => (i % 16 === lane ? f(sum + value) : sum), 0),
  )
  while (lanes.length > 1) {
    const half = lanes.length / 2
    lanes = lanes.slice(0, half).map((value, lane) => f(value + lanes[lane + half]))
  }
  return values.slice(whole).reduce((sum, value) => f(sum + value), lanes[0])
}

function floatDivergence(model: readonly number[], base: readonly number[]): number {
  const softmax = (row: readonly number[]) => {
    const most = Math.max(...row)
    const parts = row.map((value) => f(Math.exp(f(value - most))))
    const scale = f(1 / sumOf(parts))
    return parts.map((part) => f(f(part * scale) + f(1e-8)))
  }
  const q = softmax(base)
  return sumOf(softmax(model).map((p, j) => f(p * f(Math.log(f(p / q[j]))))))
}

function exactDivergence(model: readonly number[], base: readonly number[]): number {
  const softmax = (row: readonly number[]) => {
    const parts = row.map((value) => Math.exp(value - Math.max(...row)))
    const sum = parts.reduce((a, b) => a + b, 0)
    return parts.map((part) => part / sum + 1e-8)
  }
  const q = softmax(base)
  return softmax(model).reduce((sum, p, j) => sum + p * Math.log(p / q[j]), 0)
}

export const reference: MergeReference = ({ tensors, base, models }) =>
  new Map(
    tensors.map(({ name, shape, parameters }) => {
      const [origin, other] = [base!.get(name)!, models[0].get(name)!]
      const width = shape[shape.length - 1]
      const divergenceOf = parameters.variant === 'exact' ? exactDivergence : floatDivergence
      const importance = new Float64Array(origin.length)
      for (let start = 0; start < origin.length; start += width) {
        const row = (values: Float64Array) => [...values.subarray(start, start + width)]
        const divergence = divergenceOf(row(other), row(origin))
        for (let i = start; i < start + width; i++)
          importance[i] = Math.abs(other[i] - origin[i]) * divergence
      }
      const sorted = importance.slice().sort()
      const [low, median, high] = [0.25, 0.5, 0.75].map((q) => sorted[Math.floor(q * (sorted.length - 1))])
      const threshold = median + 1.5 * (high - low)
      return [name, origin.map((value, i) => (importance[i] >= threshold ? other[i] : value))]
    }),
  )
