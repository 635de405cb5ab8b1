import { describe, expect, it } from 'vitest'
import { Random } from '../tensors/random.ts'
import { PACK_BLOCK, packRows, unpackRows } from './packedRows.ts'

const random = new Random(5, 1)
// Sizes over four decades, a block of zeros, and a last block that is not full.
const LENGTH = 5 * PACK_BLOCK + 7
const rows = Array.from({ length: 3 }, (_, r) =>
  Float64Array.from({ length: LENGTH }, (_, i) =>
    i >= 2 * PACK_BLOCK && i < 3 * PACK_BLOCK
      ? 0
      : random.normal() * 10 ** (-r - Math.floor(i / PACK_BLOCK) / 3),
  ),
)

describe('packed rows', () => {
  for (const bits of [2, 4, 5, 6, 7, 8])
    it(`come back within half a part, ${bits} bits`, () => {
      const packed = packRows(rows, bits)
      const back = unpackRows(packed)
      const most = 2 ** (bits - 1) - 1
      rows.forEach((row, r) => {
        for (let start = 0; start < LENGTH; start += PACK_BLOCK) {
          const block = row.subarray(start, start + PACK_BLOCK)
          const largest = Math.max(...block.map(Math.abs))
          // Half a part, and what float16 rounds off the block's scale.
          const bound = largest * (0.5 / most + 2 ** -10)
          block.forEach((value, i) => {
            expect(Math.abs(back[r][start + i] - value)).toBeLessThanOrEqual(bound)
          })
        }
      })
      expect(back[0].slice(2 * PACK_BLOCK, 3 * PACK_BLOCK).every((value) => value === 0)).toBe(true)
    })

  it('lose nothing the second time', () => {
    const once = unpackRows(packRows(rows, 6))
    const twice = unpackRows(packRows(once, 6))
    once.forEach((row, r) => {
      row.forEach((value, i) => {
        expect(twice[r][i]).toBeCloseTo(value, 6)
      })
    })
  })

  it('refuse what cannot be packed', () => {
    expect(() => packRows([[1, Number.NaN, 2]], 8)).toThrow(/row 0/)
    expect(() => packRows([[1], [Number.POSITIVE_INFINITY]], 8)).toThrow(/row 1/)
    expect(() => packRows(rows, 9)).toThrow(/2 to 8/)
    const packed = packRows(rows, 8)
    expect(() => unpackRows({ ...packed, length: LENGTH + PACK_BLOCK })).toThrow(/packed rows/)
  })
})
