// Alignment coordinates before and after the shield, whole and by layer and module, from what the engine summed once:
//   before  c_i = Σ_k λ_k c_i^(k)
//   after   c_i − Σ_{j ≤ m} s c_j ⟨u_i, u_j⟩_G,   s = λ/(1+λ),   u_j the own directions, c_j their coordinates
// and the same over the weights of one layer and module. Exact for AlignMerge in its plain form; other merges are
// measured as they are stored. Cutting by module is ours.

import type { MeasuredModules, ModuleSummary, RowSetName } from '../../../workers/api/probes.ts'
import type { GeometrySummary } from '../../../workers/api.ts'

export interface BeforeAfter<T> {
  before: T
  after: T
}

/** λ_k, λ_align and m: all that the closed form needs beside the geometry. */
export interface ShieldSettings {
  weights: readonly number[]
  lambdaAlign: number
  rank: number
}

export const rowSets: readonly RowSetName[] = ['own', 'heldOut', 'other']

/** c_i^(k) of a row set, by expert. */
export function coordinatesOf(geometry: GeometrySummary, which: RowSetName): readonly number[][] {
  switch (which) {
    case 'own':
      return geometry.alignmentCoordinates
    case 'heldOut':
      return geometry.heldOutCoordinates
    case 'other':
      return geometry.otherCoordinates
  }
}

/** Σ_k λ_k c^(k) of the plain barycentre. */
export function plainCoordinates(
  geometry: GeometrySummary,
  which: RowSetName,
  weights: readonly number[],
): number[] {
  const experts = coordinatesOf(geometry, which)
  return (experts[0] ?? []).map((_, i) =>
    weights.reduce((sum, weight, k) => sum + weight * (experts[k]?.[i] ?? 0), 0),
  )
}

/** Σ over cells of values (cells, size). */
export function sumCells(values: Float64Array, cells: number): number[] {
  const size = values.length / cells
  const out = new Array<number>(size).fill(0)
  values.forEach((value, at) => {
    out[at % size]! += value
  })
  return out
}

/** What the shield takes along own direction j: s c_j, and 0 beyond the rank. */
function takenOf(own: readonly number[], { lambdaAlign, rank }: ShieldSettings): number[] {
  const share = lambdaAlign / (1 + lambdaAlign)
  return own.map((value, j) => (j < rank ? share * value : 0))
}

/** Coordinates before and after the shield; `after` of directions that are not the own needs `modules`. */
export function shieldedCoordinates(
  geometry: GeometrySummary,
  modules: ModuleSummary | undefined,
  which: RowSetName,
  settings: ShieldSettings,
): { before: number[]; after: number[] | undefined } {
  const before = plainCoordinates(geometry, which, settings.weights)
  if (which === 'own') {
    const kept = 1 / (1 + settings.lambdaAlign)
    return { before, after: before.map((value, i) => (i < settings.rank ? kept * value : value)) }
  }
  if (!modules) return { before, after: undefined }
  const taken = takenOf(plainCoordinates(geometry, 'own', settings.weights), settings)
  const overlaps = sumCells(modules.overlaps[which], modules.cells.length)
  const columns = modules.ranks.own
  const after = before.map((value, i) =>
    taken.reduce((left, t, j) => left - t * (overlaps[i * columns + j] ?? 0), value),
  )
  return { before, after }
}

/** Parts (cells, m) of the coordinates before and after the shield. */
export function shieldedParts(
  geometry: GeometrySummary,
  modules: ModuleSummary,
  which: RowSetName,
  settings: ShieldSettings,
): BeforeAfter<Float64Array> {
  const before = plainParts(modules, which, settings.weights)
  const taken = takenOf(plainCoordinates(geometry, 'own', settings.weights), settings)
  const columns = modules.ranks.own
  const overlaps = modules.overlaps[which]
  const after = before.map((value, at) => {
    let left = value
    for (let j = 0; j < columns; j++) left -= (taken[j] ?? 0) * overlaps[at * columns + j]!
    return left
  })
  return { before, after }
}

/** Parts (cells, m) of the plain barycentre's coordinates. */
export function plainParts(
  modules: ModuleSummary,
  which: RowSetName,
  weights: readonly number[],
): Float64Array {
  const parts = modules.parts[which]
  return parts[0]!.map((_, at) => weights.reduce((sum, weight, k) => sum + weight * parts[k]![at]!, 0))
}

/** Parts of a merge as it is stored. */
export const storedParts = (measured: MeasuredModules, which: RowSetName): Float64Array =>
  measured.parts[which][0]!

/** (Σ_{i ≤ rank} part_i²)^½ of each cell: how far the cell moves along all directions, whatever their signs. */
export function cellNorms(parts: Float64Array, cells: number, rank: number): number[] {
  const size = parts.length / cells
  return Array.from({ length: cells }, (_, cell) =>
    Math.hypot(...parts.subarray(cell * size, cell * size + Math.min(rank, size))),
  )
}

/** Part of one direction in each cell. */
export function cellValues(parts: Float64Array, cells: number, direction: number): number[] {
  const size = parts.length / cells
  return Array.from({ length: cells }, (_, cell) => parts[cell * size + direction] ?? 0)
}
