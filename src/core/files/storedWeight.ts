// One weight as it lies in its files, whatever the format: read in ranges, so that a tensor of any size can be
// streamed through a budget. Formats below formats/ make these; nothing past this file knows a format.

import { EngineError, type ErrorPlace } from '../errors.ts'
import {
  blockOf,
  decodeValues,
  type EncodedValues,
  type Encoding,
  encodedBytes,
} from '../tensors/encoding.ts'
import { type ByteSource, checkRange } from './source.ts'

export interface StoredWeight {
  /** as Hugging Face names it */
  name: string
  /** as Hugging Face orders it: matrices are [out, in] */
  shape: readonly number[]
  /** for people: `BF16`, `Q4_K`, `int4, blocks of 32`, `F16 + LoRA rank 8` */
  storage: string
  /** of the storage, without what other weights share */
  byteLength: number
  /** elements that must be read together: ranges begin and end at multiples of it, or at the end */
  granule: number
  /** where it lies, for messages */
  where?: ErrorPlace
  /**
   * Elements [begin, begin + count) in row-major order, a fresh copy. Rejects `request-invalid` for a range that cuts
   * a granule, and what the files' readers reject.
   */
  read(begin: number, count: number, signal?: AbortSignal): Promise<EncodedValues>
}

export const countOf = ({ shape }: { shape: readonly number[] }): number => shape.reduce((a, b) => a * b, 1)

/** Throws `request-invalid` unless [begin, begin + count) is made of whole granules of the weight. */
export function checkElements(weight: Omit<StoredWeight, 'read'>, begin: number, count: number): void {
  const total = countOf(weight)
  const end = begin + count
  const isWhole = begin % weight.granule === 0 && (end % weight.granule === 0 || end === total)
  if (Number.isSafeInteger(begin) && begin >= 0 && count >= 0 && end <= total && isWhole) return
  throw new EngineError(
    'request-invalid',
    `cannot read elements ${begin} to ${end} of ${total}: expected multiples of ${weight.granule}`,
    { tensor: weight.name },
  )
}

/** A weight whose elements lie one after another in a file. */
export function contiguousWeight(
  source: ByteSource,
  place: { name: string; shape: readonly number[]; encoding: Encoding; offset: number; storage?: string },
): StoredWeight {
  const { name, shape, encoding, offset } = place
  const about = {
    name,
    shape,
    storage: place.storage ?? encoding.toUpperCase(),
    byteLength: encodedBytes(encoding, countOf(place)),
    granule: blockOf(encoding).elements,
    where: { file: source.name, offset },
  }
  checkRange(source, offset, about.byteLength)
  return {
    ...about,
    async read(begin, count, signal) {
      checkElements(about, begin, count)
      const at = offset + encodedBytes(encoding, begin)
      return { bytes: await source.read(at, encodedBytes(encoding, count), signal), encoding }
    },
  }
}

/** A weight whose values the host has to work out: LoRA's sum, MLX's affine groups, ONNX's blocks. */
export function computedWeight(
  about: Omit<StoredWeight, 'read'>,
  read: (begin: number, count: number, signal?: AbortSignal) => Promise<Float32Array<ArrayBuffer>>,
): StoredWeight {
  return {
    ...about,
    async read(begin, count, signal) {
      checkElements(about, begin, count)
      return { bytes: new Uint8Array((await read(begin, count, signal)).buffer), encoding: 'f32' }
    },
  }
}

/** float32 values of elements [begin, begin + count), granules cut off where the range begins or ends inside one. */
export async function readElements(
  weight: StoredWeight,
  begin = 0,
  count = countOf(weight) - begin,
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  const first = Math.floor(begin / weight.granule) * weight.granule
  const last = Math.min(countOf(weight), Math.ceil((begin + count) / weight.granule) * weight.granule)
  const values = decodeValues(await weight.read(first, last - first, signal))
  return first === begin && last === begin + count
    ? values
    : values.slice(begin - first, begin - first + count)
}
