// Which elements of task vectors stay: bits of up to eight models in one word for four elements (model k has bits
// 4k … 4k + 3), or a factor for every element. Buffers of weights are padded to fours.

import { pcgHash } from '../../tensors/random.ts'
import type { KernelCase, KernelSpec, Params } from '../spec.ts'
import keepByRankWgsl from './keepByRank.wgsl?raw'
import keepDrawWgsl from './keepDraw.wgsl?raw'
import keepWindowWgsl from './keepWindow.wgsl?raw'
import maskedNormsWgsl from './maskedNorms.wgsl?raw'
import {
  keepByRankReference,
  keepDrawReference,
  keepWindowReference,
  maskedNormsReference,
} from './sparsify.reference.ts'

/** `inner` of keepWindow where nothing is left out at the top. */
export const NO_SELECTOR = 0xffffffff

/** P.spread that sets the bits of model k alone, or of all models. */
export const spreadOf = (k: number): number => (2 ** (4 * k)) >>> 0
export const SPREAD_ALL = 0x11111111

const base = {
  threads: (p: Params): [number, number, number] => [Math.ceil(p.count / 4), 1, 1],
  workgroupSize: [64, 1, 1],
  tolerance: { absolute: 0, relative: 0, why: 'bits' },
  noGradient: 'bits have none',
} as const satisfies Partial<KernelSpec>

const values = [
  { name: 'model', kind: 'weight', access: 'read' },
  { name: 'base', kind: 'weight', access: 'read' },
] as const
const keep = { name: 'keep', kind: 'u32', access: 'read_write' } as const

const fours = (count: number) => Math.ceil(count / 4) * 4
/** Halves from −3 to 3: ties in every row. */
const halves = (i: number) => (((i * 11) % 13) - 6) / 2
const others = (i: number) => Math.imul(i + 1, 0x9e3779b9) >>> 0

const windowCase = (
  count: number,
  p: { minusBase: number; spread: number; outer: number; inner: number },
  name: string,
): KernelCase => ({
  name: `${count} elements, ${name}`,
  params: { count, ...p },
  sizes: { model: fours(count), base: fours(count), picks: 12, keep: Math.ceil(count / 4) },
  fill: {
    model: halves,
    base: (i) => (i % 5) / 2,
    // Selectors: least 1 up to element 30; least 2.5, all ties; none.
    picks: (i) => [0x3f800000, 1, 2, 30, 0x40200000, 1, 1, 0xffffffff, 0xffffffff, 0, 0, 0][i],
    keep: others,
  },
})

/** All of one magnitude: kept are exactly the elements from `begin` to `end` − 1. */
const flatCase = (end: number, begin: number): KernelCase => ({
  name: `ties, ${begin} to ${end - 1} of them kept`,
  params: { count: 44, minusBase: 1, spread: 1, outer: 2, inner: 1 },
  sizes: { model: 44, base: 44, picks: 12, keep: 11 },
  fill: {
    model: (i) => 1 + (i % 2),
    base: (i) => 2 * (i % 2) - (i % 2),
    picks: (i) => [1, 1, 1, 1, 0x3f800000, 1, 2, begin, 0x3f800000, 1, 2, end][i],
    keep: others,
  },
})

/** keep of the elements among the first of one selector and not of another. */
export const keepWindow: KernelSpec = {
  ...base,
  name: 'keepWindow',
  wgsl: keepWindowWgsl,
  params: [
    ['count', 'u32'],
    ['minusBase', 'u32'],
    ['spread', 'u32'],
    ['outer', 'u32'],
    ['inner', 'u32'],
  ],
  bindings: [...values, { name: 'picks', kind: 'u32', access: 'read' }, keep],
  reference: keepWindowReference,
  cases: [
    windowCase(60, { minusBase: 1, spread: 1, outer: 0, inner: NO_SELECTOR }, 'top, first model'),
    windowCase(100, { minusBase: 1, spread: 2 ** 28, outer: 0, inner: 1 }, 'window, last model'),
    windowCase(520, { minusBase: 0, spread: SPREAD_ALL, outer: 1, inner: 2 }, 'all models'),
    windowCase(60, { minusBase: 1, spread: 16, outer: 2, inner: NO_SELECTOR }, 'none'),
    flatCase(29, 13),
    flatCase(30, 16),
    flatCase(31, 15),
    flatCase(36, 14),
  ],
}

const drawCase = (count: number, salt: number, last: number, spread: number, start = 0): KernelCase => ({
  name: `${count} elements from ${start}, last ${last}, salt ${salt}`,
  params: { count, start, salt, last, spread },
  sizes: { keep: Math.ceil(count / 4) },
  fill: { keep: others },
})

/** keep of elements whose draw is at most `last`: (last + 1) / 2³² is the probability. */
export const keepDraw: KernelSpec = {
  ...base,
  name: 'keepDraw',
  wgsl: keepDrawWgsl,
  params: [
    ['count', 'u32'],
    ['start', 'u32'],
    ['salt', 'u32'],
    ['last', 'u32'],
    ['spread', 'u32'],
  ],
  bindings: [keep],
  reference: keepDrawReference,
  cases: [
    drawCase(100, 7, 2 ** 31, 1),
    drawCase(60, 0x9e3779c0, 429496730, 16),
    drawCase(1000, 123456789, 4000000000, 2 ** 28),
    drawCase(8, 1, 2 ** 32 - 1, 1),
    // The last draw is that of an element, which is kept, or one less.
    drawCase(100, 77, pcgHash(42 ^ 77), 1),
    drawCase(100, 77, pcgHash(42 ^ 77) - 1, 1),
    drawCase(100, 7, 2 ** 31, 1, 4099),
  ],
}

const rankCase = (
  count: number,
  width: number,
  p: { salt: number; spread: number; asFactors: number; begin?: number; end?: number; start?: number },
  last?: (rank: number) => number,
): KernelCase => ({
  name: `${count / width} rows of ${width}, ${p.asFactors ? 'factors' : 'bits'} from ${p.begin ?? 0} of ${p.start ?? 0}${last ? `, last ${last(0)}` : ''}`,
  params: { start: 0, begin: 0, end: Math.ceil(count / 4), ...p, count, width, offset: p.asFactors ? 8 : 0 },
  sizes: {
    model: fours(count),
    base: fours(count),
    table: 2 * width,
    keep: p.asFactors ? 8 + fours(count) : Math.ceil(count / 4),
  },
  fill: {
    model: (i) => (i < count ? halves(i) : 0),
    base: (i) => (i < count ? (i % 3) / 2 : 0),
    table: (i) =>
      i >= width
        ? 0x3f800000 + (i - width) * 4096
        : (last?.(i) ?? Math.floor((0.2 + (0.6 * i) / width) * 2 ** 32)),
    keep: others,
  },
})

/** keep of elements whose draw is at most the last of their rank in the row; bits, or factors (offset + count). */
export const keepByRank: KernelSpec = {
  ...base,
  name: 'keepByRank',
  wgsl: keepByRankWgsl,
  params: [
    ['count', 'u32'],
    ['start', 'u32'],
    ['begin', 'u32'],
    ['end', 'u32'],
    ['width', 'u32'],
    ['salt', 'u32'],
    ['spread', 'u32'],
    ['asFactors', 'u32'],
    ['offset', 'u32'],
  ],
  bindings: [...values, { name: 'table', kind: 'u32', access: 'read' }, keep],
  threads: (p) => [p.end - p.begin, 1, 1],
  reference: keepByRankReference,
  cases: [
    rankCase(60, 20, { salt: 7, spread: 1, asFactors: 0 }),
    rankCase(119, 17, { salt: 0x9e3779c0, spread: 256, asFactors: 0 }),
    rankCase(133, 19, { salt: 12, spread: 1, asFactors: 1 }),
    rankCase(245, 7, { salt: 14, spread: 1, asFactors: 1 }),
    rankCase(30, 30, { salt: 5, spread: 1, asFactors: 1 }),
    rankCase(9, 1, { salt: 8, spread: 16, asFactors: 0 }),
    rankCase(66, 3, { salt: 9, spread: 1, asFactors: 1, begin: 5, end: 11 }),
    rankCase(600, 30, { salt: 11, spread: 16, asFactors: 0, begin: 3 }),
    rankCase(120, 20, { salt: 7, spread: 1, asFactors: 0, start: 260 }),
    rankCase(66, 11, { salt: 7, spread: 1, asFactors: 1, start: 77 }),
    // One draw decides by rank, all others are beyond every limit; only the largest is kept; no draw needs a rank.
    ...[13, 16].map((i) =>
      rankCase(40, 20, { salt: 3, spread: 1, asFactors: 0 }, (rank) =>
        rank === 0 ? pcgHash(i ^ 3) - 1 : pcgHash(i ^ 3),
      ),
    ),
    // Rows of one element, the last draw that of an element or one less.
    ...[2, 5, 7].flatMap((i) =>
      [0, 1].map((less) =>
        rankCase(9, 1, { salt: 8, spread: 16, asFactors: 0 }, () => pcgHash(i ^ 8) - less),
      ),
    ),
    rankCase(80, 5, { salt: 3, spread: 1, asFactors: 0 }, (rank) => (rank === 4 ? 2 ** 32 - 1 : 9)),
    rankCase(40, 8, { salt: 3, spread: 1, asFactors: 1 }, () => 2 ** 31),
  ],
}

const normCase = (
  count: number,
  chunkSize: number,
  power: number,
  masked: number,
  shift: number,
): KernelCase => ({
  name: `${count} elements in chunks of ${chunkSize}, power ${power}, ${masked ? `bits from ${shift}` : 'all'}`,
  params: { count, chunkSize, chunks: Math.ceil(count / chunkSize), power, masked, shift },
  sizes: {
    model: count,
    base: count,
    keep: masked ? count / 4 : 1,
    partial: 2 * Math.ceil(count / chunkSize),
  },
  fill: { keep: others },
})

/** partial (chunks, 2): Σ |model − base|^power over all elements and over kept ones. count in whole fours. */
export const maskedNorms: KernelSpec = {
  ...base,
  name: 'maskedNorms',
  wgsl: maskedNormsWgsl,
  params: [
    ['count', 'u32'],
    ['chunkSize', 'u32'],
    ['chunks', 'u32'],
    ['power', 'u32'],
    ['masked', 'u32'],
    ['shift', 'u32'],
  ],
  bindings: [
    ...values,
    { name: 'keep', kind: 'u32', access: 'read' },
    { name: 'partial', kind: 'f32', access: 'read_write' },
  ],
  threads: (p) => [p.chunks, 1, 1],
  reference: maskedNormsReference,
  tolerance: { absolute: 2e-6, relative: 2e-6, why: 'float32 sums within a chunk' },
  cases: [
    normCase(40, 16, 1, 0, 0),
    normCase(600, 4, 1, 1, 0),
    normCase(100, 40, 2, 1, 28),
    normCase(1024, 1024, 1, 1, 12),
  ],
}
