import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { blockOf, decodeValues, encodedBytes, type ScalarEncoding } from './encoding.ts'

const bytesFrom = (write: (view: DataView) => void, length: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length)
  write(new DataView(bytes.buffer))
  return bytes
}

describe('8-bit floats', () => {
  it.each(['f8_e4m3', 'f8_e5m2'] as const)('%s: every code as torch reads it', async (encoding) => {
    // Golden values of torch's own float8_e4m3fn and float8_e5m2: golden/float8.py.
    const table = JSON.parse(
      await readFile(join(import.meta.dirname, 'golden/float8.json'), 'utf8'),
    ) as Record<string, (number | string)[]>
    const expected = table[encoding].map((v) =>
      v === 'inf' ? Number.POSITIVE_INFINITY : v === '-inf' ? Number.NEGATIVE_INFINITY : Number(v),
    )
    const found = decodeValues({ bytes: Uint8Array.from({ length: 256 }, (_, i) => i), encoding })
    expect(found.length).toBe(256)
    expected.forEach((value, code) => {
      expect(Object.is(found[code], value), `code ${code}: ${found[code]}, expected ${value}`).toBe(true)
    })
    const finite = [...found].filter(Number.isFinite)
    expect(Math.max(...finite)).toBe(encoding === 'f8_e4m3' ? 448 : 57344)
    expect(finite.length).toBe(encoding === 'f8_e4m3' ? 254 : 248)
  })
})

describe('scalars', () => {
  /** Little-endian elements and what they mean, at the ends of each type. */
  const cases: [ScalarEncoding, number, number[], (view: DataView, at: number, value: number) => void][] = [
    [
      'f64',
      8,
      [0, -1.5, 1 / 3, 1e-300, 1e39, -1e39, Number.POSITIVE_INFINITY],
      (v, i, x) => v.setFloat64(i, x, true),
    ],
    ['f32', 4, [0, -1.5, 3.4e38, 1.4e-45], (v, i, x) => v.setFloat32(i, x, true)],
    ['i8', 1, [-128, -1, 0, 127], (v, i, x) => v.setInt8(i, x)],
    ['u8', 1, [0, 128, 255], (v, i, x) => v.setUint8(i, x)],
    ['i16', 2, [-32768, -2, 32767], (v, i, x) => v.setInt16(i, x, true)],
    ['u16', 2, [1, 32768, 65535], (v, i, x) => v.setUint16(i, x, true)],
    ['i32', 4, [-(2 ** 31), 16777217, 2 ** 31 - 1], (v, i, x) => v.setInt32(i, x, true)],
    ['u32', 4, [1, 2 ** 31, 2 ** 32 - 1], (v, i, x) => v.setUint32(i, x, true)],
    ['i64', 8, [-(2 ** 53), -1, 2 ** 53], (v, i, x) => v.setBigInt64(i, BigInt(x), true)],
    ['u64', 8, [0, 2 ** 40, 2 ** 53], (v, i, x) => v.setBigUint64(i, BigInt(x), true)],
    ['bool', 1, [0, 1, 2, 255], (v, i, x) => v.setUint8(i, x)],
  ]
  it.each(cases)('%s', (encoding, size, values, set) => {
    expect(blockOf(encoding)).toEqual({ elements: 1, bytes: size })
    expect(encodedBytes(encoding, 7)).toBe(7 * size)
    const bytes = bytesFrom((view) => {
      values.forEach((value, i) => {
        set(view, i * size, value)
      })
    }, values.length * size)
    const expected = values.map((value) => (encoding === 'bool' ? Number(value !== 0) : Math.fround(value)))
    expect([...decodeValues({ bytes, encoding })]).toEqual(expected)
  })

  it('doubles past float32 become infinite, and below its smallest zero', () => {
    const bytes = bytesFrom((view) => {
      view.setFloat64(0, 3.5e38, true)
      view.setFloat64(8, 1e-50, true)
    }, 16)
    expect([...decodeValues({ bytes, encoding: 'f64' })]).toEqual([Number.POSITIVE_INFINITY, 0])
  })

  it('are read wherever they begin', () => {
    const bytes = new Uint8Array(3 + 8)
    new DataView(bytes.buffer).setFloat64(3, -2.25, true)
    expect([...decodeValues({ bytes: bytes.subarray(3), encoding: 'f64' })]).toEqual([-2.25])
  })
})
