// Matrices of a test's ONNX model, in every layout that exporters use: plain [in, out], float16 behind a cast, or
// blocks of codes quantised by our own writer.

import { type BlockForm, encodeRows, packCodes, zeroRowBytes } from '../../core/files/formats/onnx/blocks.ts'
import { encodeFloats } from '../../core/files/formats/onnx/slot.ts'
import { fromF16, toF16 } from '../../core/tensors/dtype.ts'
import type { TestGraph } from './graph.ts'

export interface MatrixForm {
  /** f32 and f16 are plain; numbers are bits of blocks */ storage: 'f32' | 'f16' | 2 | 4 | 8
  /** default 32 */ blockSize?: number
  /** scales, and what is multiplied, in float16 */ isHalf?: boolean
  /** default none */ zeros?: BlockForm['zeros']
}

/** Codes, scales and zero points of values (rows, columns), every row padded to whole blocks. */
export function quantise(
  values: Float32Array,
  rows: number,
  columns: number,
  { storage, blockSize = 32, zeros = 'none', isHalf = false }: MatrixForm,
) {
  const bits = storage as 2 | 4 | 8
  const blocksPerRow = Math.ceil(columns / blockSize)
  const form: BlockForm = {
    bits,
    blockSize,
    columns,
    blocksPerRow,
    rowBytes: (blocksPerRow * blockSize * bits) / 8,
    isSigned: false,
    zeros,
    defaultZero: 2 ** (bits - 1),
  }
  const parameters = {
    scales: new Float32Array(rows * blocksPerRow),
    zeros: new Float32Array(rows * blocksPerRow).fill(form.defaultZero),
  }
  const codes = new Uint8Array(rows * form.rowBytes)
  encodeRows(form, values, parameters, codes, rows, isHalf ? (scale) => fromF16(toF16(scale)) : Math.fround)
  const packed = new Uint8Array(rows * zeroRowBytes(form))
  if (zeros === 'packed')
    for (let row = 0; row < rows; row++) {
      const own = parameters.zeros.subarray(row * blocksPerRow, (row + 1) * blocksPerRow)
      packCodes(form, Uint8Array.from(own), packed, row * zeroRowBytes(form))
    }
  return { form, codes, ...parameters, packed }
}

export interface Linear {
  /** (…, in) */ x: string
  /** name of the MatMul node */ node: string
  /** name of its weight */ tensor: string
  values: Float32Array
  rows: number
  columns: number
  output: string
}

/** x · Wᵀ of W (rows, columns) as Hugging Face has it. */
export function addLinear(graph: TestGraph, form: MatrixForm, linear: Linear): string {
  const { x, node, tensor, values, rows, columns, output } = linear
  if (typeof form.storage === 'string') {
    const turned = new Float32Array(values.length)
    for (let o = 0; o < rows; o++)
      for (let i = 0; i < columns; i++) turned[i * rows + o] = values[o * columns + i]
    const isHalf = form.storage === 'f16'
    const bytes = encodeFloats(turned, form.storage)
    const stored = graph.tensor(tensor, isHalf ? 'float16' : 'float32', [columns, rows], bytes)
    const weight = isHalf
      ? graph.node('Cast', [stored], [`${tensor}.cast`], { attributes: { to: 1 } })
      : stored
    return graph.node('MatMul', [x, weight], [output], { name: node })
  }
  const bits = form.storage
  const { codes, scales, zeros, packed, form: blocks } = quantise(values, rows, columns, form)
  const { blocksPerRow, blockSize } = blocks
  const shape = [rows, blocksPerRow, (blockSize * bits) / 8]
  const inputs = [
    x,
    graph.tensor(`${tensor}_Q${bits}`, 'uint8', shape, codes),
    graph.tensor(
      `${tensor}_scales`,
      form.isHalf ? 'float16' : 'float32',
      [rows * blocksPerRow],
      encodeFloats(scales, form.isHalf ? 'f16' : 'f32'),
    ),
  ]
  if (blocks.zeros === 'packed')
    inputs.push(graph.tensor(`${tensor}_zero_points`, 'uint8', [packed.length], packed))
  if (blocks.zeros === 'float')
    inputs.push(graph.floats(`${tensor}_zero_points`, [rows, blocksPerRow], zeros))
  return graph.node('MatMulNBits', inputs, [output], {
    name: `${node}_Q${bits}`,
    domain: 'com.microsoft',
    attributes: { K: columns, N: rows, bits, block_size: blockSize },
  })
}
