// Which task vectors count at each element, by sign election or by size, and their sum. Divisors depend only on which
// models were chosen, so the host makes a table of them in float64. Buffers are padded to fours.

import type { KernelCase, KernelSpec, Params } from '../spec.ts'
import combineTaskVectorsWgsl from './combineTaskVectors.wgsl?raw'
import countPatternsWgsl from './countPatterns.wgsl?raw'
import countSignsWgsl from './countSigns.wgsl?raw'
import {
  combineTaskVectorsReference,
  countPatternsReference,
  countSignsReference,
} from './elect.reference.ts'

/** Models one dispatch reads. */
export const MODELS_PER_DISPATCH = 4

/** P.choice. */
export const CHOOSE_ALL = 0
export const CHOOSE_ELECTED = 1
export const CHOOSE_ACTIVE = 2

/** P.keepMode. */
export const KEEP_ALL = 0
export const KEEP_BITS = 1
export const KEEP_FACTORS = 2

const base = { workgroupSize: [64, 1, 1] } as const satisfies Partial<KernelSpec>

const MODELS = ['m0', 'm1', 'm2', 'm3'] as const

interface CombineFields {
  models: number
  first: number
  all: number
  keepMode?: number
  choice?: number
  zeroSign?: number
  stage?: number
  readTotal?: number
  addTotal?: number
  continued?: number
  finish?: number
}

const combineCase = (name: string, count: number, fields: CombineFields, coarse = false): KernelCase => {
  const p = {
    keepMode: KEEP_ALL,
    choice: CHOOSE_ALL,
    zeroSign: 1,
    stage: 1,
    readTotal: 0,
    addTotal: 1,
    continued: 0,
    finish: 1,
    epsilon: 0.5,
    ...fields,
  }
  const keepWords = [1, count / 4, p.all * count][p.keepMode]
  // Halves, of which many cancel or agree; 0 for a model and base that are alike.
  const halves = (_: number, random: () => number) => (coarse ? Math.round(random() * 2) / 2 : random())
  const earlier = Array.from({ length: p.first }, (_, k) => 2 ** k)
  return {
    name: `${p.models} of ${p.all} models of ${count}, ${name}`,
    params: { count, ...p },
    sizes: {
      base: count,
      ...Object.fromEntries(MODELS.map((model) => [model, count])),
      keep: keepWords,
      coefficients: 2 * p.all + 2 ** p.all,
      carry: 3 * count,
      out: count,
    },
    fill: {
      base: (_, random) => (coarse ? 0 : random()),
      ...Object.fromEntries(MODELS.map((model) => [model, halves])),
      keep: (i) =>
        p.keepMode === KEEP_FACTORS
          ? [0x3f800000, 0, 0x40200000][(Math.imul(i + 1, 0x9e3779b9) >>> 7) % 3]
          : Math.imul(i + 1, 0x9e3779b9) >>> 0,
      coefficients: (i, random) =>
        i < 2 * p.all ? [0.5, -0.25, 1, 0.75, 0.5][i % 5] : 0.25 + Math.abs(random()) / 4,
      // Totals, some of them zero; sums; patterns of the models before.
      carry: (i, random) =>
        i < count
          ? Math.round(random())
          : i < 2 * count
            ? random()
            : earlier.filter((_, k) => (i >> k) % 2 === 0).reduce((a, b) => a + b, 0),
    },
  }
}

/** One step of a merge of task vectors: totals or sums into carry (3, count), or the stored result (count). */
export const combineTaskVectors: KernelSpec = {
  ...base,
  name: 'combineTaskVectors',
  wgsl: combineTaskVectorsWgsl,
  params: [
    ['count', 'u32'],
    ['models', 'u32'],
    ['first', 'u32'],
    ['all', 'u32'],
    ['keepMode', 'u32'],
    ['choice', 'u32'],
    ['stage', 'u32'],
    ['readTotal', 'u32'],
    ['addTotal', 'u32'],
    ['continued', 'u32'],
    ['finish', 'u32'],
    ['zeroSign', 'f32'],
    ['epsilon', 'f32'],
  ],
  bindings: [
    { name: 'base', kind: 'weight', access: 'read' },
    ...MODELS.map((name) => ({ name, kind: 'weight', access: 'read' }) as const),
    { name: 'keep', kind: 'u32', access: 'read' },
    { name: 'coefficients', kind: 'f32', access: 'read' },
    { name: 'carry', kind: 'vec', access: 'read_write' },
    { name: 'out', kind: 'weight', access: 'read_write' },
  ],
  threads: (p: Params): [number, number, number] => [Math.ceil(p.count / 4), 1, 1],
  reference: combineTaskVectorsReference,
  tolerance: { absolute: 1e-6, relative: 2e-6, why: 'a float32 sum over models and a product' },
  cases: [
    combineCase('sum', 60, { models: 3, first: 0, all: 3, addTotal: 0 }),
    combineCase('sum, one model', 8, { models: 1, first: 0, all: 1, addTotal: 0 }),
    combineCase('sum of kept', 100, { models: 2, first: 0, all: 2, keepMode: KEEP_BITS, addTotal: 0 }),
    combineCase('election with ties', 520, { models: 4, first: 0, all: 4, choice: CHOOSE_ELECTED }, true),
    combineCase(
      'election of kept, zero is −',
      100,
      { models: 3, first: 0, all: 3, choice: CHOOSE_ELECTED, keepMode: KEEP_BITS, zeroSign: -1 },
      true,
    ),
    combineCase('sum by factors, last models', 40, {
      models: 2,
      first: 4,
      all: 6,
      keepMode: KEEP_FACTORS,
      continued: 1,
      addTotal: 0,
    }),
    combineCase('totals, first models', 60, { models: 4, first: 0, all: 6, stage: 0, finish: 0 }),
    combineCase('totals, last models, kept', 60, {
      models: 3,
      first: 4,
      all: 7,
      stage: 0,
      readTotal: 1,
      finish: 0,
      keepMode: KEEP_BITS,
    }),
    combineCase(
      'election by carried totals, first models',
      60,
      {
        models: 4,
        first: 0,
        all: 8,
        choice: CHOOSE_ELECTED,
        readTotal: 1,
        addTotal: 0,
        finish: 0,
        keepMode: KEEP_BITS,
      },
      true,
    ),
    combineCase(
      'election by carried totals, last models',
      60,
      {
        models: 4,
        first: 4,
        all: 8,
        choice: CHOOSE_ELECTED,
        readTotal: 1,
        addTotal: 0,
        continued: 1,
        keepMode: KEEP_BITS,
      },
      true,
    ),
    combineCase(
      'active models',
      100,
      { models: 3, first: 0, all: 3, choice: CHOOSE_ACTIVE, addTotal: 0 },
      true,
    ),
    combineCase(
      'active models, last',
      60,
      { models: 1, first: 4, all: 5, choice: CHOOSE_ACTIVE, addTotal: 0, continued: 1 },
      true,
    ),
  ],
  noGradient: 'merges are not differentiated',
}

const signCase = (count: number, chunkSize: number): KernelCase => ({
  name: `${count} elements in chunks of ${chunkSize}`,
  params: { count, chunkSize, chunks: Math.ceil(count / chunkSize) },
  sizes: { x: count, partial: 2 * Math.ceil(count / chunkSize) },
  fill: { x: (i, random) => (i % 3 === 0 ? 0 : random()) },
})

/** partial (chunks, 2): positive and negative elements of x (count), whole fours. */
export const countSigns: KernelSpec = {
  ...base,
  name: 'countSigns',
  wgsl: countSignsWgsl,
  params: [
    ['count', 'u32'],
    ['chunkSize', 'u32'],
    ['chunks', 'u32'],
  ],
  bindings: [
    { name: 'x', kind: 'vec', access: 'read' },
    { name: 'partial', kind: 'u32', access: 'read_write' },
  ],
  threads: (p) => [p.chunks, 1, 1],
  reference: countSignsReference,
  tolerance: { absolute: 0, relative: 0, why: 'counts' },
  cases: [signCase(40, 16), signCase(560, 4), signCase(100, 40)],
  noGradient: 'a count has none',
}

const patternCase = (
  count: number,
  offset: number,
  bits: number,
  lanes: number,
  copies: number,
): KernelCase => ({
  name: `${count} elements, ${2 ** bits} patterns, ${lanes} threads`,
  params: { count, offset, bits, lanes, copies },
  sizes: { x: offset + Math.ceil(count / 4) * 4, counts: copies * 2 ** bits },
  fill: { x: (i) => ((i * i) >> 2) % 2 ** bits, counts: (i) => i },
})

/** counts (copies, 2^bits) += how often each pattern stands in x (count, from `offset` on). */
export const countPatterns: KernelSpec = {
  ...base,
  name: 'countPatterns',
  wgsl: countPatternsWgsl,
  params: [
    ['count', 'u32'],
    ['offset', 'u32'],
    ['bits', 'u32'],
    ['lanes', 'u32'],
    ['copies', 'u32'],
  ],
  bindings: [
    { name: 'x', kind: 'vec', access: 'read' },
    { name: 'counts', kind: 'atomic', access: 'read_write' },
  ],
  threads: (p) => [p.lanes, 1, 1],
  reference: countPatternsReference,
  tolerance: { absolute: 0, relative: 0, why: 'counts' },
  cases: [patternCase(61, 0, 3, 16, 4), patternCase(1000, 20, 8, 10, 3), patternCase(350, 8, 1, 70, 2)],
  noGradient: 'a count has none',
}
