// Mean of hidden states over token spans: the vectors of AQI, and gradients started from them.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import poolSpansWgsl from './poolSpans.wgsl?raw'
import poolSpansBackwardWgsl from './poolSpansBackward.wgsl?raw'

export function poolSpansReference(p: Params, { x, spanStart, spanEnd, pooled }: HostArrays): HostArrays {
  const out = Float64Array.from(pooled)
  for (let s = 0; s < p.S; s++)
    for (let c = 0; c < p.C; c++) {
      let sum = 0
      for (let t = spanStart[s]; t < spanEnd[s]; t++) sum += x[t * p.C + c]
      out[s * p.stride + p.offset + c] = sum / (spanEnd[s] - spanStart[s])
    }
  return { pooled: out }
}

export function poolSpansBackwardReference(
  p: Params,
  { dPooled, spanStart, spanEnd, dx }: HostArrays,
): HostArrays {
  const out = Float64Array.from(dx)
  for (let s = 0; s < p.S; s++)
    for (let t = spanStart[s]; t < spanEnd[s]; t++)
      for (let c = 0; c < p.C; c++)
        out[t * p.C + c] += dPooled[s * p.stride + p.offset + c] / (spanEnd[s] - spanStart[s])
  return { dx: out }
}

const base = {
  params: [
    ['S', 'u32'],
    ['C', 'u32'],
    ['stride', 'u32'],
    ['offset', 'u32'],
  ],
  threads: (p: Params) => [Math.ceil(p.C / 4), p.S, 1],
  workgroupSize: [16, 4, 1],
  isAligned: (p: Params) => [p.C, p.stride, p.offset].every((v) => v % 4 === 0),
  tolerance: { absolute: 2e-6, relative: 3e-6, why: 'float32 sum over a span' },
} as const satisfies Partial<KernelSpec>

const spans = [
  [2, 5],
  [5, 6],
  [9, 16],
]
const poolCase = (C: number, stride: number, offset: number, isBackward: boolean): KernelCase => ({
  name: `${C} channels at ${offset} of ${stride}`,
  params: { S: spans.length, C, stride, offset },
  sizes: {
    [isBackward ? 'dPooled' : 'x']: isBackward ? spans.length * stride : 17 * C,
    spanStart: 3,
    spanEnd: 3,
    [isBackward ? 'dx' : 'pooled']: isBackward ? 17 * C : spans.length * stride,
  },
  fill: { spanStart: (i) => spans[i][0], spanEnd: (i) => spans[i][1] },
})
const shapes: [number, number, number][] = [
  [8, 8, 0],
  [6, 20, 7],
  [32, 96, 32],
]

/** pooled (S, stride) columns offset … offset+C of x (T,C). */
export const poolSpans: KernelSpec = {
  ...base,
  name: 'poolSpans',
  wgsl: poolSpansWgsl,
  bindings: [
    { name: 'x', kind: 'vec', access: 'read' },
    { name: 'spanStart', kind: 'u32', access: 'read' },
    { name: 'spanEnd', kind: 'u32', access: 'read' },
    { name: 'pooled', kind: 'vec', access: 'read_write' },
  ],
  reference: poolSpansReference,
  cases: shapes.map(([C, stride, offset]) => poolCase(C, stride, offset, false)),
  noGradient: 'checked through poolSpansBackward',
}

/** dx (T,C) += gradient of dPooled (S, stride). */
export const poolSpansBackward: KernelSpec = {
  ...base,
  name: 'poolSpansBackward',
  wgsl: poolSpansBackwardWgsl,
  bindings: [
    { name: 'dPooled', kind: 'vec', access: 'read' },
    { name: 'spanStart', kind: 'u32', access: 'read' },
    { name: 'spanEnd', kind: 'u32', access: 'read' },
    { name: 'dx', kind: 'vec', access: 'read_write' },
  ],
  reference: poolSpansBackwardReference,
  cases: shapes.map(([C, stride, offset]) => poolCase(C, stride, offset, true)),
  finiteDifferences: [
    {
      input: 'x',
      output: 'dx',
      inputSize: (p) => 17 * p.C,
      objective: (p, { x, dPooled, spanStart, spanEnd, dx }) => {
        const pooled = poolSpansReference(p, {
          x,
          spanStart,
          spanEnd,
          pooled: new Float64Array(p.S * p.stride),
        }).pooled
        let sum = 0
        for (let s = 0; s < p.S; s++)
          for (let c = 0; c < p.C; c++)
            sum += dPooled[s * p.stride + p.offset + c] * pooled[s * p.stride + p.offset + c]
        for (let i = 0; i < dx.length; i++) sum += dx[i] * x[i]
        return sum
      },
    },
  ],
}
