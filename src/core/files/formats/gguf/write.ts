// Writer of GGUF 3: F16, Q8_0 or Q4_0, one file. The layout is known before any value is, so weights are written as
// they come, a strip at a time, and each strip says what its rounding did to it.

import { EngineError, throwIfCancelled } from '../../../errors.ts'
import type { ModelConfig } from '../../../model/config.ts'
import { listWeights } from '../../../model/families/decoder.ts'
import type { WeightSpec } from '../../../model/families/family.ts'
import { encodeBlocks } from '../../../tensors/blocks/encodeBlocks.ts'
import { encodeWeights } from '../../../tensors/dtype.ts'
import { decodeValues, encodedBytes } from '../../../tensors/encoding.ts'
import type { Bytes } from '../../source.ts'
import { countOf } from '../../storedWeight.ts'
import { reorderRows } from './headRows.ts'
import { MetadataWriter } from './metadataWriter.ts'
import { ggufName, isPermuted, isShiftedNorm } from './names.ts'
import { putConfig, rotaryTensors, writtenArchitecture } from './writtenConfig.ts'
import { putTokenizer } from './writtenTokenizer.ts'

export const GGUF_TYPES = ['f16', 'q8_0', 'q4_0'] as const
/** What matrices are stored as. */
export type GgufType = (typeof GGUF_TYPES)[number]

export interface GgufModel {
  /** for people */
  name: string
  config: ModelConfig
  tokenizerJson?: Record<string, unknown> | undefined
  tokenizerConfig?: Record<string, unknown>
}

type WrittenEncoding = 'f32' | GgufType

export interface GgufEntry {
  weight: WeightSpec
  /** in the file */
  name: string
  encoding: WrittenEncoding
  /** bytes from the start of the file, and without the padding behind */
  offset: number
  byteLength: number
  /** elements: strips begin and end at multiples of it, or at the end */
  granule: number
  /** rows of a head whose order changes */
  headRows: number | undefined
  /** added to every value */
  shift: 0 | 1
}

export interface GgufLayout {
  /** everything before the first weight: header and rotary tensors */
  head: Uint8Array<ArrayBuffer>
  /** in the order of `listWeights` */
  entries: GgufEntry[]
  /** of the file */
  byteLength: number
  /** matrices whose rows are no whole blocks, stored as F16 instead */
  fallbacks: string[]
  /** what a person should know */
  notes: string[]
}

const ALIGNMENT = 32
const TYPE_NUMBERS: Record<WrittenEncoding, number> = { f32: 0, f16: 1, q4_0: 2, q8_0: 8 }
/** `general.file_type` (llama_ftype). */
const FILE_TYPES: Record<GgufType, number> = { f16: 1, q8_0: 7, q4_0: 2 }
const BLOCK = 32
/** float32 elements of a strip. */
const STRIP = 2 ** 21

const padded = (byteLength: number) => Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT

/** Where everything goes. Throws `config-unsupported` for what GGUF cannot say. */
export function layGguf(model: GgufModel, type: GgufType): GgufLayout {
  const { config } = model
  const architecture = writtenArchitecture(config)
  const metadata = new MetadataWriter()
  metadata.put('general.architecture', 'string', architecture)
  metadata.put('general.type', 'string', 'model')
  metadata.put('general.name', 'string', model.name)
  metadata.put('general.file_type', 'u32', FILE_TYPES[type])
  metadata.put('general.quantization_version', 'u32', 2)
  putConfig(metadata, config)
  const notes = putTokenizer(metadata, config, model.tokenizerJson, model.tokenizerConfig ?? {})
  const usualScale = config.layerCount === 46 ? config.hiddenSize / config.headCount : config.headSize
  if (config.family === 'gemma2' && Math.abs(config.scoreScale * Math.sqrt(usualScale) - 1) > 1e-6)
    notes.push('llama.cpp will scale attention scores otherwise: it does not read query_pre_attn_scalar')
  const rotary = rotaryTensors(config)
  const drafts = listWeights(config).map((weight) => draftEntry(weight, config, architecture, type))
  let offset = 0
  const place = (byteLength: number) => {
    const at = offset
    offset += padded(byteLength)
    return at
  }
  const rotaryEntries = rotary.map(([name, divisors]) => ({
    name,
    dimensions: [divisors.length],
    type: TYPE_NUMBERS.f32,
    offset: place(divisors.byteLength),
    divisors,
  }))
  const entries = drafts.map((entry) => ({ ...entry, offset: place(entry.byteLength) }))
  const header = metadata.finish(
    [
      ...rotaryEntries,
      ...entries.map(({ name, weight, encoding, offset: at }) => ({
        name,
        dimensions: weight.shape.toReversed(),
        type: TYPE_NUMBERS[encoding],
        offset: at,
      })),
    ],
    ALIGNMENT,
  )
  const rotaryBytes = rotaryEntries.reduce((sum, { divisors }) => sum + padded(divisors.byteLength), 0)
  const head = new Uint8Array(header.length + rotaryBytes)
  head.set(header)
  for (const { divisors, offset: at } of rotaryEntries)
    head.set(new Uint8Array(divisors.buffer, divisors.byteOffset, divisors.byteLength), header.length + at)
  return {
    head,
    entries: entries.map((entry) => ({ ...entry, offset: header.length + entry.offset })),
    byteLength: header.length + offset,
    fallbacks: entries
      .filter(({ weight, encoding }) => weight.shape.length > 1 && encoding !== type)
      .map(({ weight }) => weight.name),
    notes,
  }
}

function draftEntry(
  weight: WeightSpec,
  config: ModelConfig,
  architecture: string,
  type: GgufType,
): Omit<GgufEntry, 'offset'> {
  const name = ggufName(weight.name, architecture)
  if (name === undefined)
    throw new EngineError('config-unsupported', 'cannot be written as GGUF: no name for it', {
      tensor: weight.name,
    })
  const rowElements = weight.shape.slice(1).reduce((a, b) => a * b, 1)
  const isMatrix = weight.shape.length > 1
  const encoding = !isMatrix ? 'f32' : type !== 'f16' && rowElements % BLOCK !== 0 ? 'f16' : type
  const headRows = isPermuted(weight.name, architecture) ? config.headSize : undefined
  return {
    weight,
    name,
    encoding,
    byteLength: encodedBytes(encoding, countOf(weight)),
    granule: headRows ? headRows * rowElements : encoding === 'f32' || encoding === 'f16' ? 1 : BLOCK,
    headRows,
    shift: isShiftedNorm(weight.name, architecture) ? 1 : 0,
  }
}

/** What storing a weight does to it. */
export interface Requantisation {
  tensor: string
  encoding: WrittenEncoding
  /** ‖stored − given‖ / ‖given‖; 0 where both are zero */
  relative: number
  /** largest |stored − given| */
  max: number
}

/** Sums of one weight's strips. */
export class RequantisationSum {
  private squares = 0
  private reference = 0
  private max = 0

  add(given: Float32Array, stored: Float32Array, shift: number): void {
    for (let i = 0; i < given.length; i++) {
      const difference = stored[i] - shift - given[i]
      this.squares += difference * difference
      this.reference += given[i] * given[i]
      this.max = Math.max(this.max, Math.abs(difference))
    }
  }

  finish({ weight, encoding }: GgufEntry): Requantisation {
    const relative = this.squares === 0 ? 0 : Math.sqrt(this.squares / this.reference)
    return { tensor: weight.name, encoding, relative, max: this.max }
  }
}

/**
 * Bytes of one strip, whole granules from `entry.granule` multiples on, as they stand in the file; `sum` gets what the
 * rounding did. `not-finite` for values that the type cannot hold.
 */
export function encodeStrip(entry: GgufEntry, values: Float32Array, sum: RequantisationSum): Bytes {
  const { encoding, headRows, granule, shift, weight } = entry
  let given = values
  if (headRows !== undefined) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    given = new Float32Array(reorderRows(bytes, (4 * granule) / headRows, headRows, 'gguf').buffer)
  }
  const shifted = shift === 0 ? given : given.map((value) => value + shift)
  const bytes =
    encoding === 'q8_0' || encoding === 'q4_0'
      ? encodeBlocks(shifted, encoding)
      : (encodeWeights(shifted, encoding) as Bytes)
  const stored = decodeValues({ bytes, encoding })
  const bad = stored.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0)
    throw new EngineError('not-finite', `${given[bad]} cannot be stored as ${encoding.toUpperCase()}`, {
      tensor: weight.name,
    })
  sum.add(given, stored, shift)
  return bytes
}

/** Zeros between the end of a weight and the next. */
export const paddingAfter = ({ byteLength }: GgufEntry): Uint8Array<ArrayBuffer> =>
  new Uint8Array(padded(byteLength) - byteLength)

export interface WriteGgufOptions {
  signal?: AbortSignal | undefined
  /** after each weight, in order */
  onTensor?: ((done: Requantisation) => void) | undefined
  /** elements of a strip; for tests */
  strip?: number
}

/**
 * The file in pieces; `read` gives float32 elements [begin, begin + count) of a weight, asked in file order. Rejects
 * `shape-mismatch` when it gives another number, `not-finite`, `cancelled`.
 */
export async function* writeGguf(
  layout: GgufLayout,
  read: (weight: WeightSpec, begin: number, count: number, signal?: AbortSignal) => Promise<Float32Array>,
  options: WriteGgufOptions = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { signal, onTensor, strip = STRIP } = options
  yield layout.head
  for (const entry of layout.entries) {
    const total = countOf(entry.weight)
    const step = Math.max(1, Math.floor(strip / entry.granule)) * entry.granule
    const sum = new RequantisationSum()
    for (let begin = 0; begin < total; begin += step) {
      throwIfCancelled(signal)
      const count = Math.min(step, total - begin)
      const values = await read(entry.weight, begin, count, signal)
      if (values.length !== count)
        throw new EngineError('shape-mismatch', `found ${values.length} values, expected ${count}`, {
          tensor: entry.weight.name,
        })
      yield encodeStrip(entry, values, sum)
    }
    const padding = paddingAfter(entry)
    if (padding.length > 0) yield padding
    onTensor?.(sum.finish(entry))
  }
}
