// NearSwap's interpolation, whose share falls with distance. Buffers are padded to fours.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import nearSwapWgsl from './nearSwap.wgsl?raw'

const swapCase = (count: number, t: number, least: number): KernelCase => ({
  name: `${count} weights, t ${t}, distances from ${least}`,
  params: { count, t, least },
  sizes: { base: count, model: count, out: count },
  fill: {
    model: (i, random) => (i % 7 === 0 ? 0 : random()),
    base: (i, random) => (i % 5 === 0 ? 0 : random()),
  },
})

/** stored out (count) between base and model, at most t from the base or at the model. */
export const nearSwap: KernelSpec = {
  name: 'nearSwap',
  wgsl: nearSwapWgsl,
  params: [
    ['count', 'u32'],
    ['t', 'f32'],
    ['least', 'f32'],
  ],
  bindings: [
    { name: 'base', kind: 'weight', access: 'read' },
    { name: 'model', kind: 'weight', access: 'read' },
    { name: 'out', kind: 'weight', access: 'read_write' },
  ],
  threads: (p: Params) => [Math.ceil(p.count / 4), 1, 1],
  workgroupSize: [64, 1, 1],
  reference: (p: Params, { base, model }: HostArrays) => ({
    out: Float64Array.from(model, (value, i) => {
      const tau = value - base[i]
      return base[i] + Math.min(1, p.t / Math.max(Math.abs(tau), p.least)) * tau
    }),
  }),
  tolerance: { absolute: 1e-6, relative: 1e-6, why: 'a float32 quotient, product and sum' },
  cases: [swapCase(60, 0.5, 1e-6), swapCase(8, 100, 1e-6), swapCase(520, 0.1, 1e-6), swapCase(60, 0.25, 0.5)],
  noGradient: 'merges are not differentiated',
}
