// Finds NaN and infinity in stored weights before any number is made from them.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import countNonFiniteWgsl from './countNonFinite.wgsl?raw'

export function countNonFiniteReference(p: Params, { weight, partial }: HostArrays): HostArrays {
  const out = Uint32Array.from(partial)
  for (let chunk = 0; chunk < p.chunks; chunk++) {
    out[chunk] = 0
    for (let i = chunk * p.chunkSize; i < Math.min((chunk + 1) * p.chunkSize, p.count); i++)
      if (!Number.isFinite(weight[i])) out[chunk]++
  }
  return { partial: out }
}

const countCase = (count: number, chunkSize: number, every: number): KernelCase => {
  const chunks = Math.ceil(count / chunkSize)
  return {
    name: `${count} elements, ${every ? `one in ${every} bad` : 'all good'}`,
    params: { count, chunkSize, chunks },
    sizes: { weight: count, partial: chunks },
    fill: {
      weight: (i, random) => (every && i % every === 2 ? (i % 2 ? Number.NaN : -Infinity) : random()),
    },
  }
}

/** partial (chunks) of weight (count). */
export const countNonFinite: KernelSpec = {
  name: 'countNonFinite',
  wgsl: countNonFiniteWgsl,
  params: [
    ['count', 'u32'],
    ['chunkSize', 'u32'],
    ['chunks', 'u32'],
  ],
  bindings: [
    { name: 'weight', kind: 'weight', access: 'read' },
    { name: 'partial', kind: 'u32', access: 'read_write' },
  ],
  threads: (p) => [p.chunks, 1, 1],
  workgroupSize: [64, 1, 1],
  reference: countNonFiniteReference,
  tolerance: { absolute: 0, relative: 0, why: 'a count' },
  cases: [countCase(37, 8, 5), countCase(100, 32, 0), countCase(300, 64, 7)],
  noGradient: 'a count has none',
}
