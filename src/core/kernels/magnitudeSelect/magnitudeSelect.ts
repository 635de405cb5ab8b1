// Exact order statistics of magnitudes on the device: a radix select over the float's own bits, whose order is that of
// the magnitudes. No read-back, no sort, any number of elements. A selector is four words of `picks`:
//   bits of the magnitude of its rank · rank (1 the largest) · elements of that magnitude · first tie not taken.
// An element is among the `rank` first when its bits are larger, or equal and its index lower than the fourth word:
// of equal magnitudes the lower index comes first, so that the count is exact.

import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import countTiesWgsl from './countTies.wgsl?raw'
import digitHistogramWgsl from './digitHistogram.wgsl?raw'
import foldHistogramWgsl from './foldHistogram.wgsl?raw'
import {
  countTiesReference,
  digitHistogramReference,
  foldHistogramReference,
  magnitudeBits,
  pickDigitReference,
  pickTieReference,
} from './magnitudeSelect.reference.ts'
import pickDigitWgsl from './pickDigit.wgsl?raw'
import pickTieWgsl from './pickTie.wgsl?raw'

/** Words of a selector. */
export const SELECTOR_WORDS = 4

/** Digits of a magnitude's 31 bits, from the top: the exponent, then the fraction. */
export const DIGITS = [
  { shift: 23, bits: 8 },
  { shift: 15, bits: 8 },
  { shift: 7, bits: 8 },
  { shift: 0, bits: 7 },
] as const

const base = {
  workgroupSize: [64, 1, 1],
  tolerance: { absolute: 0, relative: 0, why: 'counts and bits' },
  noGradient: 'an order has none',
} as const satisfies Partial<KernelSpec>

const values = [
  { name: 'model', kind: 'weight', access: 'read' },
  { name: 'base', kind: 'weight', access: 'read' },
] as const

/** Quarters from −2 to 2, zeros and ties among them. */
const coarse = (_: number, random: () => number) => Math.round(random() * 4) / 4

const histogramCase = (
  name: string,
  count: number,
  p: { selectors: number; shift: number; bits: number; lanes: number; first?: number; minusBase?: number },
  found: readonly number[],
): KernelCase => {
  const copies = 3
  const first = p.first ?? 0
  return {
    name: `${count} elements, ${name}`,
    params: { minusBase: 1, ...p, count, first, copies },
    sizes: {
      model: Math.ceil(count / 4) * 4,
      base: Math.ceil(count / 4) * 4,
      picks: (first + p.selectors) * SELECTOR_WORDS,
      histogram: p.selectors * copies * 2 ** p.bits,
    },
    fill: {
      model: coarse,
      base: coarse,
      picks: (i) => (i % 4 === 0 && i >= first * 4 ? found[i / 4 - first] : 7),
      histogram: (i) => i % 5,
    },
  }
}

/** histogram (selectors, copies, bins) of the digit at `shift`. `model`, `base` (count). */
export const digitHistogram: KernelSpec = {
  ...base,
  name: 'digitHistogram',
  wgsl: digitHistogramWgsl,
  params: [
    ['count', 'u32'],
    ['minusBase', 'u32'],
    ['first', 'u32'],
    ['selectors', 'u32'],
    ['shift', 'u32'],
    ['bits', 'u32'],
    ['copies', 'u32'],
    ['lanes', 'u32'],
  ],
  bindings: [
    ...values,
    { name: 'picks', kind: 'u32', access: 'read' },
    { name: 'histogram', kind: 'atomic', access: 'read_write' },
  ],
  threads: (p) => [p.lanes, p.selectors, 1],
  reference: digitHistogramReference,
  cases: [
    histogramCase('exponents, one round', 61, { selectors: 1, shift: 23, bits: 8, lanes: 16 }, [0]),
    histogramCase('exponents of several rounds', 203, { selectors: 1, shift: 23, bits: 8, lanes: 5 }, [0]),
    histogramCase(
      'second digit of two selectors past the first, without a base',
      130,
      { selectors: 2, first: 1, shift: 15, bits: 8, lanes: 7, minusBase: 0 },
      [0x3f000000, 0xffffffff],
    ),
    histogramCase('last digit', 97, { selectors: 2, shift: 0, bits: 7, lanes: 6 }, [0x3f400000, 0x3e800000]),
  ],
}

const foldCase = (selectors: number, copies: number, bits: number): KernelCase => ({
  name: `${selectors} selectors, ${copies} copies of ${2 ** bits} digits`,
  params: { selectors, copies, bits },
  sizes: { histogram: selectors * copies * 2 ** bits, folded: selectors * 2 ** bits },
  fill: { histogram: (i) => (i * 7) % 11, folded: () => 3 },
})

/** folded (selectors, bins) of histogram (selectors, copies, bins), which is cleared. */
export const foldHistogram: KernelSpec = {
  ...base,
  name: 'foldHistogram',
  wgsl: foldHistogramWgsl,
  params: [
    ['selectors', 'u32'],
    ['copies', 'u32'],
    ['bits', 'u32'],
  ],
  bindings: [
    { name: 'histogram', kind: 'u32', access: 'read_write' },
    { name: 'folded', kind: 'u32', access: 'read_write' },
  ],
  threads: (p) => [p.selectors * 2 ** p.bits, 1, 1],
  reference: foldHistogramReference,
  cases: [foldCase(1, 4, 8), foldCase(3, 2, 6), foldCase(2, 1, 3)],
}

const digitCase = (
  name: string,
  p: { selectors: number; first: number; shift: number; bits: number },
  rank: (selector: number) => number,
): KernelCase => ({
  name,
  params: p,
  sizes: { picks: (p.first + p.selectors + 1) * SELECTOR_WORDS, folded: p.selectors * 2 ** p.bits },
  fill: {
    picks: (i) => (i % 4 === 1 ? rank(Math.floor(i / 4) - p.first) : i % 4 === 0 ? 0x40000000 : 9),
    folded: (i) => (i % 3 === 1 ? 0 : (i % 7) + 1),
  },
})

/** One digit of every selector, from folded (selectors, bins). */
export const pickDigit: KernelSpec = {
  ...base,
  name: 'pickDigit',
  wgsl: pickDigitWgsl,
  params: [
    ['first', 'u32'],
    ['selectors', 'u32'],
    ['shift', 'u32'],
    ['bits', 'u32'],
  ],
  bindings: [
    { name: 'folded', kind: 'u32', access: 'read' },
    { name: 'picks', kind: 'u32', access: 'read_write' },
  ],
  threads: (p) => [p.selectors, 1, 1],
  reference: pickDigitReference,
  cases: [
    digitCase('the largest and others', { selectors: 5, first: 0, shift: 15, bits: 4 }, (s) => 1 + 9 * s),
    digitCase('ranks at the edges of digits', { selectors: 8, first: 2, shift: 7, bits: 3 }, (s) => 8 + s),
    digitCase('none taken', { selectors: 2, first: 1, shift: 0, bits: 7 }, (s) => s * 20),
    digitCase('the last digit, 0', { selectors: 3, first: 0, shift: 0, bits: 2 }, (s) => [9, 15, 11][s]),
  ],
}

const blockSizeOf = (count: number) => Math.ceil(count / 24) * 4

const tieCase = (
  name: string,
  count: number,
  minusBase: number,
  ranks: readonly number[],
  bits: readonly number[],
  first: number,
): KernelCase => {
  const blockSize = blockSizeOf(count)
  const blocks = Math.ceil(count / blockSize)
  return {
    name: `${count} elements in ${blocks} blocks, ${name}`,
    params: { count, minusBase, first, selectors: ranks.length, blockSize, blocks },
    sizes: {
      model: Math.ceil(count / 4) * 4,
      base: Math.ceil(count / 4) * 4,
      picks: (first + ranks.length) * SELECTOR_WORDS,
      ties: ranks.length * blocks,
    },
    fill: {
      // Halves and their signs, so that every block has ties; regimes move nothing.
      model: (i) => ((i * 5) % 7) / 2 - 1,
      base: (i) => (i % 3) / 2,
      picks: (i) => {
        const selector = Math.floor(i / 4) - first
        return selector < 0 ? 1 : [bits[selector], ranks[selector], 1000, 5][i % 4]
      },
    },
  }
}

const BITS_OF = { half: 0x3f000000, one: 0x3f800000, zero: 0 }

const tieParams = [
  ['count', 'u32'],
  ['minusBase', 'u32'],
  ['first', 'u32'],
  ['selectors', 'u32'],
  ['blockSize', 'u32'],
  ['blocks', 'u32'],
] as const

/** ties (selectors, blocks); written only where some ties are taken and others not. */
export const countTies: KernelSpec = {
  ...base,
  name: 'countTies',
  wgsl: countTiesWgsl,
  params: tieParams,
  bindings: [
    ...values,
    { name: 'picks', kind: 'u32', access: 'read' },
    { name: 'ties', kind: 'u32', access: 'read_write' },
  ],
  threads: (p) => [p.blocks, p.selectors, 1],
  reference: countTiesReference,
  cases: [
    tieCase('two magnitudes', 101, 1, [3, 7], [BITS_OF.half, BITS_OF.one], 0),
    tieCase('zeros', 61, 1, [2], [BITS_OF.zero], 2),
    tieCase('all taken, none taken, some', 75, 0, [1000, 0, 5], [BITS_OF.half, BITS_OF.one, BITS_OF.one], 1),
  ],
}

/** Counts that agree with the values, and as many ties as there are. */
function withTies(p: Params, arrays: HostArrays): HostArrays {
  const picks = Uint32Array.from(arrays.picks)
  for (let selector = 0; selector < p.selectors; selector++) {
    const at = (p.first + selector) * 4
    let size = 0
    for (let i = 0; i < p.count; i++) if (magnitudeBits(p, arrays, i) === picks[at]) size++
    picks[at + 2] = size
    // A rank of 1000 stands for all ties, others must be among them.
    if (picks[at + 1] === 1000) picks[at + 1] = size
    else if (picks[at + 1] >= size) throw new Error(`case with ${size} ties of selector ${selector}`)
  }
  return { picks, ties: countTiesReference(p, { ...arrays, picks }).ties }
}

/** The fourth word of every selector. */
export const pickTie: KernelSpec = {
  ...base,
  name: 'pickTie',
  wgsl: pickTieWgsl,
  params: tieParams,
  bindings: [
    ...values,
    { name: 'ties', kind: 'u32', access: 'read' },
    { name: 'picks', kind: 'u32', access: 'read_write' },
  ],
  threads: (p) => [p.selectors, 1, 1],
  derive: withTies,
  reference: pickTieReference,
  cases: [
    tieCase(
      'two magnitudes, ranks in the first and in later blocks',
      101,
      1,
      [1, 2, 9, 20],
      [BITS_OF.one, BITS_OF.half, BITS_OF.half, BITS_OF.half],
      0,
    ),
    tieCase('ranks at the edge of a block', 93, 0, [3, 4, 5, 6, 7, 8], Array(6).fill(BITS_OF.half), 1),
    tieCase(
      'zeros, all taken, none taken',
      61,
      1,
      [2, 1000, 0],
      [BITS_OF.zero, BITS_OF.half, BITS_OF.half],
      2,
    ),
  ],
}
