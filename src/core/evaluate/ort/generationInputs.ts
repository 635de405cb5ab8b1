// What the host computes for one run of the generation graph: positions, masks and shapes. Plain numbers, no tensors.

import type { ModelConfig } from '../../model/config.ts'
import { rotaryTables } from '../../model/rotary.ts'
import type { Precision } from './generationGraph.ts'

/**
 * One run: S new tokens of each of B sequences after P cached columns, T = P + S in all. A sequence shorter than the
 * longest has filling that nobody sees: before it in explicit attention, so that all end in the last column; after it
 * in fused attention, which counts the keys of each sequence.
 */
export interface RunShape {
  /** B */ sequences: number
  /** S */ tokens: number
  /** P */ cached: number
  /** (B) tokens of each sequence so far, these included; at most P + S */ lengths: ArrayLike<number>
}

/** Far below any score, yet finite: a sum with a score cannot overflow to -Infinity and its NaN. */
const HIDDEN: Record<Precision, number> = { f32: -1e30, f16: -30000 }

/**
 * cos and sin (rows,R/2). Row p turns position p. Longrope turns a sequence longer than the original length by other
 * angles: those are rows `capacity` + p, and there are twice as many.
 */
export function stackedTables(
  rotary: ModelConfig['rotary'],
  capacity: number,
): { cos: Float32Array; sin: Float32Array; rows: number } {
  const original = originalLength(rotary)
  const rows = original === undefined ? capacity : 2 * capacity
  const positions = Int32Array.from({ length: rows }, (_, i) => i % capacity)
  // Where no length changes the angles, any will do.
  const lengths = positions.map((_, i) => (i < capacity ? (original ?? capacity) : (original ?? 0) + 1))
  return { ...rotaryTables(rotary, positions, lengths), rows }
}

/** Length above which longrope's other angles hold; undefined: no such switch. */
export function originalLength(rotary: ModelConfig['rotary']): number | undefined {
  return rotary.scaling.kind === 'longrope' ? rotary.scaling.originalMaxPositions : undefined
}

/** Whether a sequence of `length` tokens is turned by the second half of the tables. */
export function isLong(rotary: ModelConfig['rotary'], length: number): boolean {
  return length > (originalLength(rotary) ?? Number.POSITIVE_INFINITY)
}

/** (B,S) rows of the tables, filling before the sequence; 0 for filling. */
export function tableRows(rotary: ModelConfig['rotary'], shape: RunShape, capacity: number): BigInt64Array {
  const { sequences: B, tokens: S, cached: P, lengths } = shape
  const rows = new BigInt64Array(B * S)
  for (let b = 0; b < B; b++) {
    const filling = P + S - lengths[b]
    const first = isLong(rotary, lengths[b]) ? capacity : 0
    for (let s = 0; s < S; s++) {
      const position = P + s - filling
      if (position >= 0) rows[b * S + s] = BigInt(first + position)
    }
  }
  return rows
}

/** (B,1,1,S,T), added to scores: 0 where the query (row) may see the key (column), `window` keys at most. */
export function windowMask(shape: RunShape, window: number, precision: Precision): Float32Array {
  const { sequences: B, tokens: S, cached: P, lengths } = shape
  const T = P + S
  const mask = new Float32Array(B * S * T).fill(HIDDEN[precision])
  for (let b = 0; b < B; b++) {
    const filling = T - lengths[b]
    for (let s = 0; s < S; s++) {
      const query = P + s
      // Filling sees itself: a row without any key would be no distribution.
      const first = Math.min(query, Math.max(filling, query - window + 1))
      const row = (b * S + s) * T
      mask.fill(0, row + first, row + query + 1)
    }
  }
  return mask
}
