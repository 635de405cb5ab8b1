// Selection by magnitude over more than one piece of memory: the tiles of a tensor, or all tensors of a model. Two passes
// over all pieces find the magnitude that each selector reaches, bit by bit; a third counts the elements of exactly that
// magnitude, piece by piece, where only some of them are kept. The same elements as encodeSelect takes of one piece.

import type { Gpu } from '../gpu/device.ts'
import { countTies, DIGITS, digitHistogram } from '../kernels/magnitudeSelect/magnitudeSelect.ts'
import type { TensorTask } from './method.ts'
import { encodeTies, lanesOf, type Ranked } from './taskVectorsKeep.ts'

/** Where a selector ends within one piece. */
export interface Cut {
  /** bits of the magnitude at the end */
  bits: number
  /** elements of that magnitude in this piece that are taken, and that there are */
  kept: number
  found: number
}

/** Numbers to choose from, and how many of the largest each selector takes. */
export interface CutSource {
  values(task: TensorTask): Ranked
  ranks: readonly number[]
}

type ForEach = (work: (task: TensorTask) => void | Promise<void>) => Promise<void>

const FIRST_DIGIT = DIGITS[0].shift - 8
/** The 31 bits of a magnitude in two digits: two passes over files, not four. */
const HALVES = [
  { shift: FIRST_DIGIT, bits: 16 },
  { shift: 0, bits: FIRST_DIGIT },
] as const
const BINS = 2 ** 16

const keyOf = ({ name, start }: TensorTask) => `${start} ${name}`

/** Selectors of all sources by piece, in the order of sources and their ranks. */
export class MagnitudeCuts {
  private readonly ends: readonly { bits: number; isAny: boolean }[]
  private readonly split: ReadonlyMap<string, Cut[]> | undefined

  constructor(
    ends: readonly { bits: number; isAny: boolean }[],
    split: ReadonlyMap<string, Cut[]> | undefined,
  ) {
    this.ends = ends
    this.split = split
  }

  of(task: TensorTask): readonly Cut[] {
    // Without ties to split all elements of the magnitude are taken, or none.
    return (
      this.split?.get(keyOf(task)) ??
      this.ends.map(({ bits, isAny }) => ({ bits, kept: isAny ? 1 : 0, found: 1 }))
    )
  }

  /** Encodes the selectors of a piece for keepWindow. */
  encode(task: TensorTask, sources: readonly CutSource[]): GPUBuffer {
    const cuts = this.of(task)
    const picks = task.scratch(cuts.length * 16)
    task.gpu.write(picks, Uint32Array.from(cuts.flatMap(({ bits, kept, found }) => [bits, kept, found, 0])))
    let first = 0
    for (const { values, ranks } of sources) {
      encodeTies(task, values(task), picks, first, ranks.length)
      first += ranks.length
    }
    return picks
  }
}

/** Finds where selectors end over all pieces that `forEach` opens; ties are taken in the order of names, then of tiles. */
export async function findCuts(
  gpu: Gpu,
  forEach: ForEach,
  sources: readonly CutSource[],
): Promise<MagnitudeCuts> {
  const ranks = sources.flatMap((source) => source.ranks)
  // Selectors of one source are counted together, their rows as long as a digit has values.
  let first = 0
  const places = sources.flatMap((source) => {
    const start = first
    first += source.ranks.length
    return source.ranks.map((_, index) => ({ source: start, index }))
  })
  const bits = ranks.map((rank) => (rank === 0 ? 0xffffffff : 0))
  const left = [...ranks]
  const found = ranks.map(() => 0)
  const picks = gpu.pool.take(ranks.length * 16)
  const histogram = gpu.pool.take(ranks.length * BINS * 4)
  try {
    for (const digit of HALVES) {
      gpu.write(picks, Uint32Array.from(bits.flatMap((value) => [value, 0, 0, 0])))
      gpu.clear(histogram)
      await forEach((task) => encodeCounts(task, sources, digit, picks, histogram))
      const counts = await gpu.readWords(histogram, ranks.length * BINS)
      const bins = 2 ** digit.bits
      for (let s = 0; s < ranks.length; s++) {
        if (ranks[s] === 0) continue
        const row = places[s].source * BINS + places[s].index * bins
        let value = bins - 1
        while (value > 0 && counts[row + value] < left[s]) left[s] -= counts[row + value--]
        bits[s] += value * 2 ** digit.shift
        found[s] = counts[row + value]
      }
    }
  } finally {
    gpu.pool.release(picks, histogram)
  }
  const ends = bits.map((value, s) => ({ bits: value, isAny: left[s] > 0 }))
  const isSplit = left.map((rank, s) => rank > 0 && rank < found[s])
  if (!isSplit.includes(true)) return new MagnitudeCuts(ends, undefined)
  const split = new Map<string, Cut[]>()
  for (const { key, ties } of await countAllTies(forEach, sources, bits))
    split.set(
      key,
      ends.map(({ bits: value, isAny }, s) => {
        if (!isSplit[s]) return { bits: value, kept: isAny ? 1 : 0, found: 1 }
        const kept = Math.min(ties[s], left[s])
        left[s] -= kept
        return { bits: value, kept, found: ties[s] }
      }),
    )
  return new MagnitudeCuts(ends, split)
}

function encodeCounts(
  task: TensorTask,
  sources: readonly CutSource[],
  digit: (typeof HALVES)[number],
  picks: GPUBuffer,
  histogram: GPUBuffer,
): void {
  let first = 0
  for (const source of sources) {
    const { model, base, type, count } = source.values(task)
    const selectors = source.ranks.length
    task.gpu.run(
      digitHistogram,
      { count, minusBase: base ? 1 : 0, first, selectors, ...digit, copies: 1, lanes: lanesOf(count) },
      {
        model,
        base: base ?? task.gpu.unused,
        picks,
        histogram: { buffer: histogram, offset: first * BINS * 4, size: selectors * BINS * 4 },
      },
      type,
    )
    first += selectors
  }
}

/** Elements of exactly these magnitudes by piece, pieces by name and place. */
async function countAllTies(
  forEach: ForEach,
  sources: readonly CutSource[],
  bits: readonly number[],
): Promise<{ key: string; ties: number[] }[]> {
  const pieces: { name: string; start: number; key: string; ties: number[] }[] = []
  await forEach(async (task) => {
    const { gpu } = task
    const most = Math.max(...sources.map(({ values }) => values(task).count))
    const blockSize = Math.max(256, Math.ceil(most / 4096 / 4) * 4)
    const blocks = Math.ceil(most / blockSize)
    const stride = Math.ceil((blocks * 4) / 256) * 256
    const picks = task.scratch(bits.length * 16)
    const ties = task.scratch(bits.length * stride)
    // One of two ties: the kernel counts nothing where all or none are kept.
    gpu.write(picks, Uint32Array.from(bits.flatMap((value) => [value, 1, 2, 0])))
    let first = 0
    for (const source of sources) {
      const { model, base, type, count } = source.values(task)
      source.ranks.forEach((_, i) => {
        gpu.run(
          countTies,
          { count, minusBase: base ? 1 : 0, first: first + i, selectors: 1, blockSize, blocks },
          {
            model,
            base: base ?? gpu.unused,
            picks,
            ties: { buffer: ties, offset: (first + i) * stride, size: blocks * 4 },
          },
          type,
        )
      })
      first += source.ranks.length
    }
    const counts = await gpu.readWords(ties, (bits.length * stride) / 4)
    const sum = (s: number) =>
      counts.subarray((s * stride) / 4, (s * stride) / 4 + blocks).reduce((a, b) => a + b, 0)
    pieces.push({ name: task.name, start: task.start, key: keyOf(task), ties: bits.map((_, s) => sum(s)) })
  })
  return pieces.sort((a, b) => (a.name === b.name ? a.start - b.start : a.name < b.name ? -1 : 1))
}
