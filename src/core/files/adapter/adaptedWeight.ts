// A weight with an adapter on it, worked out row by row when it is read: W + s·B·A, or with DoRA
// m ⊙ (W + s·B·A) / ‖W + s·B·A‖ by row (arXiv 2402.09353, equation 5). Sums in float64, rounded once to float32.

import { EngineError } from '../../errors.ts'
import { computedWeight, readElements, type StoredWeight } from '../storedWeight.ts'

/** A change of rows [firstRow, firstRow + rowCount) of a weight. */
export interface LowRankPatch {
  firstRow: number
  rowCount: number
  rank: number
  scale: number
  /** Rows of the left factor: (count, rank), from a row counted from firstRow. */
  left(begin: number, count: number, signal?: AbortSignal): Promise<Float32Array>
  /** (rank, columns) */
  right(signal?: AbortSignal): Promise<Float32Array>
  /** m of rows counted from firstRow */
  magnitude?: (begin: number, count: number, signal?: AbortSignal) => Promise<Float32Array>
  byteLength: number
}

/** The weight [rows, columns] with its patches, which share no row. */
export function adaptedWeight(base: StoredWeight, patches: readonly LowRankPatch[]): StoredWeight {
  const [rows, columns] = base.shape
  const kind = patches.some(({ magnitude }) => magnitude) ? 'DoRA' : 'LoRA'
  const ranks = [...new Set(patches.map(({ rank }) => rank))].join(', ')
  const about = {
    name: base.name,
    shape: base.shape,
    storage: `${base.storage} + ${kind} rank ${ranks}`,
    byteLength: base.byteLength + patches.reduce((sum, patch) => sum + patch.byteLength, 0),
    granule: columns,
    ...(base.where && { where: base.where }),
  }
  return computedWeight(about, async (begin, count, signal) => {
    const values = await readElements(base, begin, count, signal)
    const first = begin / columns
    const end = Math.min(rows, first + count / columns)
    for (const patch of patches) {
      const from = Math.max(first, patch.firstRow)
      const to = Math.min(end, patch.firstRow + patch.rowCount)
      if (from >= to) continue
      const part = values.subarray((from - first) * columns, (to - first) * columns)
      await addPatch(part, columns, patch, from - patch.firstRow, base.name, signal)
    }
    return values
  })
}

/** Adds a patch to rows of float32 values (count, columns), the first of which is row `begin` of the patch. */
async function addPatch(
  values: Float32Array,
  columns: number,
  patch: LowRankPatch,
  begin: number,
  tensor: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { rank, scale } = patch
  const count = values.length / columns
  const left = await patch.left(begin, count, signal)
  const right = await patch.right(signal)
  const magnitude = await patch.magnitude?.(begin, count, signal)
  const row = new Float64Array(columns)
  for (let i = 0; i < count; i++) {
    const out = values.subarray(i * columns, (i + 1) * columns)
    row.set(out)
    for (let k = 0; k < rank; k++) {
      const share = scale * left[i * rank + k]
      const from = k * columns
      for (let j = 0; j < columns; j++) row[j] += share * right[from + j]
    }
    if (magnitude) {
      let sum = 0
      for (let j = 0; j < columns; j++) sum += row[j] * row[j]
      if (sum === 0)
        throw new EngineError(
          'not-finite',
          `row ${patch.firstRow + begin + i} is zero: DoRA divides by its length`,
          {
            tensor,
          },
        )
      const factor = magnitude[i] / Math.sqrt(sum)
      for (let j = 0; j < columns; j++) row[j] *= factor
    }
    out.set(row)
  }
}
