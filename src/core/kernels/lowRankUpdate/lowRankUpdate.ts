// A matrix moved by a matrix of rank R, out of place: forward-only tuning perturbs and steps with it (TeZO).

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import lowRankUpdateWgsl from './lowRankUpdate.wgsl?raw'

export function lowRankUpdateReference(p: Params, { base, u, v, tau, out }: HostArrays): HostArrays {
  const result = Float64Array.from(out)
  for (let m = 0; m < p.M; m++)
    for (let n = 0; n < p.N; n++) {
      let sum = 0
      for (let s = 0; s < p.R; s++) sum += tau[s] * u[m * p.R + s] * v[s * p.N + n]
      result[m * p.N + n] = base[m * p.N + n] + p.scale * sum
    }
  return { out: result }
}

const rankCase = (M: number, N: number, R: number, scale: number): KernelCase => ({
  name: `${M}×${N} of rank ${R}, scale ${scale}`,
  params: { M, N, R, scale },
  sizes: { base: M * N, u: M * R, v: R * N, tau: R, out: M * N },
})

/** out (M,N, float32) = stored base + scale · u diag(tau) v; u (M,R), v (R,N), tau (R). */
export const lowRankUpdate: KernelSpec = {
  name: 'lowRankUpdate',
  wgsl: lowRankUpdateWgsl,
  params: [
    ['M', 'u32'],
    ['N', 'u32'],
    ['R', 'u32'],
    ['scale', 'f32'],
  ],
  bindings: [
    { name: 'base', kind: 'weight', access: 'read' },
    { name: 'u', kind: 'f32', access: 'read' },
    { name: 'v', kind: 'vec', access: 'read' },
    { name: 'tau', kind: 'f32', access: 'read' },
    { name: 'out', kind: 'vec', access: 'read_write' },
  ],
  threads: (p) => [Math.ceil(p.N / 4), p.M, 1],
  workgroupSize: [8, 8, 1],
  isAligned: (p) => p.N % 4 === 0,
  reference: lowRankUpdateReference,
  tolerance: { absolute: 2e-6, relative: 2e-6, why: 'a float32 sum of R products of three' },
  cases: [rankCase(5, 7, 3, 0.3), rankCase(12, 20, 1, -1), rankCase(9, 33, 8, 1e-3), rankCase(70, 64, 16, 1)],
  noGradient: 'linear in every input; forward-only tuning asks for none',
}
