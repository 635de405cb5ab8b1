// Gated MLP activation (Shazeer 2002.05202) on fused rows [gate | up].

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import swigluWgsl from './swiglu.wgsl?raw'
import swigluBackwardWgsl from './swigluBackward.wgsl?raw'

export function swigluReference(p: Params, { x, y }: HostArrays): HostArrays {
  const out = Float64Array.from(y)
  for (let t = 0; t < p.T; t++)
    for (let i = 0; i < p.I; i++) {
      const gate = x[t * 2 * p.I + i]
      out[t * p.I + i] = (gate / (1 + Math.exp(-gate))) * x[t * 2 * p.I + p.I + i]
    }
  return { y: out }
}

export function swigluBackwardReference(p: Params, { x, dy, dx }: HostArrays): HostArrays {
  const out = Float64Array.from(dx)
  for (let t = 0; t < p.T; t++)
    for (let i = 0; i < p.I; i++) {
      const at = t * 2 * p.I + i
      const gate = x[at]
      const sigma = 1 / (1 + Math.exp(-gate))
      const upstream = dy[t * p.I + i]
      out[at] = upstream * x[at + p.I] * (sigma + gate * sigma * (1 - sigma))
      out[at + p.I] = upstream * gate * sigma
    }
  return { dx: out }
}

const base = {
  params: [
    ['T', 'u32'],
    ['I', 'u32'],
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

/** y (T,I) of x (T,2I). */
export const swiglu: KernelSpec = {
  ...base,
  name: 'swiglu',
  wgsl: swigluWgsl,
  bindings: [
    { name: 'x', kind: 'vec', access: 'read' },
    { name: 'y', kind: 'vec', access: 'read_write' },
  ],
  reference: swigluReference,
  cases: shapes.map(
    ([T, I]): KernelCase => ({ name: `${T}×${I}`, params: { T, I }, sizes: { x: T * 2 * I, y: T * I } }),
  ),
  noGradient: 'checked through swigluBackward',
}

/** dx (T,2I) of x (T,2I) and dy (T,I). */
export const swigluBackward: KernelSpec = {
  ...base,
  name: 'swigluBackward',
  wgsl: swigluBackwardWgsl,
  bindings: [
    { name: 'x', kind: 'vec', access: 'read' },
    { name: 'dy', kind: 'vec', access: 'read' },
    { name: 'dx', kind: 'vec', access: 'read_write' },
  ],
  reference: swigluBackwardReference,
  cases: shapes.map(
    ([T, I]): KernelCase => ({
      name: `${T}×${I}`,
      params: { T, I },
      sizes: { x: T * 2 * I, dy: T * I, dx: T * 2 * I },
    }),
  ),
  finiteDifferences: [
    {
      input: 'x',
      output: 'dx',
      objective: (p, { x, dy }) => {
        const { y } = swigluReference(p, { x, y: new Float64Array(p.T * p.I) })
        let sum = 0
        for (let i = 0; i < y.length; i++) sum += y[i] * dy[i]
        return sum
      },
    },
  ],
}
