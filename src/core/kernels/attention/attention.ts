// Attention as four kernels around stored weights p (T,H,maxKeys): weights and mix, and their transposes.

import { softCap } from '../shared/softCap.reference.ts'
import softCapWgsl from '../shared/softCap.wgsl?raw'
import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import {
  attentionMixBackwardReference,
  attentionMixReference,
  attentionWeightsBackwardReference,
  attentionWeightsReference,
  queryKeyProducts,
} from './attention.reference.ts'
import mixWgsl from './attentionMix.wgsl?raw'
import mixBackwardWgsl from './attentionMixBackward.wgsl?raw'
import weightsWgsl from './attentionWeights.wgsl?raw'
import weightsBackwardWgsl from './attentionWeightsBackward.wgsl?raw'

const fours = (...values: number[]) => values.every((v) => v % 4 === 0)
const rowThreads = (p: Params): [number, number, number] => [p.H, p.T, 1]

interface Shape {
  name: string
  lengths: number[]
  window: number
  H: number
  share: number
  D: number
  scale?: number
  /** of the scores; 0: none */
  cap?: number
  /** values of queries and keys in place of the regime's own */
  value?: (random: number) => number
}

const shapes: Shape[] = [
  { name: 'one sequence of 7, 4 heads on 2, size 8', lengths: [7], window: 99, H: 4, share: 2, D: 8 },
  { name: 'sequences of 5 and 9, window 3, size 6', lengths: [5, 9], window: 3, H: 3, share: 1, D: 6 },
  {
    name: 'sequences of 11, 1, 6, window 4, 6 heads on 2, size 16',
    lengths: [11, 1, 6],
    window: 4,
    H: 6,
    share: 3,
    D: 16,
  },
]

/** Scores in the hundreds, where only differences from the largest have an exponential; exact in float32. */
const farScores: Shape = {
  ...{ name: 'scores far from zero', lengths: [6, 9], window: 99, H: 2, share: 2, D: 8, scale: 4 },
  value: (random) => Math.round(4 * random) / 4,
}

/** Caps near the scores' size, and far above it, where tanh is almost the identity. */
const cappedShapes: Shape[] = [
  { ...shapes[0], name: `${shapes[0].name}, capped at 0.5`, cap: 0.5 },
  { ...shapes[1], name: `${shapes[1].name}, capped at 3`, cap: 3, scale: 0.7 },
  { ...shapes[2], name: `${shapes[2].name}, capped at 50`, cap: 50 },
]

function bounds({ lengths, window }: Shape) {
  const keyStart: number[] = []
  const keyEnd: number[] = []
  const queryStart: number[] = []
  const queryEnd: number[] = []
  let start = 0
  for (const length of lengths) {
    for (let i = 0; i < length; i++) {
      keyStart.push(start + Math.max(0, i - window + 1))
      keyEnd.push(start + i + 1)
      queryStart.push(start + i)
      queryEnd.push(start + Math.min(length, i + window))
    }
    start += length
  }
  const maxKeys = Math.max(...keyStart.map((s, t) => keyEnd[t] - s))
  return { T: start, keyStart, keyEnd, queryStart, queryEnd, maxKeys }
}

function makeCase(
  shape: Shape,
  params: (b: ReturnType<typeof bounds>) => Params,
  sizes: (p: Params) => Record<string, number>,
): KernelCase {
  const b = bounds(shape)
  const { value } = shape
  const p = { T: b.T, H: shape.H, D: shape.D, share: shape.share, maxKeys: b.maxKeys, ...params(b) }
  return {
    name: shape.name,
    params: p,
    sizes: sizes(p),
    fill: {
      ...(value && { q: (_, random) => value(random()), k: (_, random) => value(random()) }),
      keyStart: (t) => b.keyStart[t],
      keyEnd: (t) => b.keyEnd[t],
      queryStart: (t) => b.queryStart[t],
      queryEnd: (t) => b.queryEnd[t],
    },
  }
}

const shared = [
  ['T', 'u32'],
  ['H', 'u32'],
  ['D', 'u32'],
  ['share', 'u32'],
  ['maxKeys', 'u32'],
] as const

/** p (T,H,maxKeys) of q (T,·) and k (·,·); `share` query heads use one key head. */
export const attentionWeights: KernelSpec = {
  name: 'attentionWeights',
  wgsl: weightsWgsl + softCapWgsl,
  params: [
    ...shared,
    ['qStride', 'u32'],
    ['qOffset', 'u32'],
    ['kStride', 'u32'],
    ['kOffset', 'u32'],
    ['scale', 'f32'],
    ['cap', 'f32'],
  ],
  bindings: [
    { name: 'q', kind: 'vec', access: 'read' },
    { name: 'k', kind: 'vec', access: 'read' },
    { name: 'keyStart', kind: 'u32', access: 'read' },
    { name: 'keyEnd', kind: 'u32', access: 'read' },
    { name: 'p', kind: 'f32', access: 'read_write' },
  ],
  threads: rowThreads,
  workgroupSize: [8, 8, 1],
  isAligned: (p) => fours(p.D, p.qStride, p.qOffset, p.kStride, p.kOffset),
  reference: attentionWeightsReference,
  tolerance: {
    absolute: 4e-6,
    relative: 1e-5,
    why: 'exp of a float32 score: its rounding grows with the score',
  },
  cases: [...shapes, farScores, ...cappedShapes].map((shape) =>
    makeCase(
      shape,
      () => ({
        qStride: shape.H * shape.D + 4,
        qOffset: 4,
        kStride: shape.H * shape.D,
        kOffset: 0,
        scale: shape.scale ?? shape.D ** -0.5,
        cap: shape.cap ?? 0,
      }),
      (p) => ({
        q: p.qOffset + p.T * p.qStride,
        k: p.T * p.kStride,
        keyStart: p.T,
        keyEnd: p.T,
        p: p.T * p.H * p.maxKeys,
      }),
    ),
  ),
  noGradient: 'checked through attentionWeightsBackward',
}

/** ds (T,H,maxKeys) of p, dy (T,H·D) and rows (T,stride) that hold q, k and v. */
export const attentionWeightsBackward: KernelSpec = {
  name: 'attentionWeightsBackward',
  wgsl: weightsBackwardWgsl,
  params: [
    ...shared,
    ['stride', 'u32'],
    ['qOffset', 'u32'],
    ['kOffset', 'u32'],
    ['vOffset', 'u32'],
    ['scale', 'f32'],
    ['cap', 'f32'],
  ],
  bindings: [
    { name: 'p', kind: 'f32', access: 'read' },
    { name: 'dy', kind: 'vec', access: 'read' },
    { name: 'rows', kind: 'vec', access: 'read' },
    { name: 'keyStart', kind: 'u32', access: 'read' },
    { name: 'keyEnd', kind: 'u32', access: 'read' },
    { name: 'ds', kind: 'f32', access: 'read_write' },
  ],
  threads: rowThreads,
  workgroupSize: [8, 8, 1],
  isAligned: (p) => fours(p.D, p.stride, p.qOffset, p.kOffset, p.vOffset),
  reference: attentionWeightsBackwardReference,
  tolerance: { absolute: 4e-6, relative: 6e-6, why: 'difference of two float32 sums' },
  cases: [...shapes, ...cappedShapes].map((shape) =>
    makeCase(
      shape,
      () => {
        const keyWidth = (shape.H / shape.share) * shape.D
        const kOffset = 4 + shape.H * shape.D
        return {
          stride: kOffset + 2 * keyWidth + 4,
          qOffset: 4,
          kOffset,
          vOffset: kOffset + keyWidth,
          scale: shape.scale ?? shape.D ** -0.5,
          cap: shape.cap ?? 0,
        }
      },
      (p) => ({
        p: p.T * p.H * p.maxKeys,
        dy: p.T * p.H * p.D,
        rows: p.T * p.stride,
        keyStart: p.T,
        keyEnd: p.T,
        ds: p.T * p.H * p.maxKeys,
      }),
    ),
  ),
  finiteDifferences: [
    {
      // Moves q·k itself, from where the rows have it.
      input: 'dots',
      output: 'ds',
      inputSize: (p) => p.T * p.H * p.maxKeys,
      objective: softmaxObjective,
    },
  ],
  derive: (p, inputs) => {
    const dots = queryKeyProducts(p, inputs)
    return { p: softmaxRows(p, dots, inputs), dots }
  },
}

/** Softmax of the capped scores of q·k (T,H,maxKeys). */
function softmaxRows(params: Params, dots: Float64Array, { keyStart, keyEnd }: HostArrays): Float64Array {
  const { T, H, maxKeys, scale, cap } = params
  const out = new Float64Array(dots.length)
  for (let t = 0; t < T; t++)
    for (let h = 0; h < H; h++) {
      const row = (t * H + h) * maxKeys
      const scores = Array.from(dots.subarray(row, row + keyEnd[t] - keyStart[t]), (dot) =>
        softCap(scale * dot, cap),
      )
      const largest = Math.max(...scores)
      const total = scores.reduce((sum, score) => sum + Math.exp(score - largest), 0)
      scores.forEach((score, i) => {
        out[row + i] = Math.exp(score - largest) / total
      })
    }
  return out
}

function softmaxObjective(params: Params, inputs: HostArrays): number {
  const { T, H, D, share, maxKeys, stride, vOffset } = params
  const p = softmaxRows(params, inputs.dots as Float64Array, inputs)
  let sum = 0
  for (let t = 0; t < T; t++)
    for (let h = 0; h < H; h++)
      for (let i = 0; i < inputs.keyEnd[t] - inputs.keyStart[t]; i++)
        for (let d = 0; d < D; d++)
          sum +=
            p[(t * H + h) * maxKeys + i] *
            inputs.rows[vOffset + (inputs.keyStart[t] + i) * stride + Math.floor(h / share) * D + d] *
            inputs.dy[(t * H + h) * D + d]
  return sum
}

/** y (T,·) = Σ_j p v; also dq = Σ_j ds k. */
export const attentionMix: KernelSpec = {
  name: 'attentionMix',
  wgsl: mixWgsl,
  params: [...shared, ['vStride', 'u32'], ['vOffset', 'u32'], ['yStride', 'u32'], ['yOffset', 'u32']],
  bindings: [
    { name: 'p', kind: 'f32', access: 'read' },
    { name: 'v', kind: 'vec', access: 'read' },
    { name: 'keyStart', kind: 'u32', access: 'read' },
    { name: 'keyEnd', kind: 'u32', access: 'read' },
    { name: 'y', kind: 'vec', access: 'read_write' },
  ],
  threads: (p) => [p.H * Math.ceil(p.D / 4), p.T, 1],
  workgroupSize: [16, 4, 1],
  isAligned: (p) => fours(p.D, p.vStride, p.vOffset, p.yStride, p.yOffset),
  reference: attentionMixReference,
  tolerance: { absolute: 2e-6, relative: 3e-6, why: 'float32 sums over keys' },
  cases: shapes.map((shape) =>
    makeCase(
      shape,
      () => ({ vStride: shape.H * shape.D + 8, vOffset: 4, yStride: shape.H * shape.D + 4, yOffset: 4 }),
      (p) => ({
        p: p.T * p.H * p.maxKeys,
        v: p.vOffset + p.T * p.vStride,
        keyStart: p.T,
        keyEnd: p.T,
        y: p.yOffset + p.T * p.yStride,
      }),
    ),
  ),
  noGradient: 'checked through attentionMixBackward and attentionWeightsBackward',
}

/** out (T,·) = Σ_t p u by key: dv with u = dy, dk with p = ds and u = q. */
export const attentionMixBackward: KernelSpec = {
  name: 'attentionMixBackward',
  wgsl: mixBackwardWgsl,
  params: [...shared, ['uStride', 'u32'], ['uOffset', 'u32'], ['outStride', 'u32'], ['outOffset', 'u32']],
  bindings: [
    { name: 'p', kind: 'f32', access: 'read' },
    { name: 'u', kind: 'vec', access: 'read' },
    { name: 'keyStart', kind: 'u32', access: 'read' },
    { name: 'queryStart', kind: 'u32', access: 'read' },
    { name: 'queryEnd', kind: 'u32', access: 'read' },
    { name: 'out', kind: 'vec', access: 'read_write' },
  ],
  threads: (p) => [(p.H / p.share) * Math.ceil(p.D / 4), p.T, 1],
  workgroupSize: [16, 4, 1],
  isAligned: (p) => fours(p.D, p.uStride, p.uOffset, p.outStride, p.outOffset),
  referenceOnly: ['keyEnd'],
  reference: attentionMixBackwardReference,
  tolerance: { absolute: 2e-6, relative: 3e-6, why: 'float32 sums over queries' },
  cases: shapes.map((shape) =>
    makeCase(
      shape,
      () => ({ uStride: shape.H * shape.D + 4, uOffset: 4, outStride: shape.H * shape.D + 8, outOffset: 4 }),
      (p) => ({
        p: p.T * p.H * p.maxKeys,
        u: p.uOffset + p.T * p.uStride,
        keyStart: p.T,
        keyEnd: p.T,
        queryStart: p.T,
        queryEnd: p.T,
        out: p.outOffset + p.T * p.outStride,
      }),
    ),
  ),
  finiteDifferences: [
    {
      input: 'values',
      output: 'out',
      inputSize: (p) => p.T * p.outStride + p.outOffset,
      objective: (params, { p, u, keyStart, keyEnd, values }) => {
        const { T, H, D, share, maxKeys, uStride, uOffset, outStride, outOffset } = params
        let sum = 0
        for (let t = 0; t < T; t++)
          for (let h = 0; h < H; h++)
            for (let j = keyStart[t]; j < keyEnd[t]; j++)
              for (let d = 0; d < D; d++)
                sum +=
                  p[(t * H + h) * maxKeys + j - keyStart[t]] *
                  values[outOffset + j * outStride + Math.floor(h / share) * D + d] *
                  u[uOffset + t * uStride + h * D + d]
        return sum
      },
    },
  ],
}
