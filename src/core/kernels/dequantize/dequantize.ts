// GGML's block quantisations to float32 on the device, one kernel for all ten types.

import {
  BLOCK_ENCODINGS,
  BLOCK_HALVES,
  BLOCK_SIZES,
  type BlockEncoding,
} from '../../tensors/blocks/blocks.ts'
import type { HostArrays, KernelCase, KernelSpec, Params } from '../spec.ts'
import { dequantizeReference } from './dequantize.reference.ts'
import dequantizeWgsl from './dequantize.wgsl?raw'

/** Parameters for `count` elements, whole blocks from `byteOffset` of `blocks`, to element `outOffset` of `out`. */
export function dequantizeParams(
  encoding: BlockEncoding,
  count: number,
  byteOffset = 0,
  outOffset = 0,
): Params {
  const { elements, bytes } = BLOCK_SIZES[encoding]
  const format = BLOCK_ENCODINGS.indexOf(encoding)
  return { groups: count / 16, format, blockElements: elements, blockBytes: bytes, byteOffset, outOffset }
}

const dequantizeCase = (
  encoding: BlockEncoding,
  blockCount: number,
  byteOffset: number,
  outOffset: number,
): KernelCase => {
  const { elements, bytes } = BLOCK_SIZES[encoding]
  return {
    name: `${encoding}, ${blockCount} blocks${byteOffset ? ` from byte ${byteOffset}` : ''}`,
    params: dequantizeParams(encoding, blockCount * elements, byteOffset, outOffset),
    sizes: {
      blocks: Math.ceil((byteOffset + blockCount * bytes) / 4),
      out: outOffset + blockCount * elements + 4,
    },
    fill: { blocks: (_, random) => Math.floor(Math.abs(random()) * 2 ** 40) % 2 ** 32 },
  }
}

/** Random bits make infinite scales; half of the blocks get subnormal ones, as small weights have. */
function tameScales(p: Params, { blocks }: HostArrays): HostArrays {
  const words = Uint32Array.from(blocks)
  const view = new DataView(words.buffer)
  const encoding = BLOCK_ENCODINGS[p.format]
  for (let at = p.byteOffset; at + p.blockBytes <= words.byteLength; at += p.blockBytes)
    for (const offset of BLOCK_HALVES[encoding]) {
      const bits = view.getUint16(at + offset, true)
      const isOdd = ((at - p.byteOffset) / p.blockBytes) % 2 === 1
      view.setUint16(at + offset, isOdd ? bits & 0x83ff : bits & 0xbfff, true)
    }
  return { blocks: words }
}

/** out [outOffset, outOffset + 16 groups) = values of the blocks from `byteOffset` on; outOffset in fours. */
export const dequantize: KernelSpec = {
  name: 'dequantize',
  wgsl: dequantizeWgsl,
  params: [
    ['groups', 'u32'],
    ['format', 'u32'],
    ['blockElements', 'u32'],
    ['blockBytes', 'u32'],
    ['byteOffset', 'u32'],
    ['outOffset', 'u32'],
  ],
  bindings: [
    { name: 'blocks', kind: 'u32', access: 'read' },
    { name: 'out', kind: 'vec', access: 'read_write' },
  ],
  threads: (p: Params) => [p.groups, 1, 1],
  workgroupSize: [64, 1, 1],
  reference: dequantizeReference,
  derive: tameScales,
  tolerance: {
    absolute: 0,
    relative: 0,
    why: 'products fit 24 bits, so the one subtraction rounds as float64 does',
  },
  cases: BLOCK_ENCODINGS.flatMap((encoding) => [
    dequantizeCase(encoding, 9, 0, 0),
    dequantizeCase(encoding, 2, 6, 20),
  ]),
  noGradient: 'reads stored weights; nothing is differentiated through their codes',
}
