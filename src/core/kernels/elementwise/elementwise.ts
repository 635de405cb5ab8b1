// Elementwise passes over whole tensors, four elements a thread; buffers are padded to fours.

import { softCap as softCapOf } from '../shared/softCap.reference.ts'
import softCapWgsl from '../shared/softCap.wgsl?raw'
import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import absoluteAccumulateWgsl from './absoluteAccumulate.wgsl?raw'
import combineWgsl from './combine.wgsl?raw'
import dampWgsl from './damp.wgsl?raw'
import narrowWgsl from './narrow.wgsl?raw'
import softCapPassWgsl from './softCap.wgsl?raw'
import squareAccumulateWgsl from './squareAccumulate.wgsl?raw'
import weighByMagnitudeWgsl from './weighByMagnitude.wgsl?raw'
import widenWgsl from './widen.wgsl?raw'

const COUNTS = [8, 100, 1024]
const map = (p: Params, f: (i: number) => number) => Float64Array.from({ length: p.count }, (_, i) => f(i))
const cases = (names: string[], extra: Record<string, number> = {}) =>
  COUNTS.map((count) => ({
    name: `${count} elements`,
    params: { count, ...extra },
    sizes: Object.fromEntries(names.map((name) => [name, count])),
  }))

const base = {
  threads: (p: Params): [number, number, number] => [Math.ceil(p.count / 4), 1, 1],
  workgroupSize: [64, 1, 1],
  tolerance: { absolute: 2e-7, relative: 1e-6, why: 'one or two float32 operations' },
  noGradient: 'elementwise and linear, or a power of a gradient',
} as const satisfies Partial<KernelSpec>

// Where rounding to a stored type is decided: ties to even both ways, carries into the exponent, the largest
// finite values and the first infinite ones, numbers below the smallest normal half, zeros of both signs.
const EDGES = [
  ...[1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, 2 - 2 ** -12],
  ...[2 - 2 ** -9, 65504, 65519, 65520, 1e6, 2 ** 127 * 1.99, 2 ** 127 * 1.9999999, 0, 1e-30, 2 ** -14],
  ...[2 ** -14 - 2 ** -25, 2 ** -14 - 2 ** -26, 2 ** -24, 2 ** -25, 1.5 * 2 ** -24, 2.5 * 2 ** -24],
  ...[1.25 * 2 ** -24, 3.75 * 2 ** -24, 2 ** -25 + 2 ** -40, Number.POSITIVE_INFINITY, Number.NaN],
]
const edge = (i: number) => EDGES[i % EDGES.length] * (i < EDGES.length ? 1 : -1)
const edgeCase = (from: string, allowed: (value: number) => boolean): KernelCase => {
  const count = Math.ceil(EDGES.length / 2) * 4
  return {
    name: 'ties, overflow, subnormals, signed zeros, infinity, NaN',
    params: { count },
    sizes: { [from]: count, out: count },
    fill: { [from]: (i) => (allowed(edge(i)) ? edge(i) : 1) },
  }
}

/** out (count) = α a + β b. */
export const combine: KernelSpec = {
  ...base,
  name: 'combine',
  wgsl: combineWgsl,
  params: [
    ['count', 'u32'],
    ['alpha', 'f32'],
    ['beta', 'f32'],
  ],
  bindings: [
    { name: 'a', kind: 'vec', access: 'read' },
    { name: 'b', kind: 'vec', access: 'read' },
    { name: 'out', kind: 'vec', access: 'read_write' },
  ],
  reference: (p: Params, { a, b }: HostArrays) => ({ out: map(p, (i) => p.alpha * a[i] + p.beta * b[i]) }),
  cases: cases(['a', 'b', 'out'], { alpha: 0.7, beta: -1.3 }),
}

/** out (count) += a². */
export const squareAccumulate: KernelSpec = {
  ...base,
  name: 'squareAccumulate',
  wgsl: squareAccumulateWgsl,
  params: [['count', 'u32']],
  bindings: [
    { name: 'a', kind: 'vec', access: 'read' },
    { name: 'out', kind: 'vec', access: 'read_write' },
  ],
  reference: (p: Params, { a, out }: HostArrays) => ({ out: map(p, (i) => out[i] + a[i] ** 2) }),
  cases: cases(['a', 'out']),
}

/** out (count) += |a|. */
export const absoluteAccumulate: KernelSpec = {
  ...base,
  name: 'absoluteAccumulate',
  wgsl: absoluteAccumulateWgsl,
  params: [['count', 'u32']],
  bindings: [
    { name: 'a', kind: 'vec', access: 'read' },
    { name: 'out', kind: 'vec', access: 'read_write' },
  ],
  reference: (p: Params, { a, out }: HostArrays) => ({ out: map(p, (i) => out[i] + Math.abs(a[i])) }),
  cases: cases(['a', 'out']),
}

/** out (count) = scale · |weight| · a. */
export const weighByMagnitude: KernelSpec = {
  ...base,
  name: 'weighByMagnitude',
  wgsl: weighByMagnitudeWgsl,
  params: [
    ['count', 'u32'],
    ['scale', 'f32'],
  ],
  bindings: [
    { name: 'weight', kind: 'weight', access: 'read' },
    { name: 'a', kind: 'vec', access: 'read' },
    { name: 'out', kind: 'vec', access: 'read_write' },
  ],
  reference: (p: Params, { weight, a }: HostArrays) => ({
    out: map(p, (i) => p.scale * Math.abs(weight[i]) * a[i]),
  }),
  cases: cases(['weight', 'a', 'out'], { scale: 1.75 }),
}

/** out (count) = scale · fisher + shift. */
export const damp: KernelSpec = {
  ...base,
  name: 'damp',
  wgsl: dampWgsl,
  params: [
    ['count', 'u32'],
    ['scale', 'f32'],
    ['shift', 'f32'],
  ],
  bindings: [
    { name: 'fisher', kind: 'vec', access: 'read' },
    { name: 'out', kind: 'vec', access: 'read_write' },
  ],
  reference: (p: Params, { fisher }: HostArrays) => ({ out: map(p, (i) => p.scale * fisher[i] + p.shift) }),
  cases: cases(['fisher', 'out'], { scale: 0.25, shift: 0.125 }),
}

/** x (count) becomes cap · tanh(x / cap); cap above 0. */
export const softCap: KernelSpec = {
  ...base,
  name: 'softCap',
  wgsl: softCapPassWgsl + softCapWgsl,
  params: [
    ['count', 'u32'],
    ['cap', 'f32'],
  ],
  bindings: [{ name: 'x', kind: 'vec', access: 'read_write' }],
  // Element by element, so that what is near zero counts as much as what is near the cap.
  tolerance: { absolute: 0, relative: 2e-6, why: 'exp of the device is good to a few ulp' },
  reference: (p: Params, { x }: HostArrays) => ({ x: map(p, (i) => softCapOf(x[i], p.cap)) }),
  cases: [
    ...cases(['x'], { cap: 1.5 }),
    {
      name: 'from a millionth to a thousand caps, both signs',
      params: { count: 96, cap: 30 },
      sizes: { x: 96 },
      fill: { x: (i) => (i % 2 === 0 ? 1 : -1) * 30 * 10 ** (i / 10 - 6) },
    },
    {
      name: 'around a tenth of the cap, where the formula changes',
      params: { count: 64, cap: 0.7 },
      sizes: { x: 64 },
      fill: { x: (i) => (i % 2 === 0 ? 0.7 : -0.7) * (0.04 + i / 500) },
    },
  ],
  noGradient: 'checked through crossEntropy, which has its derivative from the capped logits',
}

/** out (count, float32) = stored weight. */
export const widen: KernelSpec = {
  ...base,
  name: 'widen',
  wgsl: widenWgsl,
  params: [['count', 'u32']],
  bindings: [
    { name: 'weight', kind: 'weight', access: 'read' },
    { name: 'out', kind: 'vec', access: 'read_write' },
  ],
  tolerance: { absolute: 0, relative: 0, why: 'every stored value is a float32' },
  reference: (p: Params, { weight }: HostArrays) => ({ out: map(p, (i) => weight[i]) }),
  // The language lets a device flush subnormal halves.
  cases: [...cases(['weight', 'out']), edgeCase('weight', (v) => v === 0 || Math.abs(v) >= 2 ** -14)],
}

/** stored out (count) = a (float32). */
export const narrow: KernelSpec = {
  ...base,
  name: 'narrow',
  wgsl: narrowWgsl,
  params: [['count', 'u32']],
  bindings: [
    { name: 'a', kind: 'vec', access: 'read' },
    { name: 'out', kind: 'weight', access: 'read_write' },
  ],
  tolerance: { absolute: 0, relative: 0, why: 'rounding to nearest even is one value' },
  reference: (p: Params, { a }: HostArrays) => ({ out: map(p, (i) => a[i]) }),
  cases: [...cases(['a', 'out']), edgeCase('a', () => true)],
}
