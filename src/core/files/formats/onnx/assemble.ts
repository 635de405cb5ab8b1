// Slots of the graph to the weights of the family: same module, or parts of a fused one. The builder fuses q, k and v
// where Hugging Face has three and splits gate and up where Hugging Face has one; Phi-3 has it the other way round.

import { EngineError } from '../../../errors.ts'
import type { ModelConfig } from '../../../model/config.ts'
import { listWeights } from '../../../model/families/decoder.ts'
import { computedWeight, contiguousWeight, type StoredWeight } from '../../storedWeight.ts'
import { FLOAT_BYTES, type Locate, readRows, type Slot, slotBytes } from './slot.ts'

/** Rows [row, row + rows) of a weight are rows [slotRow, slotRow + rows) of a slot. */
export interface Piece {
  slot: Slot
  row: number
  slotRow: number
  rows: number
}

export interface MappedWeight {
  name: string
  shape: readonly number[]
  /** cover the rows once, in order */
  pieces: Piece[]
  /** other slots that hold the same weight and are written with it: the head of tied models, copies in branches */
  copies: Piece[]
}

/** Elements of one read where a matrix lies transposed: each read goes through all of it. */
const TRANSPOSED_GRANULE = 2 ** 23

/** Parts of fused modules in rows, as both sides name them. */
function fusions(config: ModelConfig): { whole: string; parts: readonly (readonly [string, number])[] }[] {
  const { headCount: H, kvHeadCount: G, headSize: D, intermediateSize: I } = config
  return [
    {
      whole: 'self_attn.qkv_proj',
      parts: [
        ['self_attn.q_proj', H * D],
        ['self_attn.k_proj', G * D],
        ['self_attn.v_proj', G * D],
      ],
    },
    {
      whole: 'mlp.gate_up_proj',
      parts: [
        ['mlp.gate_proj', I],
        ['mlp.up_proj', I],
      ],
    },
  ]
}

/** The weights of the family that the slots hold; `shape-mismatch` where parts do not add up. */
export function mapSlots(config: ModelConfig, slots: readonly Slot[]): Map<string, MappedWeight> {
  const byName = new Map<string, Slot[]>()
  for (const slot of slots) {
    const name = `${slot.module}.${slot.part}`
    const known = byName.get(name)
    if (known) known.push(slot)
    else byName.set(name, [slot])
  }
  const mapped = new Map<string, MappedWeight>()
  for (const { name, shape } of listWeights(config)) {
    const sets = [...(byName.get(name) ?? []).map((slot) => [whole(slot)])]
    if (sets.length === 0) sets.push(...viaFusion(config, byName, name))
    if (name === 'model.embed_tokens.weight' && config.tied)
      sets.push(...(byName.get('lm_head.weight') ?? []).map((slot) => [whole(slot)]))
    const [pieces, ...copies] = sets
    if (!pieces) continue
    for (const set of sets) assertShape(name, shape, set)
    mapped.set(name, { name, shape, pieces, copies: copies.flat() })
  }
  return mapped
}

const whole = (slot: Slot): Piece => ({ slot, row: 0, slotRow: 0, rows: slot.rows })

function viaFusion(config: ModelConfig, byName: ReadonlyMap<string, Slot[]>, name: string): Piece[][] {
  for (const { whole: fused, parts } of fusions(config)) {
    if (name.includes(`.${fused}.`)) {
      const slots = parts.map(([part]) => byName.get(name.replace(`.${fused}.`, `.${part}.`))?.[0])
      if (slots.some((slot) => slot === undefined)) return []
      let row = 0
      return [
        (slots as Slot[]).map((slot) => {
          const piece = { slot, row, slotRow: 0, rows: slot.rows }
          row += slot.rows
          return piece
        }),
      ]
    }
    let slotRow = 0
    for (const [part, rows] of parts) {
      if (name.includes(`.${part}.`))
        return (byName.get(name.replace(`.${part}.`, `.${fused}.`)) ?? []).map((slot) => [
          { slot, row: 0, slotRow, rows },
        ])
      slotRow += rows
    }
  }
  return []
}

function assertShape(name: string, shape: readonly number[], pieces: readonly Piece[]): void {
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0)
  const [{ slot }] = pieces
  const isInside = pieces.every((piece) => piece.slotRow + piece.rows <= piece.slot.rows)
  const sameWidth = pieces.every((piece) => piece.slot.columns === (shape[1] ?? 1))
  if (rows === shape[0] && isInside && sameWidth) return
  const found = pieces.map((piece) => `[${piece.slot.rows}${slot.isVector ? '' : `,${piece.slot.columns}`}]`)
  throw new EngineError('shape-mismatch', `found ${found.join(' + ')}, expected [${shape}]`, { tensor: name })
}

/** Rows [begin, begin + count) of a weight, whichever slots they lie in. */
export async function readMapped(
  pieces: readonly Piece[],
  columns: number,
  locate: Locate,
  begin: number,
  count: number,
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  const out = new Float32Array(count * columns)
  for (const { slot, row, slotRow, rows } of pieces) {
    const from = Math.max(begin, row)
    const to = Math.min(begin + count, row + rows)
    if (from >= to) continue
    const values = await readRows(slot, locate, slotRow + from - row, to - from, signal)
    out.set(values, (from - begin) * columns)
  }
  return out
}

/** A mapped weight as the engine reads weights. */
export function storedWeightOf({ name, shape, pieces }: MappedWeight, locate: Locate): StoredWeight {
  const columns = shape[1] ?? 1
  const [{ slot, slotRow }] = pieces
  const { layout } = slot
  const isTransposed = pieces.some(
    (piece) => piece.slot.layout.kind === 'plain' && piece.slot.layout.order === 'in-out',
  )
  if (pieces.length === 1 && layout.kind === 'plain' && !isTransposed && slot.shift === 0) {
    const place = layout.tensor.place!
    const offset = place.offset + slotRow * columns * FLOAT_BYTES[layout.type]
    return contiguousWeight(locate(place), {
      name,
      shape,
      encoding: layout.type,
      offset,
      storage: slot.storage,
    })
  }
  const storages = [...new Set(pieces.map((piece) => piece.slot.storage))]
  const bytes = pieces.reduce(
    (sum, piece) => sum + Math.round((slotBytes(piece.slot) * piece.rows) / piece.slot.rows),
    0,
  )
  const rowsPerRead = isTransposed ? Math.max(1, Math.floor(TRANSPOSED_GRANULE / columns)) : 1
  const place = (layout.kind === 'plain' ? layout.tensor : layout.codes).place!
  return computedWeight(
    {
      name,
      shape,
      storage: storages.join(' and '),
      byteLength: bytes,
      granule: rowsPerRead * columns,
      where: { file: locate(place).name, offset: place.offset },
    },
    (begin, count, signal) => readMapped(pieces, columns, locate, begin / columns, count / columns, signal),
  )
}
