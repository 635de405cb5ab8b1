// Gradient of the AlignMerge objective (2512.16245; L_align's form is ours, methods.md §1.3) at a displacement δ.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import objectiveGradientWgsl from './objectiveGradient.wgsl?raw'

export function objectiveGradientReference(
  p: Params,
  { delta, center, metric, rows, c, q, out }: HostArrays,
): HostArrays {
  const result = Float64Array.from(out)
  for (let i = 0; i < p.count; i++) {
    result[i] = 2 * metric[i] * (p.total * delta[i] - center[i])
    for (let j = 0; j < p.rows; j++) result[i] += c[j] * rows[j * p.stride + i]
    result[i] += p.budget * q[i]
  }
  return { out: result }
}

const objectiveCase = (count: number, rows: number, budget: number): KernelCase => ({
  name: `${count} weights, ${rows} rows of A, budget ${budget}`,
  params: { count, rows, stride: count + 8, total: 1, budget },
  sizes: {
    delta: count,
    center: count,
    metric: count,
    rows: Math.max(1, rows) * (count + 8),
    c: Math.max(1, rows),
    q: count,
    out: count,
  },
  fill: { metric: (_, random) => 0.5 + Math.abs(random()) },
})

/** out (count) of δ, center = Σ λ_k Δ_k, metric, rows (n, stride), c (n), q (count); total = Σ λ_k. */
export const objectiveGradient: KernelSpec = {
  name: 'objectiveGradient',
  wgsl: objectiveGradientWgsl,
  params: [
    ['count', 'u32'],
    ['rows', 'u32'],
    ['stride', 'u32'],
    ['total', 'f32'],
    ['budget', 'f32'],
  ],
  bindings: [
    { name: 'delta', kind: 'vec', access: 'read' },
    { name: 'center', kind: 'vec', access: 'read' },
    { name: 'metric', kind: 'vec', access: 'read' },
    { name: 'rows', kind: 'vec', access: 'read' },
    { name: 'c', kind: 'f32', access: 'read' },
    { name: 'q', kind: 'vec', access: 'read' },
    { name: 'out', kind: 'vec', access: 'read_write' },
  ],
  threads: (p) => [Math.ceil(p.count / 4), 1, 1],
  workgroupSize: [64, 1, 1],
  reference: objectiveGradientReference,
  tolerance: { absolute: 2e-6, relative: 3e-6, why: 'float32 sum over rows' },
  cases: [
    objectiveCase(8, 0, 0),
    objectiveCase(60, 5, -0.7),
    objectiveCase(1024, 3, 0),
    objectiveCase(36, 0, 1.5),
  ],
  finiteDifferences: [
    {
      // With c and q held fixed alignment and budget are linear: Σ_j c_j ⟨A_j, δ⟩ + budget ⟨q, δ⟩.
      input: 'delta',
      output: 'out',
      objective: (p, { delta, center, metric, rows, c, q }) => {
        let sum = 0
        for (let i = 0; i < p.count; i++) {
          sum += metric[i] * (p.total * delta[i] ** 2 - 2 * center[i] * delta[i])
          for (let j = 0; j < p.rows; j++) sum += c[j] * rows[j * p.stride + i] * delta[i]
          sum += p.budget * q[i] * delta[i]
        }
        return sum
      },
    },
  ],
}
