// One of several rows for each element: merges in which at most one model may move a weight.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import chooseRowsWgsl from './chooseRows.wgsl?raw'

const choiceAt = (choice: ArrayLike<number>, i: number) => Math.floor(choice[i >> 2] / 256 ** (i % 4)) % 256

const chooseCase = (count: number, rows: number): KernelCase => ({
  name: `${rows} rows of ${count}`,
  params: { count, rows, stride: count + 4 },
  // One row more than there are: choices that name it must leave the base alone.
  sizes: {
    base: count,
    rows_: (rows + 1) * (count + 4),
    coefficients: rows + 1,
    choice: count / 4,
    out: count,
  },
  fill: {
    choice: (i) =>
      [0, 1, 2, 3].reduce((word, lane) => word + 256 ** lane * ((i * 4 + lane * 3) % (rows + 2)), 0),
  },
})

/**
 * stored out (count) = base + coefficients[c]·rows_[c], c = choice − 1, or base where there is no such row; rows_
 * (rows, stride), choice (count) bytes.
 */
export const chooseRows: KernelSpec = {
  name: 'chooseRows',
  wgsl: chooseRowsWgsl,
  params: [
    ['count', 'u32'],
    ['rows', 'u32'],
    ['stride', 'u32'],
  ],
  bindings: [
    { name: 'base', kind: 'weight', access: 'read' },
    { name: 'rows_', kind: 'vec', access: 'read' },
    { name: 'coefficients', kind: 'f32', access: 'read' },
    { name: 'choice', kind: 'u32', access: 'read' },
    { name: 'out', kind: 'weight', access: 'read_write' },
  ],
  threads: (p: Params) => [Math.ceil(p.count / 4), 1, 1],
  workgroupSize: [64, 1, 1],
  reference: (p: Params, { base, rows_, coefficients, choice, out }: HostArrays) => ({
    out: Float64Array.from(out, (_, i) => {
      const chosen = choiceAt(choice, i)
      const isRow = chosen > 0 && chosen <= p.rows
      return base[i] + (isRow ? coefficients[chosen - 1] * rows_[(chosen - 1) * p.stride + i] : 0)
    }),
  }),
  tolerance: { absolute: 3e-7, relative: 1e-6, why: 'a float32 product and sum' },
  cases: [chooseCase(8, 1), chooseCase(100, 3), chooseCase(1024, 8)],
  noGradient: 'linear in the weights; merges are not differentiated',
}
