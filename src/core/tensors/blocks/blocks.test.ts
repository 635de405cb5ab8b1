// Block decoders and encoders against golden/blocks.safetensors, which numpy made by another route: see
// golden/generate.py. (float32 roundings of those values also equal what gguf-py 0.19 gives, element for element.)

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { blockOf, decodeValues, encodedBytes } from '../encoding.ts'
import { BLOCK_ENCODINGS, BLOCK_SIZES, decodeBlocks } from './blocks.ts'
import { encodeBlocks } from './encodeBlocks.ts'

const file = new Uint8Array(readFileSync(new URL('./golden/blocks.safetensors', import.meta.url)))
const length = Number(new DataView(file.buffer).getBigUint64(0, true))
const header: Record<string, { data_offsets: [number, number] }> = JSON.parse(
  new TextDecoder().decode(file.subarray(8, 8 + length)),
)
const golden = (name: string) => {
  const [begin, end] = header[name].data_offsets
  return file.slice(8 + length + begin, 8 + length + end)
}

/** The golden values have no negative zeros. */
const plain = (value: number) => value + 0

describe.each(BLOCK_ENCODINGS)('%s', (encoding) => {
  const bytes = golden(`${encoding}.blocks`)
  const values = new Float64Array(golden(`${encoding}.values`).buffer)

  it('decodes to the golden values', () => {
    const ours = decodeBlocks(bytes, encoding)
    expect(ours).toHaveLength(values.length)
    const scale = Math.max(...values.map(Math.abs))
    // The order of three exact products may differ in the last place of float64.
    ours.forEach((value, i) => {
      expect(Math.abs(value - values[i]), `element ${i}`).toBeLessThanOrEqual(1e-15 * scale)
    })
    expect(decodeValues({ bytes, encoding }).map(plain)).toEqual(Float32Array.from(values))
  })

  it('decodes strips longer than its step like single blocks', () => {
    const { elements, bytes: size } = BLOCK_SIZES[encoding]
    const many = new Uint8Array(1030 * size)
    for (let b = 0; b < 1030; b++) many.set(bytes.subarray((b % 5) * size, ((b % 5) + 1) * size), b * size)
    const decoded = decodeValues({ bytes: many, encoding })
    expect(decoded).toHaveLength(1030 * elements)
    for (const b of [0, 511, 512, 513, 1029])
      expect(decoded.slice(b * elements, (b + 1) * elements).map(plain)).toEqual(
        Float32Array.from(values.subarray((b % 5) * elements, ((b % 5) + 1) * elements)),
      )
  })

  it('has as many bytes as its blocks', () => {
    const { elements, bytes: size } = blockOf(encoding)
    expect(encodedBytes(encoding, 7 * elements)).toBe(7 * size)
    expect(bytes.length % size).toBe(0)
  })
})

describe.each(['q4_0', 'q8_0'] as const)('encoding %s', (encoding) => {
  const x = new Float32Array(golden('x').buffer)

  it('gives the golden bytes: zeros, ties, extremes of both signs, scales below the normal halves', () => {
    expect(encodeBlocks(x, encoding)).toEqual(golden(`${encoding}.encoded`))
  })

  it('stays within half a step of every value, but for the end of q4_0 that has no code', () => {
    const values = x.subarray(5 * 32)
    const back = decodeValues({ bytes: encodeBlocks(values, encoding), encoding })
    for (let b = 0; b < values.length / 32; b++) {
      const block = values.subarray(32 * b, 32 * b + 32)
      const peak = Math.max(...block.map(Math.abs))
      const step = peak / (encoding === 'q4_0' ? 8 : 127)
      // binary16 keeps d to 2^-11, or to 2^-25 where it is subnormal; codes go up to 8 or 127.
      const storage = Math.max(2 ** -11 * peak, 2 ** -25 * 127)
      block.forEach((value, i) => {
        const opposite = encoding === 'q4_0' && Math.abs(value) > 7.5 * step ? 0.5 : 0
        expect(Math.abs(back[32 * b + i] - value)).toBeLessThanOrEqual(
          (0.5 + opposite) * step * 1.0001 + storage,
        )
      })
    }
  })
})
