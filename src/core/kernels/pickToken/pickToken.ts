// Greedy token, or a seeded sample, of each row of logits.

import { pcgHash } from '../../tensors/random.ts'
import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import pickTokenWgsl from './pickToken.wgsl?raw'

export function pickTokenReference(p: Params, { logits, token }: HostArrays): HostArrays {
  const out = Uint32Array.from(token)
  for (let r = 0; r < p.R; r++) {
    const key = pcgHash((p.seed ^ pcgHash(p.firstRow + r)) >>> 0)
    let best = Number.NEGATIVE_INFINITY
    for (let v = 0; v < p.V; v++) {
      const u = ((pcgHash((key + v) >>> 0) >>> 9) + 0.5) * 2 ** -23
      const score = logits[r * p.stride + v] - (p.noise === 1 ? Math.log(-Math.log(u)) : 0)
      if (score > best) {
        best = score
        out[r] = v
      }
    }
  }
  return { token: out }
}

const pickCase = (R: number, V: number, stride: number, noise: number, seed = 7): KernelCase => ({
  name: `${R} rows of ${V} (stride ${stride}), ${noise ? 'sampled' : 'greedy'}`,
  params: { R, V, stride, noise, seed, firstRow: noise * 3 },
  sizes: { logits: R * stride, token: R },
})
const tied: KernelCase = {
  ...pickCase(20, 30, 32, 0),
  name: '20 rows of 30 with equal largest logits, greedy',
  fill: { logits: (_, random) => Math.round(2 * random()) },
}

/** token (R) of logits (R, stride); noise 0 or 1. Rows are numbered from `firstRow` for the generator. */
export const pickToken: KernelSpec = {
  name: 'pickToken',
  wgsl: pickTokenWgsl,
  params: [
    ['R', 'u32'],
    ['V', 'u32'],
    ['stride', 'u32'],
    ['noise', 'u32'],
    ['seed', 'u32'],
    ['firstRow', 'u32'],
  ],
  bindings: [
    { name: 'logits', kind: 'f32', access: 'read' },
    { name: 'token', kind: 'u32', access: 'read_write' },
  ],
  threads: (p) => [p.R, 1, 1],
  workgroupSize: [64, 1, 1],
  reference: pickTokenReference,
  tolerance: { absolute: 0, relative: 0, why: 'an index' },
  cases: [pickCase(5, 11, 12, 0), pickCase(70, 64, 64, 1), pickCase(9, 37, 40, 1, 12345), tied],
  noGradient: 'an index has none',
}
