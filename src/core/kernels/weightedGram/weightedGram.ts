// Inner products of model-sized rows under a diagonal metric: K = A G⁻¹ Aᵀ, a^(k) = A Δ_k, ⟨Δ_k, Δ_l⟩_G.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import weightedGramWgsl from './weightedGram.wgsl?raw'

export const GRAM_PLAIN = 0
export const GRAM_TIMES = 1
export const GRAM_OVER = 2

export function weightedGramReference(p: Params, { a, b, w, partial }: HostArrays): HostArrays {
  const out = Float64Array.from(partial)
  for (let chunk = 0; chunk < p.chunks; chunk++)
    for (let i = 0; i < p.rowsA; i++)
      for (let j = 0; j < p.rowsB; j++) {
        let sum = 0
        for (let k = chunk * p.chunkSize; k < Math.min((chunk + 1) * p.chunkSize, p.count); k++) {
          const omega = p.mode === GRAM_PLAIN ? 1 : p.mode === GRAM_TIMES ? w[k] : 1 / w[k]
          sum += a[i * p.stride + k] * b[j * p.stride + k] * omega
        }
        out[(chunk * p.rowsA + i) * p.rowsB + j] = sum
      }
  return { partial: out }
}

const gramCase = (
  rowsA: number,
  rowsB: number,
  count: number,
  chunkSize: number,
  mode: number,
): KernelCase => {
  const stride = Math.ceil(count / 4) * 4
  const chunks = Math.ceil(count / chunkSize)
  const padded = (i: number, random: () => number) => (i % stride < count ? random() : 0)
  return {
    name: `${rowsA}×${rowsB} rows of ${count}, mode ${mode}`,
    params: { rowsA, rowsB, count, stride, chunkSize, chunks, mode },
    sizes: { a: rowsA * stride, b: rowsB * stride, w: stride, partial: chunks * rowsA * rowsB },
    fill: { a: padded, b: padded, w: (i, random) => (i < count ? 0.5 + Math.abs(random()) : 0) },
  }
}

/** partial (chunks, rowsA, rowsB) of a (rowsA, stride), b (rowsB, stride), w (count); stride a multiple of four. */
export const weightedGram: KernelSpec = {
  name: 'weightedGram',
  wgsl: weightedGramWgsl,
  params: [
    ['rowsA', 'u32'],
    ['rowsB', 'u32'],
    ['count', 'u32'],
    ['stride', 'u32'],
    ['chunkSize', 'u32'],
    ['chunks', 'u32'],
    ['mode', 'u32'],
  ],
  bindings: [
    { name: 'a', kind: 'vec', access: 'read' },
    { name: 'b', kind: 'vec', access: 'read' },
    { name: 'w', kind: 'vec', access: 'read' },
    { name: 'partial', kind: 'f32', access: 'read_write' },
  ],
  threads: (p) => [Math.ceil(p.rowsA / 4), Math.ceil(p.rowsB / 4), p.chunks],
  workgroupSize: [4, 4, 4],
  reference: weightedGramReference,
  tolerance: { absolute: 4e-6, relative: 4e-6, why: 'float32 sums within a chunk' },
  cases: [
    gramCase(5, 3, 37, 16, 2),
    gramCase(8, 8, 64, 64, 1),
    gramCase(1, 6, 101, 32, 0),
    gramCase(9, 2, 130, 64, 2),
    gramCase(2, 3, 39, 16, 2),
    gramCase(3, 5, 44, 16, 2),
  ],
  noGradient: 'its gradient is objectiveGradient, checked there',
}
