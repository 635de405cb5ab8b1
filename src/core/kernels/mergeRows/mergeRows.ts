// Rows of task vectors or weights (K, stride), and linear combinations of them. Buffers are padded to fours.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import combineRowsWgsl from './combineRows.wgsl?raw'
import stackRowWgsl from './stackRow.wgsl?raw'

const base = {
  threads: (p: Params): [number, number, number] => [Math.ceil(p.count / 4), 1, 1],
  workgroupSize: [64, 1, 1],
  noGradient: 'linear in the weights; merges are not differentiated',
} as const satisfies Partial<KernelSpec>

const stackCase = (count: number, offset: number, minusBase: number): KernelCase => ({
  name: `${count} weights at ${offset}, ${minusBase ? 'minus the base' : 'as they are'}`,
  params: { count, offset, minusBase },
  sizes: { model: count, base: count, rows: offset + count },
})

/** rows (count, from `offset`) = model − base, or model. */
export const stackRow: KernelSpec = {
  ...base,
  name: 'stackRow',
  wgsl: stackRowWgsl,
  params: [
    ['count', 'u32'],
    ['offset', 'u32'],
    ['minusBase', 'u32'],
  ],
  bindings: [
    { name: 'model', kind: 'weight', access: 'read' },
    { name: 'base', kind: 'weight', access: 'read' },
    { name: 'rows', kind: 'vec', access: 'read_write' },
  ],
  reference: (p: Params, { model, base, rows }: HostArrays) => {
    const out = Float64Array.from(rows)
    for (let i = 0; i < p.count; i++) out[p.offset + i] = model[i] - (p.minusBase === 1 ? base[i] : 0)
    return { rows: out }
  },
  tolerance: { absolute: 2e-7, relative: 1e-6, why: 'one float32 difference' },
  cases: [stackCase(8, 0, 1), stackCase(100, 24, 1), stackCase(1024, 0, 0)],
}

const combineCase = (count: number, rows: number, baseShare: number): KernelCase => ({
  name: `${rows} rows of ${count}, base share ${baseShare}`,
  params: { count, rows, stride: count + 4, baseShare },
  sizes: { base: count, rows_: rows * (count + 4), coefficients: rows, out: count },
})

/** stored out (count) = baseShare·base + Σ_k coefficients[k]·rows_[k]; rows_ (rows, stride). */
export const combineRows: KernelSpec = {
  ...base,
  name: 'combineRows',
  wgsl: combineRowsWgsl,
  params: [
    ['count', 'u32'],
    ['rows', 'u32'],
    ['stride', 'u32'],
    ['baseShare', 'f32'],
  ],
  bindings: [
    { name: 'base', kind: 'weight', access: 'read' },
    { name: 'rows_', kind: 'vec', access: 'read' },
    { name: 'coefficients', kind: 'f32', access: 'read' },
    { name: 'out', kind: 'weight', access: 'read_write' },
  ],
  reference: (p: Params, { base, rows_, coefficients, out }: HostArrays) => ({
    out: Float64Array.from(out, (_, i) => {
      let sum = p.baseShare === 0 ? 0 : p.baseShare * base[i]
      for (let k = 0; k < p.rows; k++) sum += coefficients[k] * rows_[k * p.stride + i]
      return sum
    }),
  }),
  tolerance: { absolute: 1e-6, relative: 2e-6, why: 'a float32 sum over rows' },
  cases: [combineCase(8, 1, 1), combineCase(60, 3, 0), combineCase(1024, 8, -0.5)],
}
