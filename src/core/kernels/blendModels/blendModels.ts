// Weighted sums of stored models, up to four a dispatch, the last one with AlignMerge's shield. Padded to fours.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import blendModelsWgsl from './blendModels.wgsl?raw'
import sumModelsWgsl from './sumModels.wgsl?raw'

/** Models one dispatch reads. */
export const MODELS_PER_BLEND = 4

const base = {
  threads: (p: Params): [number, number, number] => [Math.ceil(p.count / 4), 1, 1],
  workgroupSize: [64, 1, 1],
  tolerance: { absolute: 1e-6, relative: 2e-6, why: 'a float32 sum over models and rows, and a division' },
  noGradient: 'a linear combination; the objective it minimises is checked in objectiveGradient',
} as const satisfies Partial<KernelSpec>

const MODELS = ['m0', 'm1', 'm2', 'm3'] as const
const WEIGHTS = { w0: 0.4, w1: 0.3, w2: -0.2, w3: 0.7 }
const weightFields = ['w0', 'w1', 'w2', 'w3'].map((name) => [name, 'f32'] as const)
const modelBindings = MODELS.map((name) => ({ name, kind: 'weight', access: 'read' }) as const)
const modelSizes = (count: number) => Object.fromEntries(MODELS.map((name) => [name, count]))

const sum = (p: Params, arrays: HostArrays, i: number) => {
  let value = p.first === 1 ? 0 : arrays.carry[i]
  for (let k = 0; k < p.models; k++) value += p[`w${k}`] * arrays[`m${k}`][i]
  return value
}

const sumCase = (count: number, models: number, first: number): KernelCase => ({
  name: `${models} models of ${count}, ${first ? 'first' : 'carried on'}`,
  params: { count, models, first, ...WEIGHTS },
  sizes: { ...modelSizes(count), carry: count },
})

/** carry (count) = [carry +] Σ w_k m_k. */
export const sumModels: KernelSpec = {
  ...base,
  name: 'sumModels',
  wgsl: sumModelsWgsl,
  params: [['count', 'u32'], ['models', 'u32'], ['first', 'u32'], ...weightFields],
  bindings: [...modelBindings, { name: 'carry', kind: 'vec', access: 'read_write' }],
  reference: (p: Params, arrays: HostArrays) => ({
    carry: Float64Array.from({ length: p.count }, (_, i) => sum(p, arrays, i)),
  }),
  cases: [sumCase(8, 4, 1), sumCase(100, 3, 0), sumCase(1024, 1, 0), sumCase(60, 2, 1)],
}

const blendCase = (count: number, models: number, rows: number, first: number): KernelCase => ({
  name: `${models} models of ${count}, ${rows} rows of A, ${first ? 'first' : 'carried on'}`,
  params: { count, models, first, rows, stride: count + 4, ...WEIGHTS },
  sizes: {
    ...modelSizes(count),
    carry: count,
    a: Math.max(1, rows) * (count + 4),
    metric: count,
    b: Math.max(1, rows),
    out: count,
  },
  fill: { metric: (_, random) => 0.5 + Math.abs(random()) },
})

/** stored out (count) = [carry +] Σ w_k m_k − (bᵀ a)/metric; a (rows, stride). */
export const blendModels: KernelSpec = {
  ...base,
  name: 'blendModels',
  threads: (p) => [Math.ceil(p.count / 16), 1, 1],
  wgsl: blendModelsWgsl,
  params: [
    ['count', 'u32'],
    ['models', 'u32'],
    ['first', 'u32'],
    ['rows', 'u32'],
    ['stride', 'u32'],
    ...weightFields,
  ],
  bindings: [
    ...modelBindings,
    { name: 'carry', kind: 'vec', access: 'read' },
    { name: 'a', kind: 'vec', access: 'read' },
    { name: 'metric', kind: 'vec', access: 'read' },
    { name: 'b', kind: 'f32', access: 'read' },
    { name: 'out', kind: 'weight', access: 'read_write' },
  ],
  reference: (p: Params, arrays: HostArrays) => ({
    out: Float64Array.from({ length: p.count }, (_, i) => {
      let shield = 0
      for (let j = 0; j < p.rows; j++) shield += arrays.b[j] * arrays.a[j * p.stride + i]
      return sum(p, arrays, i) - (p.rows > 0 ? shield / arrays.metric[i] : 0)
    }),
  }),
  cases: [
    blendCase(8, 4, 0, 1),
    blendCase(60, 3, 5, 1),
    blendCase(12, 1, 1, 0),
    blendCase(1024, 2, 3, 0),
    blendCase(20, 0, 2, 1),
  ],
}
