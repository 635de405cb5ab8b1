// Writer of safetensors: the header first, then one tensor after another as they are produced, so that a
// model is never held twice. What it writes, safetensors.ts reads back byte for byte.

import { EngineError, throwIfCancelled } from '../errors.ts'
import { type Dtype, tensorBytes } from './safetensorsFormat.ts'

export interface TensorEntry {
  name: string
  dtype: Dtype
  shape: readonly number[]
}

/**
 * Length prefix and JSON header, padded with spaces to a multiple of 8, for tensors laid out without holes in
 * the given order. Throws `request-invalid` for a repeated name or a shape that fills no whole bytes.
 */
export function safetensorsHeader(
  tensors: readonly TensorEntry[],
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  // Joined by hand: JSON.stringify of an object would move names like "0" to the front and lose "__proto__".
  const fields: string[] = []
  if (Object.keys(metadata).length > 0) fields.push(`"__metadata__":${JSON.stringify(metadata)}`)
  const names = new Set(['__metadata__'])
  let begin = 0
  for (const tensor of tensors) {
    const { name, dtype, shape } = tensor
    if (names.has(name))
      throw new EngineError('request-invalid', 'a tensor of this name exists', { tensor: name })
    names.add(name)
    const end = begin + byteLengthOf(tensor)
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`)
    begin = end
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`)
  const length = Math.ceil(json.length / 8) * 8
  const header = new Uint8Array(8 + length).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true)
  header.set(json, 8)
  return header
}

/** Bytes of the whole file. */
export function safetensorsByteLength(
  tensors: readonly TensorEntry[],
  metadata: Record<string, string> = {},
): number {
  return tensors.reduce(
    (sum, tensor) => sum + byteLengthOf(tensor),
    safetensorsHeader(tensors, metadata).byteLength,
  )
}

/**
 * The file in pieces: header, then the bytes that `read` gives for each tensor, asked one at a time.
 * Rejects `shape-mismatch` when a tensor's bytes do not fill its shape, `cancelled` on the signal.
 */
export async function* writeSafetensors<T extends TensorEntry>(
  tensors: readonly T[],
  metadata: Record<string, string>,
  read: (tensor: T) => Promise<Uint8Array> | Uint8Array,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  yield safetensorsHeader(tensors, metadata)
  for (const tensor of tensors) {
    throwIfCancelled(signal)
    const bytes = await read(tensor)
    const expected = byteLengthOf(tensor)
    if (bytes.byteLength !== expected)
      throw new EngineError(
        'shape-mismatch',
        `${tensor.dtype} of shape [${tensor.shape}] needs ${expected} bytes, got ${bytes.byteLength}`,
        { tensor: tensor.name },
      )
    yield bytes
  }
}

function byteLengthOf({ name, dtype, shape }: TensorEntry): number {
  const isShape = shape.every((size) => Number.isSafeInteger(size) && size >= 0)
  const length = isShape ? tensorBytes(dtype, shape) : undefined
  if (length === undefined)
    throw new EngineError('request-invalid', `shape [${shape}] of ${dtype} fills no whole bytes`, {
      tensor: name,
    })
  return length
}
