// Sums over tokens, by segment and group: see matmulBackwardWeight for what segments and groups mean.

import type { KernelCase, KernelSpec } from '../spec.ts'
import { columnSumReference } from './columnSum.reference.ts'
import columnSumWgsl from './columnSum.wgsl?raw'

const sumCase = (
  name: string,
  C: number,
  bounds: number[],
  groups: number[],
  power: number,
  extra: Record<string, number> = {},
): KernelCase => {
  const Z = groups.length - 1
  const p: Record<string, number> = {
    C,
    Z,
    xStride: C,
    xOffset: 0,
    power,
    accumulate: 0,
    outStride: Math.ceil(C / 4) * 4,
    outOffset: 0,
    ...extra,
  }
  const T = bounds[bounds.length - 1]
  return {
    name,
    params: p,
    sizes: {
      x: p.xOffset + T * p.xStride,
      segments: bounds.length,
      groups: groups.length,
      out: (Z - 1) * p.outStride + p.outOffset + Math.ceil(C / 4) * 4,
    },
    fill: { segments: (i) => bounds[i], groups: (i) => groups[i] },
  }
}

/** out (Z,C) of x (T,C). */
export const columnSum: KernelSpec = {
  name: 'columnSum',
  wgsl: columnSumWgsl,
  params: [
    ['C', 'u32'],
    ['Z', 'u32'],
    ['xStride', 'u32'],
    ['xOffset', 'u32'],
    ['power', 'u32'],
    ['accumulate', 'u32'],
    ['outStride', 'u32'],
    ['outOffset', 'u32'],
  ],
  bindings: [
    { name: 'x', kind: 'vec', access: 'read' },
    { name: 'segments', kind: 'u32', access: 'read' },
    { name: 'groups', kind: 'u32', access: 'read' },
    { name: 'out', kind: 'vec', access: 'read_write' },
  ],
  threads: (p) => [Math.ceil(p.C / 4), p.Z, 1],
  workgroupSize: [16, 4, 1],
  isAligned: (p) => [p.C, p.xStride, p.xOffset, p.outStride, p.outOffset].every((v) => v % 4 === 0),
  reference: columnSumReference,
  tolerance: { absolute: 3e-6, relative: 3e-6, why: 'float32 sums' },
  cases: [
    sumCase('gradient', 8, [0, 11], [0, 1], 1),
    sumCase('squares, odd width, added', 7, [0, 3, 9], [0, 2], 2, { accumulate: 1 }),
    sumCase('absolute values', 12, [0, 2, 7, 11], [0, 3], 0),
    sumCase('three groups from columns of wider rows', 12, [0, 4, 6, 13], [0, 1, 2, 3], 1, {
      xStride: 20,
      xOffset: 8,
      outOffset: 4,
      outStride: 24,
    }),
  ],
  finiteDifferences: [
    {
      input: 'bias',
      output: 'out',
      inputSize: (p) => p.C,
      objective: (p, { bias, x, segments }) => {
        if (p.power !== 1 || p.Z !== 1 || p.accumulate === 1) return Number.NaN
        let sum = 0
        for (let t = segments[0]; t < segments[segments.length - 1]; t++)
          for (let c = 0; c < p.C; c++) sum += x[p.xOffset + t * p.xStride + c] * bias[c]
        return sum
      },
    },
  ],
}
