// Rotary position embedding (Su et al. 2104.09864) on the first `heads` heads of each row: queries and keys.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import rotaryWgsl from './rotary.wgsl?raw'

export function rotaryReference(p: Params, { x, cosines, sines }: HostArrays): HostArrays {
  const out = Float64Array.from(x)
  const half = p.R / 2
  for (let t = 0; t < p.T; t++)
    for (let head = 0; head < p.heads; head++)
      for (let i = 0; i < half; i++) {
        const at = t * p.stride + head * p.D + i
        const c = cosines[t * half + i]
        const s = sines[t * half + i] * p.direction
        out[at] = x[at] * c - x[at + half] * s
        out[at + half] = x[at + half] * c + x[at] * s
      }
  return { x: out }
}

const rotaryCase = (
  T: number,
  heads: number,
  D: number,
  R: number,
  stride: number,
  direction: number,
): KernelCase => ({
  name: `${T} tokens, ${heads} heads of ${D}, ${R} rotated, direction ${direction}`,
  params: { T, heads, D, R, stride, direction },
  sizes: { x: T * stride, cosines: (T * R) / 2, sines: (T * R) / 2 },
})

/** x (T, stride) in place; cosines and sines (T, R/2); direction ±1. */
export const rotary: KernelSpec = {
  name: 'rotary',
  wgsl: rotaryWgsl,
  params: [
    ['T', 'u32'],
    ['heads', 'u32'],
    ['D', 'u32'],
    ['R', 'u32'],
    ['stride', 'u32'],
    ['direction', 'f32'],
  ],
  bindings: [
    { name: 'x', kind: 'f32', access: 'read_write' },
    { name: 'cosines', kind: 'f32', access: 'read' },
    { name: 'sines', kind: 'f32', access: 'read' },
  ],
  threads: (p) => [(p.heads * p.R) / 2, p.T, 1],
  workgroupSize: [16, 4, 1],
  reference: rotaryReference,
  tolerance: { absolute: 1e-6, relative: 1e-6, why: 'two float32 products' },
  cases: [rotaryCase(5, 4, 8, 8, 40, 1), rotaryCase(3, 2, 6, 6, 14, -1), rotaryCase(7, 3, 16, 8, 64, 1)],
  finiteDifferences: [
    {
      // Rotating the upstream gradient backwards is the gradient of rotating forwards.
      input: 'z',
      output: 'x',
      inputSize: (p) => p.T * p.stride,
      objective: (p, { z, x, cosines, sines }) => {
        const y = rotaryReference({ ...p, direction: -p.direction }, { x: z, cosines, sines }).x
        let sum = 0
        for (let i = 0; i < p.T * p.stride; i++) sum += x[i] * y[i]
        return sum
      },
    },
  ],
}
