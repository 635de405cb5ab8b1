import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { readSafetensorsHeader, readTensor } from '../files/safetensors.ts'
import { MemorySource } from '../files/source.ts'
import { contiguousWeight, readElements, type StoredWeight } from '../files/storedWeight.ts'
import type { Gpu } from '../gpu/device.ts'
import { BLOCK_ENCODINGS, BLOCK_SIZES } from '../tensors/blocks/blocks.ts'
import { blockOf, type Encoding } from '../tensors/encoding.ts'
import { Random } from '../tensors/random.ts'
import { stripElements, uploadStored, uploadWhole } from './storedTensor.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const goldenFile = new MemorySource(
  new Uint8Array(readFileSync(new URL('../tensors/blocks/golden/blocks.safetensors', import.meta.url))),
  'blocks.safetensors',
)

function weightOf(encoding: Encoding, bytes: Uint8Array, granule?: number): StoredWeight {
  const { elements, bytes: size } = blockOf(encoding)
  const shape = [(bytes.byteLength / size) * elements]
  const weight = contiguousWeight(new MemorySource(bytes, 'w'), { name: 'w', shape, encoding, offset: 0 })
  return granule === undefined ? weight : { ...weight, granule }
}

/** Random bits with exponents that no type reads as infinite. */
function randomBytes(length: number): Uint8Array {
  const random = new Random(3)
  return Uint8Array.from({ length }, (_, i) => (i % 2 ? 0x3b : Math.floor(random.uniform() * 256)))
}

async function read(weight: StoredWeight, begin: number, count: number, stripBytes?: number) {
  const out = gpu.upload(new Float32Array(count + 8).fill(7))
  await uploadStored(gpu, weight, begin, count, out, undefined, stripBytes)
  const values = await gpu.readFloats(out, count + 8)
  out.destroy()
  expect([...values.slice(count)], 'what lies behind').toEqual(Array(8).fill(7))
  return values.slice(0, count)
}

describe.each(BLOCK_ENCODINGS)('%s', (encoding) => {
  it('on the device equals the float64 of a second implementation, rounded once, in strips and ranges', async () => {
    const header = await readSafetensorsHeader(goldenFile)
    const bytes = await readTensor(goldenFile, header, `${encoding}.blocks`)
    const golden = new Float64Array((await readTensor(goldenFile, header, `${encoding}.values`)).buffer)
    const weight = weightOf(encoding, bytes)
    const size = BLOCK_SIZES[encoding].elements
    for (const [begin, count, strip] of [
      [0, golden.length, 2 ** 20],
      [0, golden.length, 4 * size],
      [size, 3 * size, 8 * size],
    ]) {
      const ours = await read(weight, begin, count, strip)
      // The golden values have no negative zeros.
      expect(ours.map((value) => value + 0)).toEqual(Float32Array.from(golden.subarray(begin, begin + count)))
    }
  })
})

describe.each(['f32', 'f16', 'bf16', 'f64', 'f8_e4m3', 'i8', 'u16'] as const)('%s', (encoding) => {
  it('equals the host’s values, in odd ranges and strips too', async () => {
    const weight = weightOf(encoding, randomBytes(1040))
    const all = await readElements(weight)
    expect(await read(weight, 0, all.length)).toEqual(all)
    expect(await read(weight, 0, 101, 16)).toEqual(all.slice(0, 101))
    expect(await read(weight, 3, 70, 256)).toEqual(all.slice(3, 73))
  })
})

describe('strips', () => {
  it('are whole granules and end at fours', () => {
    expect(stripElements(weightOf('q4_0', new Uint8Array(180)), 1000)).toBe(224)
    expect(stripElements(weightOf('q4_0', new Uint8Array(180)), 1)).toBe(32)
    expect(stripElements(weightOf('f32', new Uint8Array(400), 5), 1)).toBe(20)
    expect(stripElements(weightOf('f32', new Uint8Array(400), 6), 48)).toBe(24)
  })

  it('a range that cuts a block is refused', async () => {
    const out = gpu.upload(new Float32Array(64))
    await expectFailure(
      uploadStored(gpu, weightOf('q8_0', new Uint8Array(68)), 16, 32, out),
      'request-invalid',
      {
        tensor: 'w',
      },
    )
    out.destroy()
  })

  it('stop when cancelled', async () => {
    const out = gpu.upload(new Float32Array(64))
    const weight = weightOf('q8_0', new Uint8Array(68))
    await expectFailure(uploadWhole(gpu, weight, out, AbortSignal.abort()), 'cancelled')
    out.destroy()
  })
})
