// A slot: one weight of the graph as its nodes use it, read and written in rows of Hugging Face's order [out, in],
// whatever the layout in the file. Which slot is which weight is names.ts and assemble.ts.

import { EngineError, throwIfCancelled } from '../../../errors.ts'
import { fromBf16, fromF16, toBf16, toF16 } from '../../../tensors/dtype.ts'
import { decodeValues, type ScalarEncoding } from '../../../tensors/encoding.ts'
import type { ByteSource } from '../../source.ts'
import { type BlockForm, decodeRows, encodeRows, packCodes, unpackCodes, zeroRowBytes } from './blocks.ts'
import type { OnnxNode, OnnxTensor, TensorPlace } from './proto.ts'

/** Element types of plain weights and of scales. */
export const FLOATS: Readonly<Record<string, ScalarEncoding>> = {
  float32: 'f32',
  float16: 'f16',
  bfloat16: 'bf16',
  float64: 'f64',
}
export const FLOAT_BYTES = { f32: 4, f16: 2, bf16: 2, f64: 8 } as const
export type Float = keyof typeof FLOAT_BYTES

export type Layout =
  /** `out-in`: as Hugging Face has it; `in-out`: transposed; vectors are `out-in` of one column */
  | { kind: 'plain'; tensor: OnnxTensor; type: Float; order: 'out-in' | 'in-out' }
  | {
      kind: 'blocks'
      form: BlockForm
      codes: OnnxTensor
      scales: OnnxTensor
      scaleType: Float
      zeros: OnnxTensor | undefined
    }

export interface Slot {
  /** as Hugging Face names the module: `model.layers.0.self_attn.q_proj` */
  module: string
  part: 'weight' | 'bias'
  rows: number
  columns: number
  isVector: boolean
  layout: Layout
  /** what the file's values have in excess of Hugging Face's: 1 where a norm's offset is folded in */
  shift: number
  /** for people: F16, `int4, blocks of 32` */
  storage: string
  /** the first node that uses it */
  node: OnnxNode
}

/** The file that a place is in. */
export type Locate = (place: TensorPlace) => ByteSource

/** New bytes of a range of a file. */
export interface Patch {
  place: TensorPlace
  bytes: Uint8Array<ArrayBuffer>
}

/** Bytes read at once where a transposed matrix is gone through. */
const STRIP_BYTES = 2 ** 22

const cut = (tensor: OnnxTensor, from: number, length: number): TensorPlace => ({
  location: tensor.place!.location,
  offset: tensor.place!.offset + from,
  length,
})

const readPlace = (locate: Locate, place: TensorPlace, signal?: AbortSignal) =>
  locate(place).read(place.offset, place.length, signal)

export function encodeFloats(values: Float32Array, type: Float): Uint8Array<ArrayBuffer> {
  if (type === 'f32') return new Uint8Array(values.slice().buffer)
  if (type === 'f64') return new Uint8Array(Float64Array.from(values).buffer)
  const convert = type === 'f16' ? toF16 : toBf16
  return new Uint8Array(Uint16Array.from(values, convert).buffer)
}

const rounder = (type: Float) => (value: number) =>
  type === 'f16' ? fromF16(toF16(value)) : type === 'bf16' ? fromBf16(toBf16(value)) : Math.fround(value)

/** Bytes of the slot in its files. */
export function slotBytes({ layout }: Slot): number {
  if (layout.kind === 'plain') return layout.tensor.place!.length
  return [layout.codes, layout.scales, layout.zeros].reduce(
    (sum, tensor) => sum + (tensor?.place?.length ?? 0),
    0,
  )
}

/** Rows [begin, begin + count) as Hugging Face has them (count, columns). */
export async function readRows(
  slot: Slot,
  locate: Locate,
  begin: number,
  count: number,
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  const values = await readStored(slot, locate, begin, count, signal)
  if (slot.shift !== 0) for (let i = 0; i < values.length; i++) values[i] -= slot.shift
  return values
}

async function readStored(
  { layout, rows, columns }: Slot,
  locate: Locate,
  begin: number,
  count: number,
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  if (layout.kind === 'blocks') {
    const { packed, parameters } = await readBlocks(layout, locate, begin, count, signal)
    return decodeRows(layout.form, packed, parameters, count)
  }
  const { tensor, type, order } = layout
  const size = FLOAT_BYTES[type]
  if (order === 'out-in') {
    const place = cut(tensor, begin * columns * size, count * columns * size)
    return decodeValues({ bytes: await readPlace(locate, place, signal), encoding: type })
  }
  const out = new Float32Array(count * columns)
  const strip = Math.max(1, Math.floor(STRIP_BYTES / (rows * size)))
  for (let from = 0; from < columns; from += strip) {
    const height = Math.min(strip, columns - from)
    const place = cut(tensor, from * rows * size, height * rows * size)
    const values = decodeValues({ bytes: await readPlace(locate, place, signal), encoding: type })
    for (let i = 0; i < height; i++)
      for (let o = 0; o < count; o++) out[o * columns + from + i] = values[i * rows + begin + o]
  }
  return out
}

type Blocks = Extract<Layout, { kind: 'blocks' }>

const blockPlaces = ({ form, codes, scales, scaleType, zeros }: Blocks, begin: number, count: number) => {
  const size = FLOAT_BYTES[scaleType]
  const scaleRow = form.blocksPerRow * size
  const zeroRow = form.zeros === 'float' ? scaleRow : zeroRowBytes(form)
  return {
    codes: cut(codes, begin * form.rowBytes, count * form.rowBytes),
    scales: cut(scales, begin * scaleRow, count * scaleRow),
    zeros: zeros && cut(zeros, begin * zeroRow, count * zeroRow),
  }
}

async function readBlocks(
  layout: Blocks,
  locate: Locate,
  begin: number,
  count: number,
  signal?: AbortSignal,
) {
  const { form, scaleType } = layout
  const places = blockPlaces(layout, begin, count)
  const packed = await readPlace(locate, places.codes, signal)
  const scaleBytes = await readPlace(locate, places.scales, signal)
  const scales = decodeValues({ bytes: scaleBytes, encoding: scaleType })
  const zeroBytes = places.zeros && (await readPlace(locate, places.zeros, signal))
  let zeros = new Float32Array(count * form.blocksPerRow).fill(form.defaultZero)
  if (zeroBytes && form.zeros === 'float') {
    // Floats count from the unsigned codes as they are.
    zeros = decodeValues({ bytes: zeroBytes, encoding: scaleType })
  } else if (zeroBytes)
    for (let row = 0; row < count; row++)
      zeros.set(
        unpackCodes(form, zeroBytes, row * zeroRowBytes(form), form.blocksPerRow),
        row * form.blocksPerRow,
      )
  return { packed, parameters: { scales, zeros }, places, zeroBytes }
}

/** What writing a slot's rows came to. */
export interface Encoded {
  patches: Patch[]
  /** the rows as the patches will be read (count, columns) */
  stored: Float32Array
}

/**
 * Patches that put `values` (count, columns) into rows [begin, begin + count), in the layout of the file.
 * `not-finite` where a value leaves the range of the file's type.
 */
export async function encodeSlot(
  slot: Slot,
  locate: Locate,
  begin: number,
  values: Float32Array,
  signal?: AbortSignal,
): Promise<Encoded> {
  const { layout, columns, shift } = slot
  throwIfCancelled(signal)
  const count = values.length / columns
  const shifted = shift === 0 ? values : values.map((value) => value + shift)
  const encoded =
    layout.kind === 'plain'
      ? encodePlain(slot, layout, begin, shifted)
      : await encodeBlocks(layout, locate, begin, count, shifted, signal)
  const bad = encoded.stored.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0)
    throw new EngineError('not-finite', `${values[bad]} has no place in ${slot.storage}`, {
      tensor: `${slot.module}.${slot.part}`,
    })
  if (shift !== 0) encoded.stored = encoded.stored.map((value) => value - shift)
  return encoded
}

function encodePlain(
  { rows, columns }: Slot,
  { tensor, type, order }: Extract<Layout, { kind: 'plain' }>,
  begin: number,
  values: Float32Array,
): Encoded {
  const size = FLOAT_BYTES[type]
  const count = values.length / columns
  const stored = decodeValues({ bytes: encodeFloats(values, type), encoding: type })
  if (order === 'out-in') {
    const bytes = encodeFloats(values, type)
    return { patches: [{ place: cut(tensor, begin * columns * size, bytes.length), bytes }], stored }
  }
  const turned = new Float32Array(values.length)
  for (let o = 0; o < count; o++)
    for (let i = 0; i < columns; i++) turned[i * count + o] = values[o * columns + i]
  const bytes = encodeFloats(turned, type)
  if (count === rows) return { patches: [{ place: cut(tensor, 0, bytes.length), bytes }], stored }
  // Some rows are some columns of every line of the file.
  const patches = Array.from({ length: columns }, (_, i) => ({
    place: cut(tensor, (i * rows + begin) * size, count * size),
    bytes: bytes.slice(i * count * size, (i + 1) * count * size),
  }))
  return { patches, stored }
}

async function encodeBlocks(
  layout: Blocks,
  locate: Locate,
  begin: number,
  count: number,
  values: Float32Array,
  signal?: AbortSignal,
): Promise<Encoded> {
  const { form, scaleType } = layout
  const { packed, parameters, places, zeroBytes } = await readBlocks(layout, locate, begin, count, signal)
  encodeRows(form, values, parameters, packed, count, rounder(scaleType))
  const patches: Patch[] = [
    { place: places.codes, bytes: packed },
    { place: places.scales, bytes: encodeFloats(parameters.scales, scaleType) },
  ]
  if (places.zeros && zeroBytes) {
    if (form.zeros === 'float')
      patches.push({ place: places.zeros, bytes: encodeFloats(parameters.zeros, scaleType) })
    else {
      for (let row = 0; row < count; row++) {
        const own = parameters.zeros.subarray(row * form.blocksPerRow, (row + 1) * form.blocksPerRow)
        packCodes(form, Uint8Array.from(own), zeroBytes, row * zeroRowBytes(form))
      }
      patches.push({ place: places.zeros, bytes: zeroBytes })
    }
  }
  return { patches, stored: decodeRows(form, packed, parameters, count) }
}
