// Linear layer on [out, in] weights, and its gradients into input and weight.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import {
  matmulBackwardInputReference,
  matmulBackwardWeightReference,
  matmulReference,
} from './matmul.reference.ts'
import matmulWgsl from './matmul.wgsl?raw'
import backwardInputWgsl from './matmulBackwardInput.wgsl?raw'
import backwardWeightWgsl from './matmulBackwardWeight.wgsl?raw'

const fours = (...values: number[]) => values.every((v) => v % 4 === 0)
const up = (n: number, step: number) => Math.ceil(n / step)

const forwardCase = (
  name: string,
  M: number,
  K: number,
  N: number,
  extra: Partial<Record<string, number>> = {},
): KernelCase => {
  const p = { M, K, N, xStride: K, xOffset: 0, yStride: N, yOffset: 0, addResidual: 0, ...extra } as Record<
    string,
    number
  >
  const y = p.yOffset + M * p.yStride
  return { name, params: p, sizes: { weight: N * K, x: p.xOffset + M * p.xStride, residual: y, y } }
}

/** y (M,N) = x (M,K) · weightᵀ + residual. Strides and offsets in elements let x and y be columns of wider rows. */
export const matmul: KernelSpec = {
  name: 'matmul',
  wgsl: matmulWgsl,
  params: [
    ['M', 'u32'],
    ['N', 'u32'],
    ['K', 'u32'],
    ['xStride', 'u32'],
    ['xOffset', 'u32'],
    ['yStride', 'u32'],
    ['yOffset', 'u32'],
    ['addResidual', 'u32'],
  ],
  bindings: [
    { name: 'weight', kind: 'weight', access: 'read' },
    { name: 'x', kind: 'vec', access: 'read' },
    { name: 'residual', kind: 'vec', access: 'read' },
    { name: 'y', kind: 'vec', access: 'read_write' },
  ],
  threads: (p) => [up(p.N, 8), up(p.M, 8), 1],
  workgroupSize: [8, 8, 1],
  // Columns past N may only be written where they are padding of the same row.
  isAligned: (p) =>
    fours(p.K, p.xStride, p.xOffset, p.yStride, p.yOffset) && (p.N % 4 === 0 || p.yStride === up(p.N, 4) * 4),
  reference: matmulReference,
  tolerance: { absolute: 3e-6, relative: 3e-6, why: 'float32 sums of K products' },
  cases: [
    forwardCase('13×20→12, whole rows', 13, 20, 12),
    forwardCase('11×18→9, odd widths', 11, 18, 9, { addResidual: 1 }),
    forwardCase('9×16→8, fewer columns than rows', 9, 16, 8, { yStride: 20, yOffset: 12 }),
    forwardCase('9×16→20, columns of wider rows', 9, 16, 20, {
      xStride: 24,
      xOffset: 8,
      yStride: 32,
      yOffset: 12,
      addResidual: 1,
    }),
    forwardCase('33×64→96', 33, 64, 96),
    forwardCase('5×8→7, whole fours into odd rows', 5, 8, 7),
    forwardCase('10×8→11, rows padded to 12', 10, 8, 11, { yStride: 12 }),
  ],
  noGradient: 'checked through matmulBackwardInput and matmulBackwardWeight',
}

const forwardOf = (
  p: Params,
  inputs: HostArrays,
  x: HostArrays[string],
  weight: HostArrays[string],
): number => {
  const { M, N, K, dyStride, dyOffset } = p as {
    M: number
    N: number
    K: number
    dyStride: number
    dyOffset: number
  }
  let sum = 0
  for (let m = 0; m < M; m++)
    for (let n = 0; n < N; n++) {
      let y = 0
      for (let k = 0; k < K; k++) y += x[m * K + k] * weight[n * K + k]
      sum += inputs.dy[dyOffset + m * dyStride + n] * y
    }
  return sum
}

const inputCase = (
  name: string,
  M: number,
  K: number,
  N: number,
  extra: Record<string, number> = {},
): KernelCase => {
  const p: Record<string, number> = {
    M,
    K,
    N,
    dyStride: N,
    dyOffset: 0,
    dxStride: K,
    accumulate: 0,
    ...extra,
  }
  return { name, params: p, sizes: { weight: N * K, dy: p.dyOffset + M * p.dyStride, dx: M * p.dxStride } }
}

/** dx (M,K) (+)= dy (M,N) · weight (N,K). */
export const matmulBackwardInput: KernelSpec = {
  name: 'matmulBackwardInput',
  wgsl: backwardInputWgsl,
  params: [
    ['M', 'u32'],
    ['N', 'u32'],
    ['K', 'u32'],
    ['dyStride', 'u32'],
    ['dyOffset', 'u32'],
    ['dxStride', 'u32'],
    ['accumulate', 'u32'],
  ],
  bindings: [
    { name: 'weight', kind: 'weight', access: 'read' },
    { name: 'dy', kind: 'vec', access: 'read' },
    { name: 'dx', kind: 'vec', access: 'read_write' },
  ],
  threads: (p) => [up(p.K, 4), up(p.M, 8), 1],
  workgroupSize: [8, 8, 1],
  isAligned: (p) => fours(p.K, p.dyStride, p.dyOffset, p.dxStride),
  reference: matmulBackwardInputReference,
  tolerance: { absolute: 3e-6, relative: 3e-6, why: 'float32 sums of N products' },
  cases: [
    inputCase('13×20←12', 13, 20, 12),
    inputCase('11×18←9, odd widths, added', 11, 18, 9, { accumulate: 1 }),
    inputCase('10×16←11 of rows of 12, padding masked', 10, 16, 11, { dyStride: 12 }),
    inputCase('9×8←22 of rows of 24, narrowing', 9, 8, 22, { dyStride: 24 }),
    inputCase('17×32←8, columns of wider rows, added', 17, 32, 8, {
      dyStride: 24,
      dyOffset: 8,
      accumulate: 1,
    }),
  ],
  finiteDifferences: [
    {
      input: 'x',
      output: 'dx',
      inputSize: (p) => p.M * p.K,
      objective: (p, inputs) =>
        p.accumulate === 1 ? Number.NaN : forwardOf(p, inputs, inputs.x, inputs.weight),
    },
  ],
}

const weightCase = (
  name: string,
  [T, K, N]: [number, number, number],
  bounds: number[],
  groups: number[],
  power: number,
  extra: Record<string, number> = {},
): KernelCase => {
  const Z = groups.length - 1
  const p: Record<string, number> = {
    N,
    K,
    Z,
    xStride: K,
    xOffset: 0,
    dyStride: N,
    dyOffset: 0,
    power,
    accumulate: 0,
    outRow: 0,
    outStride: Math.ceil((N * K) / 4) * 4,
    ...extra,
  }
  return {
    name,
    params: p,
    sizes: {
      dy: p.dyOffset + T * p.dyStride,
      x: p.xOffset + T * p.xStride,
      segments: bounds.length,
      groups: groups.length,
      dWeight: (Z - 1) * p.outStride + (p.outRow + N) * K,
    },
    fill: { segments: (i) => bounds[i], groups: (i) => groups[i] },
  }
}

/** dWeight (Z,N,K) from dy (T,N) and x (T,K) over token segments (S+1 bounds) in groups (Z+1 bounds). */
export const matmulBackwardWeight: KernelSpec = {
  name: 'matmulBackwardWeight',
  wgsl: backwardWeightWgsl,
  params: [
    ['N', 'u32'],
    ['K', 'u32'],
    ['Z', 'u32'],
    ['xStride', 'u32'],
    ['xOffset', 'u32'],
    ['dyStride', 'u32'],
    ['dyOffset', 'u32'],
    ['power', 'u32'],
    ['accumulate', 'u32'],
    ['outRow', 'u32'],
    ['outStride', 'u32'],
  ],
  bindings: [
    { name: 'dy', kind: 'vec', access: 'read' },
    { name: 'x', kind: 'vec', access: 'read' },
    { name: 'segments', kind: 'u32', access: 'read' },
    { name: 'groups', kind: 'u32', access: 'read' },
    { name: 'dWeight', kind: 'vec', access: 'read_write' },
  ],
  threads: (p) => [up(p.K, 4), up(p.N, 8), p.Z],
  workgroupSize: [8, 8, 1],
  isAligned: (p) => fours(p.K, p.xStride, p.xOffset, p.dyStride, p.dyOffset, p.outStride),
  reference: matmulBackwardWeightReference,
  tolerance: { absolute: 4e-6, relative: 4e-6, why: 'float32 sums of T products, squared' },
  cases: [
    weightCase('gradient, 19×20→12', [19, 20, 12], [0, 19], [0, 1], 1),
    weightCase('gradient, odd widths, added', [11, 18, 9], [0, 4, 11], [0, 2], 1, { accumulate: 1 }),
    weightCase('per-sequence squares', [23, 16, 20], [0, 5, 11, 12, 23], [0, 4], 2),
    weightCase('per-sequence absolute values, odd widths', [17, 10, 9], [0, 4, 9, 17], [0, 3], 0, {
      accumulate: 1,
    }),
    weightCase('three rows of A from columns of wider rows', [14, 8, 12], [0, 5, 9, 14], [0, 1, 2, 3], 1, {
      dyStride: 20,
      dyOffset: 4,
      xStride: 12,
      xOffset: 4,
    }),
    weightCase(
      'squares per token, second part of a fused matrix',
      [9, 8, 12],
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      [0, 9],
      2,
      { outRow: 4, outStride: 128, accumulate: 1 },
    ),
  ],
  finiteDifferences: [
    {
      input: 'weight',
      output: 'dWeight',
      inputSize: (p) => p.N * p.K,
      objective: (p, inputs) => {
        if (p.power !== 1 || p.accumulate === 1 || p.Z !== 1) return Number.NaN
        let sum = 0
        for (let t = inputs.segments[0]; t < inputs.segments[inputs.segments.length - 1]; t++)
          for (let n = 0; n < p.N; n++)
            for (let k = 0; k < p.K; k++)
              sum +=
                inputs.dy[p.dyOffset + t * p.dyStride + n] *
                inputs.x[p.xOffset + t * p.xStride + k] *
                inputs.weight[n * p.K + k]
        return sum
      },
    },
  ],
}
