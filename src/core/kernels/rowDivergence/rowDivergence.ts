// Arcee fusion's importance: how far a row's softmax moved, times how far each weight did.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import rowDivergenceWgsl from './rowDivergence.wgsl?raw'
import rowImportanceWgsl from './rowImportance.wgsl?raw'
import takeImportantWgsl from './takeImportant.wgsl?raw'

const base = {
  workgroupSize: [64, 1, 1],
  noGradient: 'merges are not differentiated',
} as const satisfies Partial<KernelSpec>

const fours = (count: number) => Math.ceil(count / 4) * 4
const pair = [
  { name: 'model', kind: 'weight', access: 'read' },
  { name: 'base', kind: 'weight', access: 'read' },
] as const

const softmax = (row: Float64Array) => {
  const most = Math.max(...row)
  const parts = row.map((value) => Math.exp(value - most))
  const sum = parts.reduce((a, b) => a + b, 0)
  return parts.map((value) => value / sum)
}

/** Σ p log(p/q) of softmaxes with `least` added, in float64. */
export function divergenceOf(model: Float64Array, origin: Float64Array, least: number): number {
  const q = softmax(origin)
  return softmax(model).reduce((sum, p, j) => sum + (p + least) * Math.log((p + least) / (q[j] + least)), 0)
}

type Fill = NonNullable<KernelCase['fill']>

const sixteenths = (i: number) => ((i * 7) % 16) / 16

/** Rows that differ by −step, 0 or step. */
const apart = (step: number): Fill => ({
  base: sixteenths,
  model: (i) => sixteenths(i) + step * (((i * 5) % 3) - 1),
})
/** Rows that differ by anything up to `most`, on either side of where the formula changes. */
const spread = (most: number): Fill => ({
  base: sixteenths,
  model: (i) => sixteenths(i) + (most * (((i * 37) % 101) - 50)) / 50,
})
/** Exponentials of these are infinite. */
const far: Fill = { base: (i) => ((i * 5) % 4) * 50 + 40, model: (i) => ((i * 3) % 4) * 60 + 30 }

const divergenceCase = (name: string, rows: number, width: number, fill: Fill, least = 1e-8): KernelCase => ({
  name: `${rows} rows of ${width}, ${name}`,
  params: { rows, width, least },
  sizes: { model: fours(rows * width), base: fours(rows * width), divergence: rows },
  fill,
})

/** divergence (rows) of model and base (rows, width). */
export const rowDivergence: KernelSpec = {
  ...base,
  name: 'rowDivergence',
  wgsl: rowDivergenceWgsl,
  params: [
    ['rows', 'u32'],
    ['width', 'u32'],
    ['least', 'f32'],
  ],
  bindings: [...pair, { name: 'divergence', kind: 'f32', access: 'read_write' }],
  threads: (p) => [p.rows, 1, 1],
  reference: (p: Params, { model, base: origin, divergence }: HostArrays) => ({
    divergence: Float64Array.from(divergence, (_, row) => {
      const part = (x: HostArrays[string]) =>
        Float64Array.from(x.subarray(row * p.width, (row + 1) * p.width))
      return divergenceOf(part(model), part(origin), p.least)
    }),
  }),
  tolerance: {
    absolute: 4e-6,
    relative: 2e-5,
    why: 'device exponentials and logarithms, float32 sums of a row',
  },
  cases: [
    divergenceCase('unlike', 5, 37, {}),
    divergenceCase('a hair apart', 3, 200, apart(2 ** -12)),
    divergenceCase('near', 150, 9, apart(2 ** -6), 0.125),
    divergenceCase('half apart', 2, 64, apart(0.5)),
    divergenceCase('up to 0.24 apart', 3, 101, spread(0.24)),
    divergenceCase('up to 0.4 apart', 3, 101, spread(0.4)),
    divergenceCase('far from 0', 2, 45, far),
    divergenceCase('of one element', 3, 1, {}),
    divergenceCase('alike', 2, 40, apart(0)),
  ],
}

const importanceCase = (rows: number, width: number): KernelCase => ({
  name: `${rows} rows of ${width}`,
  params: { count: fours(rows * width), width, rows },
  sizes: {
    model: fours(rows * width),
    base: fours(rows * width),
    divergence: rows,
    values: fours(rows * width),
  },
})

/** values (count) = |model − base| times the divergence of the row; count in whole fours. */
export const rowImportance: KernelSpec = {
  ...base,
  name: 'rowImportance',
  wgsl: rowImportanceWgsl,
  params: [
    ['count', 'u32'],
    ['width', 'u32'],
    ['rows', 'u32'],
  ],
  bindings: [
    ...pair,
    { name: 'divergence', kind: 'f32', access: 'read' },
    { name: 'values', kind: 'vec', access: 'read_write' },
  ],
  threads: (p) => [Math.ceil(p.count / 4), 1, 1],
  reference: (p: Params, { model, base: origin, divergence, values }: HostArrays) => ({
    values: Float64Array.from(
      values,
      (_, i) => Math.abs(model[i] - origin[i]) * divergence[Math.min(Math.floor(i / p.width), p.rows - 1)],
    ),
  }),
  tolerance: { absolute: 2e-7, relative: 1e-6, why: 'one float32 difference and product' },
  cases: [importanceCase(7, 13), importanceCase(4, 16), importanceCase(130, 4), importanceCase(30, 1)],
}

const takeCase = (count: number, threshold: number): KernelCase => ({
  name: `${count} weights from ${threshold}`,
  params: { count, threshold },
  sizes: { model: count, base: count, values: count, out: count },
  fill: { values: (i) => (i * 3) % 8 },
})

/** stored out (count): the model where values (count) reach the threshold, the base elsewhere. */
export const takeImportant: KernelSpec = {
  ...base,
  name: 'takeImportant',
  wgsl: takeImportantWgsl,
  params: [
    ['count', 'u32'],
    ['threshold', 'f32'],
  ],
  bindings: [
    ...pair,
    { name: 'values', kind: 'vec', access: 'read' },
    { name: 'out', kind: 'weight', access: 'read_write' },
  ],
  threads: (p) => [Math.ceil(p.count / 4), 1, 1],
  reference: (p: Params, { model, base: origin, values }: HostArrays) => ({
    out: Float64Array.from(values, (value, i) => (value < p.threshold ? origin[i] : model[i])),
  }),
  tolerance: { absolute: 0, relative: 0, why: 'a copy' },
  cases: [takeCase(60, 3), takeCase(520, 4.5), takeCase(8, 0)],
}
