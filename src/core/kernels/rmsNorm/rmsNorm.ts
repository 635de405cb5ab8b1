// Root-mean-square norm over channels with a learned gain.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import { rmsNormBackwardReference, rmsNormReference } from './rmsNorm.reference.ts'
import rmsNormWgsl from './rmsNorm.wgsl?raw'
import rmsNormBackwardWgsl from './rmsNormBackward.wgsl?raw'

// Rows continue in y when there are more than x can hold.
const threads = (p: Params): [number, number, number] => [p.rowsPerY, Math.ceil(p.T / p.rowsPerY), 1]

const forwardCase = (
  T: number,
  C: number,
  epsilon: number,
  rowsPerY = T,
  offset = 0,
  addResidual = 0,
): KernelCase => ({
  name: `${T}×${C}, eps ${epsilon}, gain ${offset} + weight${addResidual ? ', residual' : ''}`,
  params: { T, C, rowsPerY, epsilon, offset, addResidual },
  sizes: { weight: C, x: T * C, residual: T * C, y: T * C, inverseRms: T },
})

/** y (T,C), plus residual (T,C) where asked for, and inverseRms (T) of x (T,C), gain offset + weight (C). */
export const rmsNorm: KernelSpec = {
  name: 'rmsNorm',
  wgsl: rmsNormWgsl,
  params: [
    ['T', 'u32'],
    ['C', 'u32'],
    ['rowsPerY', 'u32'],
    ['epsilon', 'f32'],
    ['offset', 'f32'],
    ['addResidual', 'u32'],
  ],
  bindings: [
    { name: 'weight', kind: 'weight', access: 'read' },
    { name: 'x', kind: 'vec', access: 'read' },
    { name: 'residual', kind: 'vec', access: 'read' },
    { name: 'y', kind: 'vec', access: 'read_write' },
    { name: 'inverseRms', kind: 'f32', access: 'read_write' },
  ],
  threads,
  workgroupSize: [64, 1, 1],
  isAligned: (p) => p.C % 4 === 0,
  reference: rmsNormReference,
  tolerance: { absolute: 2e-6, relative: 3e-6, why: 'float32 sum of squares and inverseSqrt of 2 ulp' },
  cases: [
    forwardCase(7, 8, 1e-5),
    forwardCase(5, 10, 0.3),
    forwardCase(9, 64, 1e-6, 4),
    forwardCase(1, 4, 1e-5),
    forwardCase(6, 7, 1e-5),
    forwardCase(4, 9, 1e-5, 4, 1, 1),
    forwardCase(6, 12, 1e-5, 6, 1),
    forwardCase(7, 16, 1e-5, 5, 0, 1),
  ],
  noGradient: 'checked through rmsNormBackward',
}

const consistent = (p: Params, x: ArrayLike<number>): Float64Array =>
  rmsNormReference(
    { ...p, addResidual: 0 },
    {
      weight: new Float64Array(p.C),
      x: x as Float64Array,
      residual: new Float64Array(0),
      y: new Float64Array(p.T * p.C),
      inverseRms: new Float64Array(p.T),
    },
  ).inverseRms as Float64Array

const objective = (p: Params, { weight, x, dy, dx }: HostArrays): number => {
  const r = consistent(p, x)
  let sum = 0
  for (let i = 0; i < p.T * p.C; i++) {
    const normed = x[i] * r[Math.floor(i / p.C)]
    // The kernel may add to what is there, so what is there is part of the gradient.
    sum += dy[i] * normed * (p.offset + weight[i % p.C]) + p.accumulate * dx[i] * x[i]
  }
  return sum
}

const backwardCase = (
  T: number,
  C: number,
  epsilon: number,
  rowsPerY = T,
  offset = 0,
  accumulate = 1,
): KernelCase => ({
  name: `${T}×${C}, eps ${epsilon}, gain ${offset} + weight${accumulate ? ', added' : ''}`,
  params: { T, C, rowsPerY, epsilon, offset, accumulate },
  sizes: { weight: C, x: T * C, inverseRms: T, dy: T * C, dx: T * C, gainProduct: T * C },
})

/** dx (T,C) (+)= gradient; gainProduct (T,C) = dy ∘ x̂. */
export const rmsNormBackward: KernelSpec = {
  name: 'rmsNormBackward',
  wgsl: rmsNormBackwardWgsl,
  params: [
    ['T', 'u32'],
    ['C', 'u32'],
    ['rowsPerY', 'u32'],
    ['epsilon', 'f32'],
    ['offset', 'f32'],
    ['accumulate', 'u32'],
  ],
  bindings: [
    { name: 'weight', kind: 'weight', access: 'read' },
    { name: 'x', kind: 'vec', access: 'read' },
    { name: 'inverseRms', kind: 'f32', access: 'read' },
    { name: 'dy', kind: 'vec', access: 'read' },
    { name: 'dx', kind: 'vec', access: 'read_write' },
    { name: 'gainProduct', kind: 'vec', access: 'read_write' },
  ],
  threads,
  workgroupSize: [64, 1, 1],
  isAligned: (p) => p.C % 4 === 0,
  derive: (p, inputs) => ({ inverseRms: consistent(p, inputs.x) }),
  reference: rmsNormBackwardReference,
  tolerance: { absolute: 4e-6, relative: 4e-6, why: 'difference of two float32 terms of like size' },
  cases: [
    backwardCase(7, 8, 1e-5),
    backwardCase(5, 10, 0.3),
    backwardCase(9, 64, 1e-6, 4),
    backwardCase(6, 12, 1e-5, 6, 1, 0),
    backwardCase(5, 9, 1e-5, 3, 1),
  ],
  finiteDifferences: [{ input: 'x', output: 'dx', objective }],
}
