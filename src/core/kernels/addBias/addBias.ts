// Bias of a linear layer; its gradient is columnSum.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import addBiasWgsl from './addBias.wgsl?raw'

export function addBiasReference(p: Params, { weight, y }: HostArrays): HostArrays {
  const out = Float64Array.from(y)
  for (let t = 0; t < p.T; t++) for (let n = 0; n < p.N; n++) out[p.yOffset + t * p.yStride + n] += weight[n]
  return { y: out }
}

const biasCase = (T: number, N: number, yStride: number, yOffset: number): KernelCase => ({
  name: `${T}×${N} at column ${yOffset} of ${yStride}`,
  params: { T, N, yStride, yOffset },
  sizes: { weight: N, y: yOffset + T * yStride },
})

/** y (T,N) += weight (N). */
export const addBias: KernelSpec = {
  name: 'addBias',
  wgsl: addBiasWgsl,
  params: [
    ['T', 'u32'],
    ['N', 'u32'],
    ['yStride', 'u32'],
    ['yOffset', 'u32'],
  ],
  bindings: [
    { name: 'weight', kind: 'weight', access: 'read' },
    { name: 'y', kind: 'vec', access: 'read_write' },
  ],
  threads: (p) => [Math.ceil(p.N / 4), p.T, 1],
  workgroupSize: [16, 4, 1],
  isAligned: (p) => [p.N, p.yStride, p.yOffset].every((v) => v % 4 === 0),
  reference: addBiasReference,
  tolerance: { absolute: 1e-7, relative: 1e-7, why: 'one float32 addition' },
  cases: [biasCase(5, 8, 8, 0), biasCase(3, 6, 10, 2), biasCase(17, 32, 48, 12)],
  noGradient: 'the gradient into the bias is columnSum, into y the identity',
}
