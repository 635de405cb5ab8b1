// Optimiser step on float32 master weights.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import adamWWgsl from './adamW.wgsl?raw'

export function adamWReference(p: Params, { grad, first, second, weights }: HostArrays): HostArrays {
  const out = {
    first: Float64Array.from(first),
    second: Float64Array.from(second),
    weights: Float64Array.from(weights),
  }
  for (let i = 0; i < p.count; i++) {
    const g = grad[i] * p.gradScale
    out.first[i] = p.beta1 * first[i] + (1 - p.beta1) * g
    out.second[i] = p.beta2 * second[i] + (1 - p.beta2) * g * g
    const step = (out.first[i] * p.correction1) / (Math.sqrt(out.second[i] * p.correction2) + p.epsilon)
    out.weights[i] = weights[i] - p.rate * (step + p.decay * weights[i])
  }
  return out
}

const adamCase = (count: number, step: number): KernelCase => ({
  name: `${count} weights, step ${step}`,
  params: {
    count,
    rate: 0.01,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-3,
    decay: 0.1,
    correction1: 1 / (1 - 0.9 ** step),
    correction2: 1 / (1 - 0.95 ** step),
    gradScale: 0.5,
  },
  sizes: { grad: count, first: count, second: count, weights: count },
  fill: { second: (_, random) => Math.abs(random()) },
})

/** weights, first and second moment (count) in place; grad (count). */
export const adamW: KernelSpec = {
  name: 'adamW',
  wgsl: adamWWgsl,
  params: [
    ['count', 'u32'],
    ['rate', 'f32'],
    ['beta1', 'f32'],
    ['beta2', 'f32'],
    ['epsilon', 'f32'],
    ['decay', 'f32'],
    ['correction1', 'f32'],
    ['correction2', 'f32'],
    ['gradScale', 'f32'],
  ],
  bindings: [
    { name: 'grad', kind: 'vec', access: 'read' },
    { name: 'first', kind: 'vec', access: 'read_write' },
    { name: 'second', kind: 'vec', access: 'read_write' },
    { name: 'weights', kind: 'vec', access: 'read_write' },
  ],
  threads: (p) => [Math.ceil(p.count / 4), 1, 1],
  workgroupSize: [64, 1, 1],
  isAligned: (p) => p.count % 4 === 0,
  reference: adamWReference,
  tolerance: { absolute: 1e-6, relative: 4e-6, why: 'sqrt and division of the device' },
  cases: [adamCase(64, 1), adamCase(7, 3), adamCase(1000, 20)],
  noGradient: 'an optimiser step',
}
