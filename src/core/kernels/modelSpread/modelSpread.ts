// Variance between models at each element. Buffers are padded to fours.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import modelSpreadWgsl from './modelSpread.wgsl?raw'

/** Models one dispatch reads. */
export const MODELS_PER_SPREAD = 4

const MODELS = ['m0', 'm1', 'm2', 'm3'] as const

const spreadCase = (
  count: number,
  p: { models: number; all: number; continued: number; finish: number },
): KernelCase => ({
  name: `${p.models} of ${p.all} models of ${count}${p.continued ? ', carried on' : ''}`,
  params: { count, ...p },
  sizes: {
    pivot: count,
    ...Object.fromEntries(MODELS.map((name) => [name, count])),
    carry: 2 * count,
    values: count,
  },
  fill: {
    // The first model is the pivot where the dispatch begins; squares are those of the sums and more.
    carry: (i, random) => (i < count ? random() / 4 : 1 + Math.abs(random())),
  },
})

/** values (count) = variance over all models, or its sums into carry (2, count); pivot (count) is any model. */
export const modelSpread: KernelSpec = {
  name: 'modelSpread',
  wgsl: modelSpreadWgsl,
  params: [
    ['count', 'u32'],
    ['models', 'u32'],
    ['all', 'u32'],
    ['continued', 'u32'],
    ['finish', 'u32'],
  ],
  bindings: [
    { name: 'pivot', kind: 'weight', access: 'read' },
    ...MODELS.map((name) => ({ name, kind: 'weight', access: 'read' }) as const),
    { name: 'carry', kind: 'vec', access: 'read_write' },
    { name: 'values', kind: 'vec', access: 'read_write' },
  ],
  threads: (p: Params) => [Math.ceil(p.count / 4), 1, 1],
  workgroupSize: [64, 1, 1],
  reference: (p: Params, arrays: HostArrays) => {
    const carry = Float64Array.from(arrays.carry)
    const values = Float64Array.from(arrays.values)
    for (let i = 0; i < p.count; i++) {
      const shifted = MODELS.slice(0, p.models).map((name) => arrays[name][i] - arrays.pivot[i])
      let sum = p.continued === 1 ? carry[i] : 0
      let squares = p.continued === 1 ? carry[p.count + i] : 0
      for (const x of shifted) {
        sum += x
        squares += x * x
      }
      if (p.finish === 1) values[i] = Math.max(0, squares / p.all - (sum / p.all) ** 2)
      else {
        carry[i] = sum
        carry[p.count + i] = squares
      }
    }
    return { carry, values }
  },
  tolerance: { absolute: 2e-6, relative: 4e-6, why: 'a difference of float32 sums, at most K to 1' },
  cases: [
    spreadCase(60, { models: 4, all: 4, continued: 0, finish: 1 }),
    spreadCase(8, { models: 2, all: 2, continued: 0, finish: 1 }),
    spreadCase(100, { models: 4, all: 7, continued: 0, finish: 0 }),
    spreadCase(520, { models: 3, all: 7, continued: 1, finish: 1 }),
    spreadCase(60, { models: 1, all: 5, continued: 1, finish: 1 }),
  ],
  noGradient: 'merges are not differentiated',
}
