// A LoRA out of two models: of every matrix the best low-rank approximation of tuned − base, beside what it leaves out and
// what any adapter of that rank must leave out. One tensor is open at a time; nothing runs on the device.
//
// The start of kind `directions` is ours, after HRP (High-Rank Preheating, arXiv 2502.07739): that paper trains a LoRA of
// higher rank for some steps and begins the real one from the leading singular vectors of its product, since directions
// decide where training ends. Here the product is the difference that a merge or a fine-tune has already made. The paper
// states the choice of directions; unit length of the rows of A and B = 0, so that the model is at first unchanged, are ours.

import { EngineError, throwIfCancelled } from '../errors.ts'
import { type AdapterFactors, adapterEntries, factorBytes } from '../files/adapter/exportAdapter.ts'
import type { Checkpoint } from '../files/checkpoint.ts'
import type { ExportEntry } from '../files/exporter.ts'
import { assertMergeable } from '../files/mergeable.ts'
import { countOf, readElements, type StoredWeight } from '../files/storedWeight.ts'
import { EXACT_SIDE, lowRank } from '../merge/lowRank.ts'
import { LARGEST_SIDE, rowOf } from '../merge/singularValues.ts'
import { decodeWeights, encodeWeights, type WeightType } from '../tensors/dtype.ts'

export interface ExtractOptions {
  /** of every matrix; with `energy`, the most that one may have */
  rank: number
  /** smallest rank that holds this share of the squared difference, by matrix */
  energy?: number | undefined
  /** of the written factors; f32 */
  type?: WeightType
  /** what the adapter is: the difference itself, or directions to train from; difference */
  start?: 'difference' | 'directions'
  /** all singular values even of large matrices; minutes each */
  isExact?: boolean
  /** embedding and head too; true */
  hasEmbeddings?: boolean
  seed?: number
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

export interface ExtractedTensor {
  name: string
  shape: readonly number[]
  rank: number
  /** ‖tuned − base‖_F */
  difference: number
  /** ‖tuned − base − B·A‖_F of the factors as they are written, as a share of `difference` */
  error: number
  /** the least share that any factors of this rank leave; undefined where not all singular values were computed */
  bestError: number | undefined
  durationMs: number
}

export interface ExtractedAdapter {
  tensors: ExtractedTensor[]
  /** weights that are no matrices and differ: written whole */
  saved: string[]
  /** weights that differ and are left as the base has them */
  leftOut: string[]
  byteLength: number
  entries: ExportEntry[]
}

/** Elements of both models read at once. */
const PIECE = 2 ** 20

/** tuned − base (rows, columns), in pieces, so that only the difference is ever whole. */
async function differenceOf(
  base: StoredWeight,
  tuned: StoredWeight,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const count = countOf(base)
  const out = new Float64Array(count)
  for (let begin = 0; begin < count; begin += PIECE) {
    throwIfCancelled(signal)
    const length = Math.min(PIECE, count - begin)
    const [from, to] = [
      await readElements(base, begin, length, signal),
      await readElements(tuned, begin, length, signal),
    ]
    for (let i = 0; i < length; i++) out[begin + i] = to[i] - from[i]
  }
  return out
}

const rounded = (values: Float64Array, type: WeightType): Float32Array =>
  decodeWeights(encodeWeights(Float32Array.from(values), type), type)

/** ‖M − up · down‖_F for up (rows, rank), down (rank, columns). */
function residual(data: Float64Array, up: Float32Array, down: Float32Array, rank: number): number {
  const rows = up.length / rank
  const columns = data.length / rows
  const row = new Float64Array(columns)
  let sum = 0
  for (let i = 0; i < rows; i++) {
    row.set(data.subarray(i * columns, (i + 1) * columns))
    for (let k = 0; k < rank; k++) {
      const share = up[i * rank + k]
      for (let j = 0; j < columns; j++) row[j] -= share * down[k * columns + j]
    }
    for (let j = 0; j < columns; j++) sum += row[j] * row[j]
  }
  return Math.sqrt(sum)
}

/** Factors of one difference and what they leave out. */
function extractOne(
  weight: StoredWeight,
  data: Float64Array,
  isEmbedding: boolean,
  options: ExtractOptions,
): { factors: AdapterFactors; report: ExtractedTensor } {
  const { type = 'f32', start = 'difference' } = options
  const begun = performance.now()
  const [rows, columns] = weight.shape
  const found = lowRank(
    { rows, columns, data },
    {
      rank: options.rank,
      energy: options.energy,
      exactSide: options.isExact ? LARGEST_SIDE : EXACT_SIDE,
      seed: options.seed,
      tensor: weight.name,
      signal: options.signal,
    },
  )
  const { rank } = found
  const up = new Float64Array(rows * rank)
  const down = new Float64Array(rank * columns)
  for (let k = 0; k < rank; k++) {
    // Shared evenly, so that neither factor is small enough to lose its bits.
    const share = start === 'directions' ? 1 : Math.sqrt(found.values[k])
    const [u, v] = [rowOf(found.left, k), rowOf(found.right, k)]
    if (start === 'difference') for (let i = 0; i < rows; i++) up[i * rank + k] = share * u[i]
    for (let j = 0; j < columns; j++) down[k * columns + j] = share * v[j]
  }
  const factors: AdapterFactors = {
    weight: weight.name,
    rank,
    up: rounded(up, type),
    down: rounded(down, type),
    isEmbedding,
  }
  const left = start === 'directions' ? found.norm : residual(data, factors.up, factors.down, rank)
  return {
    factors,
    report: {
      name: weight.name,
      shape: weight.shape,
      rank,
      difference: found.norm,
      error: left / found.norm,
      bestError: found.bestError === undefined ? undefined : found.bestError / found.norm,
      durationMs: performance.now() - begun,
    },
  }
}

/**
 * The adapter that takes `base` towards `tuned`. Throws `shape-mismatch` and `tokenizer-mismatch` where the two are not
 * one architecture, `request-invalid` where nothing differs or a rank makes no sense, `not-finite`, `cancelled`.
 */
export async function extractAdapter(
  base: Checkpoint,
  tuned: Checkpoint,
  options: ExtractOptions,
): Promise<ExtractedAdapter> {
  const { type = 'f32', hasEmbeddings = true, signal } = options
  assertMergeable(base, [tuned])
  const tensors: ExtractedTensor[] = []
  const factors: AdapterFactors[] = []
  const saved: { weight: string; shape: readonly number[]; values: Float32Array }[] = []
  const leftOut: string[] = []
  for (const [index, { name, shape, role }] of base.weights.entries()) {
    const [from, to] = [base.stored.get(name)!, tuned.stored.get(name)!]
    const data = await differenceOf(from, to, signal)
    const bad = data.findIndex((value) => !Number.isFinite(value))
    if (bad >= 0)
      throw new EngineError('not-finite', `the difference is ${data[bad]} at element ${bad}`, {
        tensor: name,
      })
    if (data.some((value) => value !== 0)) {
      const isEmbedding = role === 'embedding'
      if (shape.length !== 2) saved.push({ weight: name, shape, values: await readElements(to) })
      else if ((isEmbedding || role === 'head') && !hasEmbeddings) leftOut.push(name)
      else {
        const made = extractOne(from, data, isEmbedding, options)
        factors.push(made.factors)
        tensors.push(made.report)
      }
    }
    options.onProgress?.(index + 1, base.weights.length)
  }
  const modules = base.weights
    .filter(({ shape }) => shape.length === 2)
    .map(({ name }) => name.replace(/\.weight$/, ''))
  const card = cardOf(base, tuned, tensors, saved.length, leftOut, options)
  const entries = adapterEntries({ baseName: base.name, type, factors, saved, modules, card })
  const byteLength = factorBytes(factors, type)
  return { tensors, saved: saved.map(({ weight }) => weight), leftOut, byteLength, entries }
}

const percent = (share: number): string => `${(100 * share).toPrecision(4)} %`

/** README.md of the adapter: what it is of, and what every matrix lost. */
function cardOf(
  base: Checkpoint,
  tuned: Checkpoint,
  tensors: readonly ExtractedTensor[],
  savedCount: number,
  leftOut: readonly string[],
  { start = 'difference', energy, rank }: ExtractOptions,
): string {
  const rule =
    energy === undefined ? `rank ${rank}` : `${percent(energy)} of the energy, rank at most ${rank}`
  const what =
    start === 'directions'
      ? 'Directions to train from: A holds the leading right singular vectors of the difference, B is zero, so the model is unchanged until B is trained. The idea is HRP’s (arXiv 2502.07739); taking the directions from a finished difference is ours.'
      : 'B·A is the best approximation of the difference at its rank (Eckart and Young), by matrix.'
  const rows = tensors.map(({ name, rank: own, error, bestError }) => {
    const best = bestError === undefined ? 'not computed' : percent(bestError)
    return `| ${name} | ${own} | ${percent(error)} | ${best} |`
  })
  return [
    `---\nlibrary_name: peft\ntags:\n- lora\n---\n`,
    `# ${tuned.name} − ${base.name} as LoRA, ${rule}\n`,
    `${what} Written by AlignMerge Studio.\n`,
    `${savedCount} other weights differ and are held whole; left out: ${leftOut.join(', ') || 'none'}.\n`,
    '| matrix | rank | left out of the difference | least possible |\n| --- | --- | --- | --- |',
    `${rows.join('\n')}\n`,
  ].join('\n')
}
