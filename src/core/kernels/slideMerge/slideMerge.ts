// One step of a slider: the merge moves along a direction that is already known.

import type { HostArrays, KernelSpec, Params } from '../spec.ts'
import slideMergeWgsl from './slideMerge.wgsl?raw'

/** stored out (count) = bar + share·direction; bar and direction float32, padded to fours. */
export const slideMerge: KernelSpec = {
  name: 'slideMerge',
  wgsl: slideMergeWgsl,
  params: [
    ['count', 'u32'],
    ['share', 'f32'],
  ],
  bindings: [
    { name: 'bar', kind: 'vec', access: 'read' },
    { name: 'direction', kind: 'vec', access: 'read' },
    { name: 'out', kind: 'weight', access: 'read_write' },
  ],
  threads: (p) => [Math.ceil(p.count / 32), 1, 1],
  workgroupSize: [64, 1, 1],
  reference: (p: Params, { bar, direction }: HostArrays) => ({
    out: Float64Array.from({ length: p.count }, (_, i) => bar[i] + p.share * direction[i]),
  }),
  tolerance: { absolute: 3e-7, relative: 1e-6, why: 'one float32 product and sum' },
  noGradient: 'linear; merges are not differentiated',
  cases: [8, 100, 1024].map((count, i) => ({
    name: `${count} weights`,
    params: { count, share: [-0.75, 0.5, 1][i] },
    sizes: { bar: count, direction: count, out: count },
  })),
}
