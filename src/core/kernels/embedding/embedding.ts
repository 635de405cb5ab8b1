// Token embedding: row lookup, and the gradient into the rows that were used.

import type { KernelCase, KernelSpec } from '../spec.ts'
import { embeddingBackwardReference, embeddingReference } from './embedding.reference.ts'
import embeddingWgsl from './embedding.wgsl?raw'
import embeddingBackwardWgsl from './embeddingBackward.wgsl?raw'

const forwardCase = (T: number, C: number, V: number, scale = 1): KernelCase => ({
  name: `${T} tokens of ${V}, ${C} channels, × ${scale}`,
  params: { T, C, scale: Math.fround(scale) },
  sizes: { weight: V * C, ids: T, y: T * C },
  fill: { ids: (i) => (i * 7 + 3) % V },
})

/** y (T,C) = scale · rows ids (T) of weight (V,C). */
export const embedding: KernelSpec = {
  name: 'embedding',
  wgsl: embeddingWgsl,
  params: [
    ['T', 'u32'],
    ['C', 'u32'],
    ['scale', 'f32'],
  ],
  bindings: [
    { name: 'weight', kind: 'weight', access: 'read' },
    { name: 'ids', kind: 'u32', access: 'read' },
    { name: 'y', kind: 'vec', access: 'read_write' },
  ],
  threads: (p) => [Math.ceil(p.C / 4), p.T, 1],
  workgroupSize: [16, 4, 1],
  isAligned: (p) => p.C % 4 === 0,
  reference: embeddingReference,
  tolerance: { absolute: 0, relative: 0, why: 'a copy, or one correctly rounded product' },
  cases: [
    forwardCase(5, 8, 11),
    forwardCase(9, 10, 6, Math.sqrt(10)),
    forwardCase(6, 7, 9),
    forwardCase(4, 9, 8),
    forwardCase(33, 64, 40),
    forwardCase(5, 12, 7, Math.sqrt(12)),
  ],
  noGradient: 'checked through embeddingBackward',
}

// tokens of the test sequence, as slots: rows sorted by (group, token), then by time
const backwardCase = (
  name: string,
  C: number,
  power: number,
  groupOf: (t: number) => number,
  segment: (t: number) => number,
  scale = 1,
): KernelCase => {
  const T = 13
  const V = 5
  const ids = Array.from({ length: T }, (_, t) => (t * t + 1) % V)
  const order = ids.map((_, t) => t).sort((a, b) => groupOf(a) - groupOf(b) || ids[a] - ids[b] || a - b)
  const starts: number[] = []
  order.forEach((t, i) => {
    const before = order[i - 1]
    if (i === 0 || ids[t] !== ids[before] || groupOf(t) !== groupOf(before)) starts.push(i)
  })
  const slots = starts.length
  const bounds = [...starts, T]
  const outStride = Math.ceil((V * C) / 4) * 4
  return {
    name,
    params: { C, slots, power, outStride, scale },
    sizes: {
      dx: T * C,
      rows: T,
      segmentOf: T,
      slotStart: slots + 1,
      slotToken: slots,
      slotGroup: slots,
      dWeight: 2 * outStride,
    },
    fill: {
      rows: (i) => order[i],
      segmentOf: (t) => segment(t),
      slotStart: (i) => bounds[i],
      slotToken: (i) => ids[order[starts[i]]],
      slotGroup: (i) => groupOf(order[starts[i]]),
    },
  }
}

/** dWeight (Z,V,C) += gradient of dx (T,C) through the lookup's scale, summed or squared per segment. */
export const embeddingBackward: KernelSpec = {
  name: 'embeddingBackward',
  wgsl: embeddingBackwardWgsl,
  params: [
    ['C', 'u32'],
    ['slots', 'u32'],
    ['power', 'u32'],
    ['outStride', 'u32'],
    ['scale', 'f32'],
  ],
  bindings: [
    { name: 'dx', kind: 'vec', access: 'read' },
    { name: 'rows', kind: 'u32', access: 'read' },
    { name: 'segmentOf', kind: 'u32', access: 'read' },
    { name: 'slotStart', kind: 'u32', access: 'read' },
    { name: 'slotToken', kind: 'u32', access: 'read' },
    { name: 'slotGroup', kind: 'u32', access: 'read' },
    { name: 'dWeight', kind: 'vec', access: 'read_write' },
  ],
  threads: (p) => [Math.ceil(p.C / 4), p.slots, 1],
  workgroupSize: [16, 4, 1],
  isAligned: (p) => p.C % 4 === 0 && p.outStride % 4 === 0,
  reference: embeddingBackwardReference,
  tolerance: { absolute: 2e-6, relative: 2e-6, why: 'float32 sums over the rows of a token' },
  cases: [
    backwardCase(
      'gradient',
      8,
      1,
      () => 0,
      () => 0,
    ),
    backwardCase(
      'gradient, odd width',
      6,
      1,
      () => 0,
      () => 0,
    ),
    backwardCase(
      'gradient of several sequences',
      8,
      1,
      () => 0,
      (t) => Math.floor(t / 3),
    ),
    backwardCase(
      'squares per sequence',
      8,
      2,
      () => 0,
      (t) => Math.floor(t / 4),
    ),
    backwardCase(
      'absolute values per sequence',
      8,
      0,
      () => 0,
      (t) => Math.floor(t / 5),
    ),
    backwardCase(
      'two rows of A',
      12,
      1,
      (t) => (t < 6 ? 0 : 1),
      (t) => (t < 6 ? 0 : 1),
    ),
    backwardCase(
      'gradient, scaled',
      8,
      1,
      () => 0,
      (t) => Math.floor(t / 3),
      2.5,
    ),
    backwardCase(
      'squares per sequence, scaled',
      8,
      2,
      () => 0,
      (t) => Math.floor(t / 4),
      2.5,
    ),
    backwardCase(
      'absolute values per sequence, scaled',
      8,
      0,
      () => 0,
      (t) => Math.floor(t / 5),
      2.5,
    ),
  ],
  finiteDifferences: [
    {
      input: 'weight',
      output: 'dWeight',
      inputSize: (p) => p.outStride,
      objective: (p, { weight, dx, rows, slotStart, slotToken, slotGroup, dWeight }) => {
        if (p.power !== 1 || slotGroup.some((group) => group !== 0)) return Number.NaN
        let sum = 0
        for (let slot = 0; slot < p.slots; slot++)
          for (let i = slotStart[slot]; i < slotStart[slot + 1]; i++)
            for (let c = 0; c < p.C; c++)
              sum += p.scale * dx[rows[i] * p.C + c] * weight[slotToken[slot] * p.C + c]
        // The kernel adds to what is there, so what is there is part of the gradient.
        for (let i = 0; i < p.outStride; i++) sum += dWeight[i] * weight[i]
        return sum
      },
    },
  ],
}
