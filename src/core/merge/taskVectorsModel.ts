// Trimming over the whole model instead of each tensor by itself: a survey finds, for every task vector, the magnitude
// that its largest elements reach, and how many elements of exactly that magnitude each tensor keeps. Two passes over
// all tensors find the magnitude bit by bit, a third counts ties where only some of them are kept.

import { countTies, DIGITS, digitHistogram } from '../kernels/magnitudeSelect/magnitudeSelect.ts'
import { keepWindow, NO_SELECTOR, spreadOf } from '../kernels/sparsify/sparsify.ts'
import type { ModelTask, PlannedTensor, TensorTask } from './method.ts'
import { encodeNothing, encodeTies, type Keep, lanesOf } from './taskVectorsKeep.ts'
import { baseOf } from './tensorTask.ts'

/** Where a task vector is cut within one tensor. */
interface Cut {
  /** bits of the magnitude at the cut */
  bits: number
  /** elements of that magnitude in this tensor that are kept, and that there are */
  kept: number
  found: number
}

/** Cuts of all task vectors by tensor. */
export type ModelTrim = ReadonlyMap<string, readonly Cut[]>

const FIRST_DIGIT = DIGITS[0].shift - 8
/** The 31 bits of a magnitude in two digits: two passes over files, not four. */
const HALVES = [
  { shift: FIRST_DIGIT, bits: 16 },
  { shift: 0, bits: FIRST_DIGIT },
] as const
const BINS = 2 ** 16

const countOf = ({ shape }: PlannedTensor) => shape.reduce((a, b) => a * b, 1)

/** Elements a task vector keeps in all: int(density · N), or with densities by tensor int(Σ density n). */
function keptCounts(tensors: readonly PlannedTensor[], densityOf: DensityOf, size: number): number[] {
  const total = tensors.reduce((sum, tensor) => sum + countOf(tensor), 0)
  return Array.from({ length: size }, (_, k) => {
    const densities = tensors.map((tensor) => densityOf(tensor, k))
    const isUniform = densities.every((density) => density === densities[0])
    const share = isUniform
      ? densities[0] * total
      : tensors.reduce((sum, tensor, t) => sum + densities[t] * countOf(tensor), 0)
    return Math.min(total, Math.floor(share))
  })
}

export type DensityOf = (tensor: PlannedTensor, k: number) => number

/** Surveys `tensors` of a model; ties are kept in the order of sorted names, then of elements. */
export async function surveyTrim(
  model: ModelTask,
  tensors: readonly PlannedTensor[],
  densityOf: DensityOf,
): Promise<ModelTrim> {
  const { gpu } = model
  const names = new Set(tensors.map(({ name }) => name))
  const size = tensors[0]?.modelParameters.length ?? 0
  const ranks = keptCounts(tensors, densityOf, size)
  const bits = ranks.map((rank) => (rank === 0 ? 0xffffffff : 0))
  const found = ranks.map(() => 0)
  const picks = gpu.pool.take(size * 16)
  const histogram = gpu.pool.take(size * BINS * 4)
  try {
    for (const digit of HALVES) {
      gpu.write(picks, Uint32Array.from(bits.flatMap((value) => [value, 0, 0, 0])))
      gpu.clear(histogram)
      await model.forEach((task) => {
        if (names.has(task.name)) encodeCounts(task, digit, picks, histogram)
      })
      const counts = await gpu.readWords(histogram, size * BINS)
      for (let k = 0; k < size; k++) {
        if (ranks[k] === 0) continue
        let value = 2 ** digit.bits - 1
        while (value > 0 && counts[k * BINS + value] < ranks[k]) ranks[k] -= counts[k * BINS + value--]
        bits[k] += value * 2 ** digit.shift
        found[k] = counts[k * BINS + value]
      }
    }
  } finally {
    gpu.pool.release(picks, histogram)
  }
  const isSplit = ranks.map((rank, k) => rank > 0 && rank < found[k])
  const ties = isSplit.includes(true) ? await countModelTies(model, names, bits) : undefined
  const left = [...ranks]
  const cuts = new Map<string, Cut[]>()
  for (const name of [...names].sort())
    cuts.set(
      name,
      bits.map((value, k) => {
        if (!isSplit[k]) return { bits: value, kept: ranks[k] > 0 ? 1 : 0, found: 1 }
        const here = ties!.get(name)![k]
        const kept = Math.min(here, left[k])
        left[k] -= kept
        return { bits: value, kept, found: here }
      }),
    )
  return cuts
}

function encodeCounts(
  task: TensorTask,
  digit: (typeof HALVES)[number],
  picks: GPUBuffer,
  histogram: GPUBuffer,
): void {
  task.models.forEach((buffer, k) => {
    task.gpu.run(
      digitHistogram,
      {
        count: task.count,
        minusBase: 1,
        first: k,
        selectors: 1,
        ...digit,
        copies: 1,
        lanes: lanesOf(task.count),
      },
      {
        model: buffer,
        base: baseOf(task),
        picks,
        histogram: { buffer: histogram, offset: k * BINS * 4, size: BINS * 4 },
      },
      task.type,
    )
  })
}

/** Elements of exactly these magnitudes by tensor and model. */
async function countModelTies(
  model: ModelTask,
  names: ReadonlySet<string>,
  bits: readonly number[],
): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>()
  await model.forEach(async (task) => {
    if (!names.has(task.name)) return
    const { gpu, count } = task
    const blockSize = Math.max(256, Math.ceil(count / 4096 / 4) * 4)
    const blocks = Math.ceil(count / blockSize)
    const stride = Math.ceil((blocks * 4) / 256) * 256
    const picks = task.scratch(bits.length * 16)
    const ties = task.scratch(bits.length * stride)
    // One of two ties: the kernel counts nothing where all or none are kept.
    gpu.write(picks, Uint32Array.from(bits.flatMap((value) => [value, 1, 2, 0])))
    task.models.forEach((buffer, k) => {
      gpu.run(
        countTies,
        { count, minusBase: 1, first: k, selectors: 1, blockSize, blocks },
        {
          model: buffer,
          base: baseOf(task),
          picks,
          ties: { buffer: ties, offset: k * stride, size: blocks * 4 },
        },
        task.type,
      )
    })
    const counts = await gpu.readWords(ties, (bits.length * stride) / 4)
    found.set(
      task.name,
      bits.map((_, k) =>
        counts.subarray((k * stride) / 4, (k * stride) / 4 + blocks).reduce((a, b) => a + b, 0),
      ),
    )
  })
  return found
}

/** Encodes bits of what a surveyed tensor keeps. */
export function encodeModelTrim(task: TensorTask, trim: ModelTrim): Keep {
  const { gpu, type, count, padded } = task
  const cuts = trim.get(task.name)!
  const picks = task.scratch(cuts.length * 16)
  gpu.write(picks, Uint32Array.from(cuts.flatMap(({ bits, kept, found }) => [bits, kept, found, 0])))
  const keep = encodeNothing(task)
  cuts.forEach((_, k) => {
    const values = { model: task.models[k], base: baseOf(task) }
    encodeTies(task, { ...values, type, count }, picks, k, 1)
    gpu.run(
      keepWindow,
      { count: padded, minusBase: 1, spread: spreadOf(k), outer: k, inner: NO_SELECTOR },
      { ...values, picks, keep: keep.buffer },
      type,
    )
  })
  return keep
}
