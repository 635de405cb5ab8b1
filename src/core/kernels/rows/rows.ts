// Copies of whole rows by index: target positions into the head and back, keys and values into a cache.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import gatherWgsl from './gatherRows.wgsl?raw'
import scatterWgsl from './scatterRows.wgsl?raw'

export function gatherRowsReference(p: Params, { x, rows, y }: HostArrays): HostArrays {
  const out = Float64Array.from(y)
  for (let i = 0; i < p.R; i++)
    for (let c = 0; c < p.C; c++) out[p.yOffset + i * p.yStride + c] = x[p.xOffset + rows[i] * p.xStride + c]
  return { y: out }
}

export function scatterRowsReference(p: Params, { x, rows, y }: HostArrays): HostArrays {
  const out = Float64Array.from(y)
  for (let i = 0; i < p.R; i++)
    for (let c = 0; c < p.C; c++) out[p.yOffset + rows[i] * p.yStride + c] = x[p.xOffset + i * p.xStride + c]
  return { y: out }
}

const base = {
  params: [
    ['R', 'u32'],
    ['C', 'u32'],
    ['xStride', 'u32'],
    ['xOffset', 'u32'],
    ['yStride', 'u32'],
    ['yOffset', 'u32'],
  ],
  bindings: [
    { name: 'x', kind: 'vec', access: 'read' },
    { name: 'rows', kind: 'u32', access: 'read' },
    { name: 'y', kind: 'vec', access: 'read_write' },
  ],
  threads: (p: Params) => [Math.ceil(p.C / 4), p.R, 1],
  workgroupSize: [16, 4, 1],
  isAligned: (p: Params) => [p.C, p.xStride, p.xOffset, p.yStride, p.yOffset].every((v) => v % 4 === 0),
  tolerance: { absolute: 0, relative: 0, why: 'a copy' },
} as const satisfies Partial<KernelSpec>

const shapes = [
  { R: 3, C: 8, rows: 7, stride: 8, offset: 0 },
  { R: 5, C: 6, rows: 9, stride: 11, offset: 3 },
  { R: 9, C: 32, rows: 20, stride: 48, offset: 12 },
]
const indices = (rows: number) => ({ rows: (i: number) => (i * 2 + 1) % rows })
/** Between columns of wider rows on both sides, as keys and values go into the cache. */
const wideCase = (C: number, narrow: number, wide: number): KernelCase => ({
  name: `4 of 7 rows, ${C} channels of ${narrow} and ${wide}`,
  params: { R: 4, C, xStride: narrow, xOffset: 4, yStride: wide, yOffset: 8 },
  sizes: { x: 4 + 7 * narrow, rows: 4, y: 8 + 7 * wide },
  fill: indices(7),
})
const rowCase = (isGather: boolean) => [
  ...shapes.map(({ R, C, rows, stride, offset }): KernelCase => {
    const wide = offset + rows * stride
    const params = isGather
      ? { R, C, xStride: stride, xOffset: offset, yStride: C, yOffset: 0 }
      : { R, C, xStride: C, xOffset: 0, yStride: stride, yOffset: offset }
    return {
      name: `${R} of ${rows} rows, ${C} channels of ${stride}`,
      params,
      sizes: { x: isGather ? wide : R * C, rows: R, y: isGather ? R * C : wide },
      fill: indices(rows),
    }
  }),
  wideCase(8, 12, 20),
  wideCase(5, 9, 11),
  wideCase(8, 13, 19),
]

/** y (R,C) = rows of x. */
export const gatherRows: KernelSpec = {
  ...base,
  name: 'gatherRows',
  wgsl: gatherWgsl,
  reference: gatherRowsReference,
  cases: rowCase(true),
  noGradient: 'a copy; its gradient is scatterRows',
}

/** rows of y = x (R,C). */
export const scatterRows: KernelSpec = {
  ...base,
  name: 'scatterRows',
  wgsl: scatterWgsl,
  reference: scatterRowsReference,
  cases: rowCase(false),
  noGradient: 'a copy; its gradient is gatherRows',
}
