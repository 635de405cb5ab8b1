// Block-quantised operands of onnxruntime's operators, checked against the sizes of their tensors: MatMulNBits and
// GatherBlockQuantized (onnxruntime's ContribOperators.md). What cannot be read is told by a reason.

import type { BlockForm } from './blocks.ts'
import type { OnnxModel, OnnxNode, OnnxTensor } from './proto.ts'
import { FLOATS, type Float, type Layout } from './slot.ts'

export interface BlockOperand {
  rows: number
  layout: Extract<Layout, { kind: 'blocks' }>
}

const countOf = ({ dims }: OnnxTensor): number => dims.reduce((a, b) => a * b, 1)

const isBlockForm = (bits: number, blockSize: number, columns: number, rows: number): bits is 2 | 4 | 8 =>
  (bits === 2 || bits === 4 || bits === 8) &&
  [blockSize, columns, rows].every((size) => Number.isSafeInteger(size) && size > 0) &&
  blockSize >= 16 &&
  blockSize <= 2 ** 16 &&
  Number.isInteger(Math.log2(blockSize)) &&
  Number.isSafeInteger(rows * columns)

/** B of a MatMulNBits: inputs A, B, scales, zero points, group index, bias. The reason where it cannot be read. */
export function matMulBlocks(model: OnnxModel, { inputs, attributes }: OnnxNode): BlockOperand | string {
  const columns = Number(attributes.get('K'))
  const rows = Number(attributes.get('N'))
  const blockSize = Number(attributes.get('block_size'))
  const bits = Number(attributes.get('bits') ?? 4)
  if (inputs[4]) return 'a group index (g_idx)'
  if (!isBlockForm(bits, blockSize, columns, rows))
    return `${bits} bits, blocks of ${blockSize}, ${rows} × ${columns}`
  const blocksPerRow = Math.ceil(columns / blockSize)
  return checked(model, inputs.slice(1, 4), rows, {
    bits,
    blockSize,
    columns,
    blocksPerRow,
    rowBytes: (blocksPerRow * blockSize * bits) / 8,
    isSigned: false,
    defaultZero: 2 ** (bits - 1),
  })
}

/** The table of a GatherBlockQuantized: inputs data, indices, scales, zero points. */
export function gatherBlocks(model: OnnxModel, { inputs, attributes }: OnnxNode): BlockOperand | string {
  const tensor = model.tensors.get(inputs[0] ?? '')
  if (!tensor) return 'a table that is computed'
  const isTyped = tensor.type === 'int4' || tensor.type === 'uint4'
  const bits = isTyped ? 4 : Number(attributes.get('bits') ?? 4)
  const blockSize = Number(attributes.get('block_size') ?? 128)
  const axis = Number(attributes.get('quantize_axis') ?? 1)
  const isAlongRows = Number(attributes.get('gather_axis') ?? 0) === 0 && (axis === 1 || axis === -1)
  if (tensor.dims.length !== 2 || !isAlongRows) return 'blocks that do not lie along rows'
  const [rows, stored] = tensor.dims
  const columns = isTyped ? stored : (stored * 8) / bits
  if (!(isTyped || tensor.type === 'uint8') || !isBlockForm(bits, blockSize, columns, rows))
    return `${tensor.type} of ${bits} bits, blocks of ${blockSize}, ${rows} × ${columns}`
  const blocksPerRow = Math.ceil(columns / blockSize)
  const isOdd = isTyped && inputs[3] && blocksPerRow % 2 !== 0
  if ((columns * bits) % 8 !== 0 || isOdd) return 'rows that begin inside a byte'
  const isSigned = tensor.type === 'int4'
  return checked(model, [inputs[0], inputs[2] ?? '', inputs[3] ?? ''], rows, {
    bits,
    blockSize,
    columns,
    blocksPerRow,
    rowBytes: (columns * bits) / 8,
    isSigned,
    // Bytes of packed codes count from the middle; tensors of 4-bit types from zero, signed ones from their own.
    defaultZero: isSigned || !isTyped ? 2 ** (bits - 1) : 0,
  })
}

function checked(
  model: OnnxModel,
  names: readonly string[],
  rows: number,
  form: Omit<BlockForm, 'zeros'>,
): BlockOperand | string {
  const [codes, scales, zeros] = names.map((name) => model.tensors.get(name))
  if (!codes) return 'codes that are computed'
  const scaleType = FLOATS[scales?.type ?? ''] as Float | undefined
  if (!scales || !scaleType) return 'scales that are no floats of the file'
  if (names[2] && !zeros) return 'zero points that are computed'
  const problem = codes.problem ?? scales.problem ?? zeros?.problem
  if (problem) return problem
  const blocks = rows * form.blocksPerRow
  const expected = rows * form.rowBytes
  const found = codes.place?.length
  if (found !== expected || countOf(scales) !== blocks)
    return `${found} bytes and ${countOf(scales)} scales, expected ${expected} and ${blocks}`
  const kind: BlockForm['zeros'] = !zeros ? 'none' : zeros.type === scales.type ? 'float' : 'packed'
  const zeroBytes = rows * Math.ceil((form.blocksPerRow * form.bits) / 8)
  if (zeros && (kind === 'float' ? countOf(zeros) !== blocks : zeros.place?.length !== zeroBytes))
    return `${zeros.dims.join(' × ')} zero points of ${zeros.type} for ${blocks} blocks`
  return { rows, layout: { kind: 'blocks', form: { ...form, zeros: kind }, codes, scales, scaleType, zeros } }
}
