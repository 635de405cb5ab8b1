// Cross-entropy of chosen target tokens, and its gradient in place of the logits.

import { softCap } from '../shared/softCap.reference.ts'
import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import crossEntropyWgsl from './crossEntropy.wgsl?raw'

const rowLoss = (p: Params, logits: ArrayLike<number>, r: number, target: number) => {
  let top = Number.NEGATIVE_INFINITY
  for (let v = 0; v < p.V; v++) top = Math.max(top, logits[r * p.stride + v])
  let total = 0
  for (let v = 0; v < p.V; v++) total += Math.exp(logits[r * p.stride + v] - top)
  return { top, total, loss: Math.log(total) + top - logits[r * p.stride + target] }
}

export function crossEntropyReference(p: Params, { logits, targets, scale, loss }: HostArrays): HostArrays {
  const outLogits = Float64Array.from(logits)
  const outLoss = Float64Array.from(loss)
  for (let r = 0; r < p.R; r++) {
    const { top, total, loss: value } = rowLoss(p, logits, r, targets[r])
    outLoss[r] = value
    if (p.gradient === 0) continue
    for (let v = 0; v < p.stride; v++) {
      const at = r * p.stride + v
      const slope = p.cap === 0 ? 1 : 1 - (logits[at] / p.cap) ** 2
      const gradient = Math.exp(logits[at] - top) / total - (v === targets[r] ? 1 : 0)
      outLogits[at] = v < p.V ? scale[r] * gradient * slope : 0
    }
  }
  return { logits: outLogits, loss: outLoss }
}

const capped = (p: Params, raw: Float64Array) => raw.map((value) => softCap(value, p.cap))

const entropyCase = (
  R: number,
  V: number,
  stride: number,
  gradient: number,
  rowsPerY = R,
  size = 1,
  cap = 0,
): KernelCase => ({
  name: `${R} rows of ${V} (stride ${stride})${gradient ? ', gradient' : ''}, logits × ${size}, cap ${cap}`,
  params: { R, V, stride, rowsPerY, gradient, cap },
  sizes: { logits: R * stride, targets: R, scale: R, loss: R },
  fill: { targets: (i) => (i * 5 + 2) % V, logits: (_, random) => size * random() },
})

/**
 * loss (R) of logits (R, stride ≥ V) and targets (R); logits become scale (R) ∘ gradient when asked, into what `cap`
 * was put on where that is above 0.
 */
export const crossEntropy: KernelSpec = {
  name: 'crossEntropy',
  wgsl: crossEntropyWgsl,
  params: [
    ['R', 'u32'],
    ['V', 'u32'],
    ['stride', 'u32'],
    ['rowsPerY', 'u32'],
    ['gradient', 'u32'],
    ['cap', 'f32'],
  ],
  bindings: [
    { name: 'logits', kind: 'vec', access: 'read_write' },
    { name: 'targets', kind: 'u32', access: 'read' },
    { name: 'scale', kind: 'f32', access: 'read' },
    { name: 'loss', kind: 'f32', access: 'read_write' },
  ],
  threads: (p) => [p.rowsPerY, Math.ceil(p.R / p.rowsPerY), 1],
  workgroupSize: [64, 1, 1],
  isAligned: (p) => p.stride % 4 === 0,
  reference: crossEntropyReference,
  tolerance: { absolute: 3e-6, relative: 6e-6, why: 'exp and log of the device are good to a few ulp' },
  cases: [
    entropyCase(5, 11, 12, 1),
    entropyCase(3, 7, 7, 1),
    entropyCase(9, 64, 64, 0, 4),
    entropyCase(8, 211, 212, 1),
    entropyCase(9, 13, 16, 1, 4),
    // Far apart: without the row's own largest logit the exponentials overflow.
    entropyCase(19, 10, 10, 0, 19, 300),
    entropyCase(19, 14, 16, 1, 19, 300),
    entropyCase(6, 11, 12, 1, 6, 2, 3),
    entropyCase(5, 9, 9, 1, 2, 1, 30),
    entropyCase(4, 8, 8, 0, 4, 1, 0.9),
    entropyCase(5, 7, 8, 1, 5, 1, 0.9),
  ],
  derive: (p, { raw, logits }) =>
    raw || p.cap > 0 ? { logits: capped(p, (raw ?? logits) as Float64Array) } : {},
  finiteDifferences: [
    {
      // What the cap is put on.
      input: 'raw',
      output: 'logits',
      inputSize: (p) => p.R * p.stride,
      objective: (p, { raw, targets, scale }) => {
        if (p.gradient === 0) return Number.NaN
        const logits = capped(p, raw as Float64Array)
        let sum = 0
        for (let r = 0; r < p.R; r++) sum += scale[r] * rowLoss(p, logits, r, targets[r]).loss
        return sum
      },
    },
  ],
}
