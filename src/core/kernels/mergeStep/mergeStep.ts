// The elementwise passes of merging. All buffers are padded to four elements, so whole fours are always read
// and written; counts below are of real elements and multiples of four on the device.

import type { KernelCase, KernelSpec, Params } from '../spec.ts'
import accumulateWgsl from './accumulateDifference.wgsl?raw'
import fisherAccumulateWgsl from './fisherAccumulate.wgsl?raw'
import fisherFinishWgsl from './fisherFinish.wgsl?raw'
import {
  accumulateDifferenceReference,
  fisherAccumulateReference,
  fisherFinishReference,
  writeMergeReference,
} from './mergeStep.reference.ts'
import writeMergeWgsl from './writeMerge.wgsl?raw'

const base = {
  threads: (p: Params): [number, number, number] => [Math.ceil(p.count / 4), 1, 1],
  workgroupSize: [64, 1, 1],
  noGradient: 'a linear combination; the objective it minimises is checked in objectiveGradient',
} as const satisfies Partial<KernelSpec>
const positive = (_: number, random: () => number) => 0.5 + Math.abs(random())

const differenceCase = (count: number, first: number, offset: number): KernelCase => ({
  name: `${count} weights, ${first ? 'first' : 'added'}`,
  params: { count, first, offset, lambda: 0.3 },
  sizes: { expert: count, base: count, sum: offset + count },
})

/** sum (count, from `offset`) of λ (expert − base). */
export const accumulateDifference: KernelSpec = {
  ...base,
  name: 'accumulateDifference',
  wgsl: accumulateWgsl,
  params: [
    ['count', 'u32'],
    ['first', 'u32'],
    ['offset', 'u32'],
    ['lambda', 'f32'],
  ],
  bindings: [
    { name: 'expert', kind: 'weight', access: 'read' },
    { name: 'base', kind: 'weight', access: 'read' },
    { name: 'sum', kind: 'vec', access: 'read_write' },
  ],
  reference: accumulateDifferenceReference,
  tolerance: { absolute: 3e-7, relative: 1e-6, why: 'a float32 difference and product' },
  cases: [differenceCase(8, 1, 0), differenceCase(100, 0, 24), differenceCase(1024, 0, 0)],
}

const writeCase = (count: number, rows: number): KernelCase => ({
  name: `${count} weights, ${rows} rows of A`,
  params: { count, rows, stride: count + 4 },
  sizes: {
    base: count,
    delta: count,
    rows: Math.max(1, rows) * (count + 4),
    metric: count,
    b: Math.max(1, rows),
    out: count,
  },
  fill: { metric: positive },
})

/** out (count) = base + delta − (bᵀ rows)/metric; rows (n, stride). */
export const writeMerge: KernelSpec = {
  ...base,
  name: 'writeMerge',
  wgsl: writeMergeWgsl,
  params: [
    ['count', 'u32'],
    ['rows', 'u32'],
    ['stride', 'u32'],
  ],
  bindings: [
    { name: 'base', kind: 'weight', access: 'read' },
    { name: 'delta', kind: 'vec', access: 'read' },
    { name: 'rows', kind: 'vec', access: 'read' },
    { name: 'metric', kind: 'vec', access: 'read' },
    { name: 'b', kind: 'f32', access: 'read' },
    { name: 'out', kind: 'weight', access: 'read_write' },
  ],
  reference: writeMergeReference,
  tolerance: { absolute: 1e-6, relative: 2e-6, why: 'float32 sum over rows and a division' },
  cases: [writeCase(8, 0), writeCase(60, 5), writeCase(12, 1), writeCase(1024, 3)],
}

const fisherCase = (count: number, least: number, floor: number): KernelCase => ({
  name: `${count} weights, at least ${least}, ${floor} added`,
  params: { count, lambda: 0.4, least, floor },
  sizes: { fisher: count, expert: count, numerator: count, denominator: count },
  fill: { fisher: positive },
})

/** numerator, denominator (count) += λ F∘expert, λ F with F = max(fisher, least) + floor. */
export const fisherAccumulate: KernelSpec = {
  ...base,
  name: 'fisherAccumulate',
  wgsl: fisherAccumulateWgsl,
  params: [
    ['count', 'u32'],
    ['lambda', 'f32'],
    ['least', 'f32'],
    ['floor', 'f32'],
  ],
  bindings: [
    { name: 'fisher', kind: 'vec', access: 'read' },
    { name: 'expert', kind: 'weight', access: 'read' },
    { name: 'numerator', kind: 'vec', access: 'read_write' },
    { name: 'denominator', kind: 'vec', access: 'read_write' },
  ],
  reference: fisherAccumulateReference,
  tolerance: { absolute: 3e-7, relative: 1e-6, why: 'float32 products' },
  cases: [fisherCase(8, 0, 1e-3), fisherCase(100, 0.9, 0), fisherCase(1024, 1.1, 0.25)],
}

/** out (count) = numerator / denominator, fallback where that is zero. */
export const fisherFinish: KernelSpec = {
  ...base,
  name: 'fisherFinish',
  wgsl: fisherFinishWgsl,
  params: [['count', 'u32']],
  bindings: [
    { name: 'numerator', kind: 'vec', access: 'read' },
    { name: 'denominator', kind: 'vec', access: 'read' },
    { name: 'fallback', kind: 'weight', access: 'read' },
    { name: 'out', kind: 'weight', access: 'read_write' },
  ],
  reference: fisherFinishReference,
  tolerance: { absolute: 3e-7, relative: 2e-6, why: 'a float32 division' },
  cases: [8, 100, 1024].map((count) => ({
    name: `${count} weights, every third without a share`,
    params: { count },
    sizes: { numerator: count, denominator: count, fallback: count, out: count },
    fill: { denominator: (i, random) => (i % 3 === 1 ? 0 : positive(i, random)) },
  })),
}
