// Gated MLP activation, SwiGLU or GEGLU (Shazeer 2002.05202), on fused rows [gate | up]. GELU is the one by tanh
// (Hendrycks & Gimpel 1606.08415).

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import gatedUnitWgsl from './gatedUnit.wgsl?raw'
import gatedUnitBackwardWgsl from './gatedUnitBackward.wgsl?raw'

const ROOT = Math.sqrt(2 / Math.PI)

function activate(p: Params, v: number): number {
  if (p.gelu === 1) return 0.5 * v * (1 + Math.tanh(ROOT * (v + 0.044715 * v ** 3)))
  return v / (1 + Math.exp(-v))
}

function slope(p: Params, v: number): number {
  if (p.gelu === 1) {
    const tanh = Math.tanh(ROOT * (v + 0.044715 * v ** 3))
    return 0.5 * (1 + tanh) + 0.5 * v * (1 - tanh ** 2) * ROOT * (1 + 3 * 0.044715 * v ** 2)
  }
  const sigma = 1 / (1 + Math.exp(-v))
  return sigma + v * sigma * (1 - sigma)
}

export function gatedUnitReference(p: Params, { x, y }: HostArrays): HostArrays {
  const out = Float64Array.from(y)
  for (let t = 0; t < p.T; t++)
    for (let i = 0; i < p.I; i++) {
      const at = t * 2 * p.I + i
      out[t * p.I + i] = activate(p, x[at]) * x[at + p.I]
    }
  return { y: out }
}

export function gatedUnitBackwardReference(p: Params, { x, dy, dx }: HostArrays): HostArrays {
  const out = Float64Array.from(dx)
  for (let t = 0; t < p.T; t++)
    for (let i = 0; i < p.I; i++) {
      const at = t * 2 * p.I + i
      const upstream = dy[t * p.I + i]
      out[at] = upstream * x[at + p.I] * slope(p, x[at])
      out[at + p.I] = upstream * activate(p, x[at])
    }
  return { dx: out }
}

const base = {
  params: [
    ['T', 'u32'],
    ['I', 'u32'],
    ['gelu', 'u32'],
  ],
  threads: (p: Params) => [Math.ceil(p.I / 4), p.T, 1],
  workgroupSize: [16, 4, 1],
  isAligned: (p: Params) => p.I % 4 === 0,
  tolerance: { absolute: 1e-6, relative: 4e-6, why: 'exp of the device is good to a few ulp' },
} as const satisfies Partial<KernelSpec>

const shapes: [number, number][] = [
  [5, 8],
  [3, 6],
  [9, 80],
]
const cases = (sizes: (T: number, I: number) => Record<string, number>): KernelCase[] =>
  [0, 1].flatMap((gelu) =>
    shapes.map(([T, I]) => ({
      name: `${T}×${I}, ${gelu === 1 ? 'GELU' : 'silu'}`,
      params: { T, I, gelu },
      sizes: sizes(T, I),
    })),
  )

/** y (T,I) of x (T,2I); gelu 0 or 1. */
export const gatedUnit: KernelSpec = {
  ...base,
  name: 'gatedUnit',
  wgsl: gatedUnitWgsl,
  bindings: [
    { name: 'x', kind: 'vec', access: 'read' },
    { name: 'y', kind: 'vec', access: 'read_write' },
  ],
  reference: gatedUnitReference,
  cases: cases((T, I) => ({ x: T * 2 * I, y: T * I })),
  noGradient: 'checked through gatedUnitBackward',
}

/** dx (T,2I) of x (T,2I) and dy (T,I). */
export const gatedUnitBackward: KernelSpec = {
  ...base,
  name: 'gatedUnitBackward',
  wgsl: gatedUnitBackwardWgsl,
  bindings: [
    { name: 'x', kind: 'vec', access: 'read' },
    { name: 'dy', kind: 'vec', access: 'read' },
    { name: 'dx', kind: 'vec', access: 'read_write' },
  ],
  reference: gatedUnitBackwardReference,
  cases: cases((T, I) => ({ x: T * 2 * I, dy: T * I, dx: T * 2 * I })),
  finiteDifferences: [
    {
      input: 'x',
      output: 'dx',
      objective: (p, { x, dy }) => {
        const { y } = gatedUnitReference(p, { x, y: new Float64Array(p.T * p.I) })
        let sum = 0
        for (let i = 0; i < y.length; i++) sum += y[i] * dy[i]
        return sum
      },
    },
  ],
}
