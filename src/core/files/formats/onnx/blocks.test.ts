import { describe, expect, it } from 'vitest'
import { Random } from '../../../tensors/random.ts'
import { type BlockForm, decodeRows, encodeRows, packCodes, unpackCodes } from './blocks.ts'

function formOf(bits: 2 | 4 | 8, zeros: BlockForm['zeros'], columns = 40, isSigned = false): BlockForm {
  const blockSize = 16
  const blocksPerRow = Math.ceil(columns / blockSize)
  const rowBytes = (blocksPerRow * blockSize * bits) / 8
  return { bits, blockSize, columns, blocksPerRow, rowBytes, isSigned, zeros, defaultZero: 2 ** (bits - 1) }
}

function encode(form: BlockForm, values: Float32Array, rows: number, round = Math.fround) {
  const blocks = rows * form.blocksPerRow
  const parameters = {
    scales: new Float32Array(blocks),
    zeros: new Float32Array(blocks).fill(form.defaultZero),
  }
  const packed = new Uint8Array(rows * form.rowBytes).fill(0xff)
  encodeRows(form, values, parameters, packed, rows, round)
  return { parameters, packed }
}

const KINDS = [2, 4, 8].flatMap((bits) =>
  (['none', 'packed', 'float'] as const).map((zeros) => [bits as 2 | 4 | 8, zeros] as const),
)

describe('blocks', () => {
  it('hold the low bits of a byte first', () => {
    const four = formOf(4, 'none')
    expect([...unpackCodes(four, Uint8Array.of(0x21, 0x43), 0, 4)]).toEqual([1, 2, 3, 4])
    expect([...unpackCodes(formOf(2, 'none'), Uint8Array.of(0b11100100), 0, 4)]).toEqual([0, 1, 2, 3])
    // -1, -8, 7, 0 of four signed bits count from -8.
    const signed = formOf(4, 'none', 40, true)
    expect([...unpackCodes(signed, Uint8Array.of(0x8f, 0x07), 0, 4)]).toEqual([7, 0, 15, 8])
    const bytes = Uint8Array.of(0xff, 0xff)
    packCodes(signed, Uint8Array.of(7, 0, 15), bytes, 0)
    expect([...bytes]).toEqual([0x8f, 0xf7])
  })

  it.each(KINDS)('of %i bits, zero points %s: decoded by the formula, element by element', (bits, zeros) => {
    const form = formOf(bits, zeros)
    const random = new Random(bits)
    const rows = 3
    const packed = Uint8Array.from({ length: rows * form.rowBytes }, () => random.integer(256))
    const blocks = rows * form.blocksPerRow
    const parameters = {
      scales: random.normals(blocks),
      zeros: Float32Array.from({ length: blocks }, () => random.integer(2 ** bits)),
    }
    const values = decodeRows(form, packed, parameters, rows)
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < form.columns; c++) {
        const bit = 8 * r * form.rowBytes + c * bits
        let code = 0
        for (let i = 0; i < bits; i++) code += ((packed[(bit + i) >> 3] >> ((bit + i) & 7)) & 1) * 2 ** i
        const block = r * form.blocksPerRow + Math.floor(c / 16)
        const expected = Math.fround((code - parameters.zeros[block]) * parameters.scales[block])
        expect(values[r * form.columns + c]).toBe(expected)
      }
  })

  it.each(KINDS)('of %i bits, zero points %s: err by half a step of the range', (bits, zeros) => {
    const form = formOf(bits, zeros)
    const rows = 5
    const values = new Random(9).normals(rows * form.columns)
    const { parameters, packed } = encode(form, values, rows)
    const stored = decodeRows(form, packed, parameters, rows)
    for (let r = 0; r < rows; r++)
      for (let b = 0; b < form.blocksPerRow; b++) {
        const own = values.subarray(r * 40 + b * 16, r * 40 + Math.min(40, b * 16 + 16))
        const [low, high] = [Math.min(0, ...own), Math.max(0, ...own)]
        const top = 2 ** bits - 1
        const half = 2 ** (bits - 1)
        const step = zeros === 'none' ? Math.max(-low / half, high / (half - 1)) : (high - low) / top
        const worst = Math.max(...own.map((v, i) => Math.abs(v - stored[r * 40 + b * 16 + i])))
        // A rounded zero point moves the range by half a step at its ends.
        expect(worst).toBeLessThanOrEqual(step * (zeros === 'packed' ? 1.001 : 0.5001) + 1e-6)
      }
  })

  it('take the sign of the scale that errs less', () => {
    const form = formOf(4, 'none', 16)
    // 8 steps up and 1 down: only a negative scale reaches them all.
    const values = Float32Array.from({ length: 16 }, (_, i) => (i === 0 ? 8 : i === 1 ? -1 : 0))
    const { parameters, packed } = encode(form, values, 1)
    expect(parameters.scales[0]).toBe(-1)
    expect(decodeRows(form, packed, parameters, 1).map((value) => value + 0)).toEqual(values)
  })

  it.each(KINDS)('of %i bits, zero points %s: what they hold is written as it was', (bits, zeros) => {
    const form = formOf(bits, zeros)
    const random = new Random(3)
    const rows = 4
    const { parameters, packed } = encode(form, random.normals(rows * form.columns), rows)
    // Any file's codes, not only ours: no block has to use its whole range.
    const codes = Uint8Array.from({ length: form.columns }, () => random.integer(2))
    packCodes(form, codes, packed, form.rowBytes)
    const values = decodeRows(form, packed, parameters, rows)
    const again = packed.slice()
    const kept = { scales: parameters.scales.slice(), zeros: parameters.zeros.slice() }
    encodeRows(form, values, kept, again, rows, Math.fround)
    expect(again).toEqual(packed)
    expect(kept).toEqual(parameters)
  })

  it('keep zeros at zero, and their scale finite', () => {
    for (const [bits, zeros] of KINDS) {
      const form = formOf(bits, zeros)
      const { parameters, packed } = encode(form, new Float32Array(40), 1)
      expect([...decodeRows(form, packed, parameters, 1)].every((value) => Math.abs(value) === 0)).toBe(true)
    }
  })
})
