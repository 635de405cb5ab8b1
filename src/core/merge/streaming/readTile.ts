// A tile of one tensor of one model as a merge wants it: float32, blocks that the device decodes, or its 16-bit storage
// untouched where the result is stored in the same.

import { EngineError } from '../../errors.ts'
import { countOf, readElements, type StoredWeight } from '../../files/storedWeight.ts'
import { BLOCK_SIZES, findNonFiniteBlock } from '../../tensors/blocks/blocks.ts'
import { decodeWeights, encodeWeights, type WeightType } from '../../tensors/dtype.ts'
import { decodeValues, type EncodedValues, isBlockEncoding } from '../../tensors/encoding.ts'
import type { Tile } from '../method.ts'
import { assertFiniteBytes, assertFiniteValues } from './finite.ts'

export type TileValues =
  | { type: 'f32'; values: Float32Array }
  | { type: 'f16' | 'bf16'; bytes: Uint8Array }
  /** quantised blocks, for the device to decode */
  | { type: 'blocks'; encoded: EncodedValues }

export interface ReadOptions {
  /** what inputs are rounded to first */
  dtype: WeightType | undefined
  /** what the result is stored as */
  outType: WeightType | undefined
  signal?: AbortSignal | undefined
}

/** Rejects `request-invalid` for a model that is not open, `not-finite` with the element, and what readers reject. */
export async function readTile(
  models: ReadonlyMap<string, { stored: { get(name: string): StoredWeight | undefined } }>,
  { model, tensor }: { model: string; tensor: string },
  { start, count }: Tile,
  { dtype, outType, signal }: ReadOptions,
): Promise<TileValues> {
  const weights = models.get(model)
  if (!weights) throw new EngineError('request-invalid', `model ${model} is not open`)
  const weight = weights.stored.get(tensor)
  if (!weight) throw new EngineError('file-missing', `${model} has no such weight`, { tensor })
  const what = `a weight of ${model}`
  if (weight.granule === 1) {
    const { bytes, encoding } = await weight.read(start, count, signal)
    const isKept = encoding === outType && (dtype === undefined || dtype === encoding)
    if (isKept && (encoding === 'bf16' || encoding === 'f16')) {
      assertFiniteBytes(bytes, encoding, what, tensor, start)
      return { type: encoding, bytes }
    }
    if (encoding === 'bf16' || encoding === 'f16' || encoding === 'f32')
      return rounded(decodeWeights(bytes, encoding), encoding)
  }
  const end = start + count
  const isWhole = start % weight.granule === 0 && (end % weight.granule === 0 || end === countOf(weight))
  if (isWhole && (dtype === undefined || dtype === 'f32')) {
    const encoded = await weight.read(start, count, signal)
    if (!isBlockEncoding(encoded.encoding)) return rounded(decodeValues(encoded), undefined)
    const bad = findNonFiniteBlock(encoded.bytes, encoded.encoding)
    if (bad < 0) return { type: 'blocks', encoded }
    // The block's own values say which element it is, and what.
    const { bytes: size, elements } = BLOCK_SIZES[encoded.encoding]
    const values = decodeValues({ ...encoded, bytes: encoded.bytes.slice(bad * size, (bad + 1) * size) })
    assertFiniteValues(values, what, tensor, start + bad * elements)
  }
  return rounded(await readElements(weight, start, count, signal), undefined)

  function rounded(values: Float32Array, stored: WeightType | undefined): TileValues {
    assertFiniteValues(values, what, tensor, start)
    if (dtype === undefined || dtype === 'f32' || dtype === stored) return { type: 'f32', values }
    const narrowed = decodeWeights(encodeWeights(values, dtype), dtype)
    assertFiniteValues(narrowed, `${what} in ${DTYPE_NAMES[dtype]}`, tensor, start)
    return { type: 'f32', values: narrowed }
  }
}

const DTYPE_NAMES: Record<WeightType, string> = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' }
