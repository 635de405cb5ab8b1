// Which elements of each task vector stay: windows of magnitude, seeded draws, draws by rank in a row. Everything is
// decided on the device without a read-back; kept are exactly the elements that the counts and probabilities say.

import { EngineError } from '../errors.ts'
import { KEEP_BITS, KEEP_FACTORS } from '../kernels/elect/elect.ts'
import {
  countTies,
  DIGITS,
  digitHistogram,
  foldHistogram,
  pickDigit,
  pickTie,
} from '../kernels/magnitudeSelect/magnitudeSelect.ts'
import {
  keepByRank,
  keepDraw,
  keepWindow,
  maskedNorms,
  NO_SELECTOR,
  spreadOf,
} from '../kernels/sparsify/sparsify.ts'
import type { WeightType } from '../tensors/dtype.ts'
import type { CutSource, MagnitudeCuts } from './magnitudeCuts.ts'
import type { TensorPasses, TensorTask } from './method.ts'
import { baseOf } from './tensorTask.ts'
import { rowLength } from './tiles.ts'

/** What stays of all task vectors of a tensor: bits in fours, or a factor for every element. */
export interface Keep {
  mode: typeof KEEP_BITS | typeof KEEP_FACTORS
  buffer: GPUBuffer
}

/** Numbers in order of magnitude: `model` minus `base` where there is one. `count` without padding. */
export interface Ranked {
  model: GPUBuffer
  base?: GPUBuffer | undefined
  type: WeightType
  count: number
}

const COPIES = 8
/** Threads of a histogram at most: enough to fill a device, few enough that each adds up runs. */
const MAX_LANES = 65536
const MAX_BLOCKS = 8192

/** Lanes for a kernel that strides over fours. */
export const lanesOf = (count: number): number => Math.min(MAX_LANES, Math.ceil(count / 4))

type Scratch = (byteLength: number) => GPUBuffer

/**
 * Encodes an exact selection: for every source the elements of the given ranks by magnitude, 1 the largest, 0 none.
 * Selectors (magnitudeSelect.ts) follow each other in the order of sources and their ranks.
 */
export function encodeSelect(
  { gpu, scratch }: { gpu: TensorTask['gpu']; scratch: Scratch },
  sources: readonly { values: Ranked; ranks: readonly number[] }[],
): GPUBuffer {
  const words = sources.flatMap(({ ranks }) => ranks.flatMap((rank) => [0, rank, 0, 0]))
  const picks = scratch(words.length * 4)
  gpu.write(picks, Uint32Array.from(words))
  const most = Math.max(1, ...sources.map(({ ranks }) => ranks.length))
  const histogram = scratch(most * COPIES * 256 * 4)
  const folded = scratch(most * 256 * 4)
  gpu.clear(histogram)
  let first = 0
  for (const { values, ranks } of sources) {
    const { model, count, type } = values
    const shared = { count, minusBase: values.base ? 1 : 0, first, selectors: ranks.length }
    const read = { model, base: values.base ?? gpu.unused }
    for (const { shift, bits } of DIGITS) {
      const digit = { first, selectors: ranks.length, shift, bits, copies: COPIES }
      gpu.run(
        digitHistogram,
        { ...shared, ...digit, lanes: lanesOf(count) },
        { ...read, picks, histogram },
        type,
      )
      gpu.run(foldHistogram, digit, { histogram, folded })
      gpu.run(pickDigit, digit, { folded, picks })
    }
    encodeTies({ gpu, scratch }, values, picks, first, ranks.length)
    first += ranks.length
  }
  return picks
}

/** Encodes the last word of selectors whose magnitude, rank among ties and number of ties are there. */
export function encodeTies(
  { gpu, scratch }: { gpu: TensorTask['gpu']; scratch: Scratch },
  { model, base, count, type }: Ranked,
  picks: GPUBuffer,
  first: number,
  selectors: number,
): void {
  const blockSize = Math.max(64, Math.ceil(count / MAX_BLOCKS / 4) * 4)
  const blocks = Math.ceil(count / blockSize)
  const params = { count, minusBase: base ? 1 : 0, first, selectors, blockSize, blocks }
  const read = { model, base: base ?? gpu.unused, picks, ties: scratch(selectors * blocks * 4) }
  gpu.run(countTies, params, read, type)
  gpu.run(pickTie, params, read, type)
}

/** Places in the order of magnitude, largest first, that are left out at either end; undefined: nothing is. */
export type Window = { top: number; bottom: number } | undefined

/** Windows as selectors over task vectors of `total` elements. */
export function windowSources(windows: readonly Window[], total: number): CutSource[] {
  return windows.map((window, k) => ({
    values: (task) => ({ model: task.models[k], base: baseOf(task), type: task.type, count: task.count }),
    ranks: window ? [total - window.bottom, ...(window.top > 0 ? [window.top] : [])] : [total],
  }))
}

/**
 * Encodes bits of the elements inside each task vector's window; undefined when all elements are. `cuts` are needed
 * where the task is one tile of several.
 */
export function encodeWindows(
  task: TensorTask,
  windows: readonly Window[],
  cuts?: MagnitudeCuts,
): Keep | undefined {
  if (windows.every((window) => window === undefined)) return undefined
  const sources = windowSources(windows, task.total)
  const picks =
    cuts?.encode(task, sources) ??
    encodeSelect(
      task,
      sources.map(({ values, ranks }) => ({ values: values(task), ranks })),
    )
  const keep = encodeNothing(task)
  let selector = 0
  sources.forEach(({ ranks }, k) => {
    const inner = ranks.length > 1 ? selector + 1 : NO_SELECTOR
    task.gpu.run(
      keepWindow,
      { count: task.padded, minusBase: 1, spread: spreadOf(k), outer: selector, inner },
      { model: task.models[k], base: baseOf(task), picks, keep: keep.buffer },
      task.type,
    )
    selector += ranks.length
  })
  return keep
}

/** Bits with which nothing is kept. */
export function encodeNothing(task: TensorTask): Keep {
  const buffer = task.scratch(task.padded)
  task.gpu.clear(buffer)
  return { mode: KEEP_BITS, buffer }
}

/** Added to the seed for each model: every task vector has draws of its own. */
const GOLDEN = 0x9e3779b9

/** What the element's index is combined with for the draws of model k. */
export const saltOf = (seed: number, k: number): number =>
  ((seed % 2 ** 32) + (Math.imul(k, GOLDEN) >>> 0)) % 2 ** 32

/** Largest draw of 32 bits that is kept with probability p > 0: draw / 2³² < p. */
const lastOf = (p: number): number => Math.min(Math.ceil(p * 2 ** 32), 2 ** 32) - 1

/** Encodes bits of elements drawn with each model's density; undefined when all are kept. */
export function encodeDraws(task: TensorTask, densities: readonly number[]): Keep | undefined {
  if (densities.every((density) => density >= 1)) return undefined
  const keep = encodeNothing(task)
  densities.forEach((density, k) => {
    if (density <= 0) return
    task.gpu.run(
      keepDraw,
      {
        count: task.padded,
        start: task.start,
        salt: saltOf(task.seed, k),
        last: lastOf(density),
        spread: spreadOf(k),
      },
      { keep: keep.buffer },
    )
  })
  return keep
}

/** Pairs of elements that one dispatch compares at most: longer ones are stopped by some drivers. */
const MAX_PAIRS = 2 ** 33

/** Keep probability from `density − epsilon` (smallest in its row) to `density + epsilon` (largest). */
export interface RankedDensity {
  density: number
  epsilon: number
}

/**
 * Encodes draws whose probability rises with the rank of |τ| in its row (last dimension; a vector is one row).
 * With `asFactors` each kept element has the factor 1/p. `request-invalid` unless 0 < density ± epsilon < 1.
 */
export function encodeRankedDraws(
  task: TensorTask,
  densities: readonly RankedDensity[],
  asFactors: boolean,
): Keep | undefined {
  for (const { density, epsilon } of densities)
    if (density < 1 && (density - epsilon <= 0 || density + epsilon >= 1))
      throw new EngineError(
        'request-invalid',
        `density ${density} with epsilon ${epsilon} gives probabilities from ${density - epsilon} to ${density + epsilon}, expected all between 0 and 1`,
        { tensor: task.name },
      )
  if (densities.every(({ density }) => density >= 1)) return undefined
  const { gpu, count, padded } = task
  const width = rowLength(task)
  const keep: Keep = asFactors
    ? { mode: KEEP_FACTORS, buffer: task.scratch(task.models.length * padded * 4) }
    : encodeNothing(task)
  const step = Math.max(1, Math.floor(MAX_PAIRS / (4 * width)))
  const tables = new Map<string, GPUBuffer>()
  densities.forEach((ranked, k) => {
    const name = `${ranked.density} ${ranked.epsilon}`
    const table = tables.get(name) ?? writeTable(task, ranked, width)
    tables.set(name, table)
    for (let begin = 0; begin < padded / 4; begin += step)
      gpu.run(
        keepByRank,
        {
          count,
          start: task.start,
          begin,
          end: Math.min(begin + step, padded / 4),
          width,
          salt: saltOf(task.seed, k),
          spread: spreadOf(k),
          asFactors: asFactors ? 1 : 0,
          offset: k * padded,
        },
        { model: task.models[k], base: baseOf(task), table, keep: keep.buffer },
        task.type,
      )
  })
  return keep
}

/** Last draw kept at every rank, then the bits of 1/p. */
function writeTable(task: TensorTask, { density, epsilon }: RankedDensity, width: number): GPUBuffer {
  const data = new Uint32Array(2 * width)
  const factors = new Float32Array(data.buffer, 4 * width)
  for (let rank = 0; rank < width; rank++) {
    // A row of one element has no order.
    const share = width > 1 ? rank / (width - 1) : 0.5
    const p = density >= 1 ? 1 : density - epsilon + 2 * epsilon * share
    data[rank] = lastOf(p)
    factors[rank] = 1 / p
  }
  const table = task.scratch(data.byteLength)
  task.gpu.write(table, data)
  return table
}

/** Sums of float32 chunks stay short, so that float64 does the rest. */
export const chunksOf = (count: number): { chunkSize: number; chunks: number } => {
  const chunkSize = count <= 2 ** 16 ? 256 : 4096
  return { chunkSize, chunks: Math.ceil(count / chunkSize) }
}

/** Σ over all elements, and over those that stay. */
export interface Norms {
  all: number
  kept: number
}

/** Σ |τ_k|^power of every model of a whole tensor. */
export async function keptNorms(task: TensorTask, power: 1 | 2, keep: Keep | undefined): Promise<Norms[]> {
  const sums = task.models.map(() => ({ all: 0, kept: 0 }))
  await addNorms(task, power, keep, sums)
  return sums
}

/** The same over all tiles of a tensor; `keepOf` encodes what stays of a tile. */
export async function measureNorms(
  tensor: TensorPasses,
  power: 1 | 2,
  keepOf: (tile: TensorTask) => Keep | undefined,
): Promise<Norms[]> {
  const sums = tensor.modelParameters.map(() => ({ all: 0, kept: 0 }))
  await tensor.forEachTile((tile) => addNorms(tile, power, keepOf(tile), sums))
  return sums
}

async function addNorms(
  task: TensorTask,
  power: 1 | 2,
  keep: Keep | undefined,
  norms: Norms[],
): Promise<void> {
  const { gpu, padded: count, models, type } = task
  // Chunks of the whole tensor, so that the sums are the same however it is tiled.
  const { chunkSize } = chunksOf(task.total)
  const chunks = Math.ceil(count / chunkSize)
  const stride = Math.ceil((chunks * 8) / 256) * 256
  const partials = task.scratch(models.length * stride)
  models.forEach((model, k) => {
    gpu.run(
      maskedNorms,
      { count, chunkSize, chunks, power, masked: keep ? 1 : 0, shift: 4 * k },
      {
        model,
        base: baseOf(task),
        keep: keep?.buffer ?? gpu.unused,
        partial: { buffer: partials, offset: k * stride, size: chunks * 8 },
      },
      type,
    )
  })
  const values = await gpu.readFloats(partials, (models.length * stride) / 4)
  norms.forEach((sums, k) => {
    for (let chunk = 0; chunk < chunks; chunk++) {
      sums.all += values[(k * stride) / 4 + chunk * 2]
      sums.kept += values[(k * stride) / 4 + chunk * 2 + 1]
    }
    if (!Number.isFinite(sums.all))
      throw new EngineError('not-finite', `the task vector of model ${k + 1} is not finite`, {
        tensor: task.name,
      })
  })
}

/** Below this a norm is no measure, and mergekit does not rescale. */
const LEAST_NORM = 1e-7

/** ‖τ_k‖₁ / ‖kept τ_k‖₁ of every model, 1 where either is nothing. */
export async function rescaleFactors(task: TensorTask, keep: Keep | undefined): Promise<number[]> {
  if (!keep) return task.models.map(() => 1)
  return factorsOf(await keptNorms(task, 1, keep))
}

/** ‖τ_k‖₁ / ‖kept τ_k‖₁ from norms of power 1. */
export const factorsOf = (norms: readonly Norms[]): number[] =>
  norms.map(({ all, kept }) => (all > LEAST_NORM && kept > LEAST_NORM ? all / kept : 1))
