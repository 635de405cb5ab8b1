// Weights in blocks along a row: codes of 2, 4 or 8 bits, one scale a block, perhaps one zero point a block:
//   w = (code - zero) · scale.
// Definition: MatMulNBits and GatherBlockQuantized in onnxruntime's ContribOperators.md. Low bits of a byte come first.
// Signed codes are read as unsigned ones with a zero point 2^(bits-1) higher, which is the same number.

export interface BlockForm {
  bits: 2 | 4 | 8
  blockSize: number
  columns: number
  blocksPerRow: number
  /** of the codes of one row, padding included */
  rowBytes: number
  isSigned: boolean
  /** none: `defaultZero` for all; packed: codes as the weights', rows padded to bytes; float: of the scales' type */
  zeros: 'none' | 'packed' | 'float'
  /** zero point, as an unsigned code, where the file has none */
  defaultZero: number
}

/** Scales and zero points (rows, blocksPerRow) of some rows; zero points as unsigned codes. */
export interface BlockParameters {
  scales: Float32Array
  zeros: Float32Array
}

/** Bytes that the packed zero points of one row take. */
export const zeroRowBytes = ({ bits, blocksPerRow }: BlockForm): number =>
  Math.ceil((blocksPerRow * bits) / 8)

/** `count` unsigned codes from byte `at` on. */
export function unpackCodes(
  { bits, isSigned }: BlockForm,
  bytes: Uint8Array,
  at: number,
  count: number,
): Uint8Array {
  const perByte = 8 / bits
  const mask = 2 ** bits - 1
  const flip = isSigned ? 2 ** (bits - 1) : 0
  const codes = new Uint8Array(count)
  for (let i = 0; i < count; i++)
    codes[i] = ((bytes[at + Math.floor(i / perByte)] >>> (bits * (i % perByte))) & mask) ^ flip
  return codes
}

/** The opposite; bits of the last byte that no code takes stay as they are. */
export function packCodes(
  { bits, isSigned }: BlockForm,
  codes: Uint8Array,
  bytes: Uint8Array,
  at: number,
): void {
  const perByte = 8 / bits
  const mask = 2 ** bits - 1
  const flip = isSigned ? 2 ** (bits - 1) : 0
  codes.forEach((code, i) => {
    const byte = at + Math.floor(i / perByte)
    const shift = bits * (i % perByte)
    bytes[byte] = (bytes[byte] & ~(mask << shift)) | ((code ^ flip) << shift)
  })
}

/** Values (rows, columns) of packed rows. */
export function decodeRows(
  form: BlockForm,
  packed: Uint8Array,
  { scales, zeros }: BlockParameters,
  rows: number,
): Float32Array<ArrayBuffer> {
  const { columns, blockSize, blocksPerRow, rowBytes } = form
  const out = new Float32Array(rows * columns)
  for (let row = 0; row < rows; row++) {
    const codes = unpackCodes(form, packed, row * rowBytes, columns)
    for (let column = 0; column < columns; column++) {
      const block = row * blocksPerRow + Math.floor(column / blockSize)
      out[row * columns + column] = (codes[column] - zeros[block]) * scales[block]
    }
  }
  return out
}

/** How a scale is rounded when it is stored. */
export type RoundScale = (scale: number) => number

/**
 * Codes and parameters of values (rows, columns). Of each block the scale and zero point with the least squared error
 * among: the file's own (so that what did not change is written as it was), the ends of the block's range put on the
 * first and last code, and without zero points of its own the same with the sign of the scale turned. `packed` is
 * overwritten, its padding kept; `parameters` holds the file's own and is overwritten.
 */
export function encodeRows(
  form: BlockForm,
  values: Float32Array,
  parameters: BlockParameters,
  packed: Uint8Array,
  rows: number,
  round: RoundScale,
): void {
  const { columns, blockSize, blocksPerRow, rowBytes } = form
  const codes = new Uint8Array(columns)
  const scratch = new Uint8Array(blockSize)
  for (let row = 0; row < rows; row++) {
    for (let b = 0; b < blocksPerRow; b++) {
      const begin = b * blockSize
      const end = Math.min(columns, begin + blockSize)
      const block = values.subarray(row * columns + begin, row * columns + end)
      const at = row * blocksPerRow + b
      let least = Number.POSITIVE_INFINITY
      for (const { scale, zero } of candidates(form, block, parameters, at, round)) {
        const error = quantise(form, block, scale, zero, scratch)
        if (error >= least) continue
        least = error
        parameters.scales[at] = scale
        parameters.zeros[at] = zero
        codes.set(scratch.subarray(0, end - begin), begin)
      }
    }
    packCodes(form, codes, packed, row * rowBytes)
  }
}

function candidates(
  { bits, zeros: kind, defaultZero }: BlockForm,
  block: Float32Array,
  parameters: BlockParameters,
  at: number,
  round: RoundScale,
): { scale: number; zero: number }[] {
  const top = 2 ** bits - 1
  let low = 0
  let high = 0
  for (const value of block) {
    if (value < low) low = value
    if (value > high) high = value
  }
  const own = { scale: parameters.scales[at], zero: parameters.zeros[at] }
  if (kind === 'none') {
    // Codes below the zero point reach down to -zero · scale, those above up to (top - zero) · scale.
    const cover = (down: number, up: number) =>
      Math.max(defaultZero > 0 ? down / defaultZero : 0, defaultZero < top ? up / (top - defaultZero) : 0)
    const straight = round(cover(-low, high))
    const turned = round(-cover(high, -low))
    return [own, { scale: straight, zero: defaultZero }, { scale: turned, zero: defaultZero }]
  }
  const scale = round((high - low) / top)
  const exact = scale === 0 ? 0 : -low / scale
  const zero = kind === 'packed' ? Math.min(top, Math.max(0, Math.round(exact))) : round(exact)
  return [own, { scale, zero }]
}

/** Nearest codes of a block into `codes`; the squared error. */
function quantise(
  { bits }: BlockForm,
  block: Float32Array,
  scale: number,
  zero: number,
  codes: Uint8Array,
): number {
  const top = 2 ** bits - 1
  let error = 0
  for (let i = 0; i < block.length; i++) {
    const wanted = scale === 0 ? zero : block[i] / scale + zero
    const code = Math.min(top, Math.max(0, Math.round(wanted)))
    codes[i] = code
    // As it will be read: rounded, so that what the file holds already has no error at all.
    error += (block[i] - Math.fround((code - zero) * scale)) ** 2
  }
  return error
}
