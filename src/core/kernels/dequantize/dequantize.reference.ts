// Float64 of dequantize: the host's decoders, which golden values of a second implementation hold.

import { BLOCK_ENCODINGS, decodeBlocks } from '../../tensors/blocks/blocks.ts'
import type { HostArrays, Params } from '../spec.ts'

export function dequantizeReference(p: Params, { blocks, out }: HostArrays): HostArrays {
  const bytes = new Uint8Array(Uint32Array.from(blocks).buffer)
  const count = (16 * p.groups) / p.blockElements
  const coded = bytes.subarray(p.byteOffset, p.byteOffset + count * p.blockBytes)
  const result = Float64Array.from(out)
  result.set(decodeBlocks(coded, BLOCK_ENCODINGS[p.format]), p.outOffset)
  return { out: result }
}
