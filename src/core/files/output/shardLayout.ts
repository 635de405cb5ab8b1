// Where every tensor of a sharded model will stand, known before the first is written: headers come first and all sizes
// are known, so tensors can be written in place, in any order, in parts, and again.

import { WEIGHT_BYTES, type WeightType } from '../../tensors/dtype.ts'
import { dtypeOf } from '../safetensorsFormat.ts'
import { safetensorsHeader, type TensorEntry } from '../safetensorsWriter.ts'
import type { Bytes } from '../source.ts'

export const INDEX_FILE = 'model.safetensors.index.json'
const METADATA = { format: 'pt' }

export interface PlacedTensor extends TensorEntry {
  byteLength: number
  /** bytes from the start of its file */
  offset: number
}

export interface Shard {
  file: string
  header: Bytes
  tensors: PlacedTensor[]
  /** of the whole file */
  byteLength: number
}

/** Tensors in order into shards of at most `limit` bytes of data; a tensor above the limit has one of its own. */
export function layShards(
  tensors: readonly { name: string; shape: readonly number[] }[],
  type: WeightType,
  limit: number,
): Shard[] {
  const parts: (TensorEntry & { byteLength: number })[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const { name, shape } of tensors) {
    const byteLength = shape.reduce((a, b) => a * b, 1) * WEIGHT_BYTES[type]
    if (bytes + byteLength > limit) {
      parts.push([])
      bytes = 0
    }
    parts[parts.length - 1].push({ name, shape, dtype: dtypeOf(type), byteLength })
    bytes += byteLength
  }
  const digits = (value: number) => String(value).padStart(5, '0')
  return parts.map((part, i) => {
    const header = safetensorsHeader(part, METADATA)
    let offset = header.byteLength
    const placed = part.map((tensor) => {
      const at = offset
      offset += tensor.byteLength
      return { ...tensor, offset: at }
    })
    const file =
      parts.length === 1
        ? 'model.safetensors'
        : `model-${digits(i + 1)}-of-${digits(parts.length)}.safetensors`
    return { file, header, tensors: placed, byteLength: offset }
  })
}

/** Text of the index; undefined for a single file, which needs none. */
export function shardIndex(shards: readonly Shard[]): string | undefined {
  if (shards.length === 1) return undefined
  const total = shards.flatMap(({ tensors }) => tensors).reduce((sum, t) => sum + t.byteLength, 0)
  const map = shards.flatMap(({ file, tensors }) => tensors.map(({ name }) => [name, file]))
  const index = { metadata: { total_size: total }, weight_map: Object.fromEntries(map) }
  return `${JSON.stringify(index, null, 2)}\n`
}
