// Where in the network an alignment coordinate comes from: c_i = Σ over weights j of u_ij g_j δ_j is a sum, so it can
// be cut into cells of one layer and one kind of weight (q, k, v, …). Each cell's part of the plain barycentre is
// linear in the expert weights, and what the shield takes from it is linear in the own coordinates:
//   part_i(δ*) = Σ_k λ_k parts_k,i − Σ_j s_j c_j overlap_ij,   overlap_ij = Σ_{weights of the cell} u_i g u_j,
// so every λ_k, λ_align and m follows on the page from these numbers alone. Both cuts are ours; the paper cuts nothing.
// The overlaps with the own directions sum to the identity (U is G-orthonormal), with the others to ⟨u'_i, u_j⟩_G.

import type { AlignmentRows } from '../geometry/alignmentRows.ts'
import { type GramRequest, sumGrams } from '../geometry/gramPass.ts'
import { type AlignmentBasis, alignmentCoordinates } from '../geometry/sampleSpace.ts'
import { GRAM_OVER, GRAM_PLAIN } from '../kernels/weightedGram/weightedGram.ts'
import { differenceRows } from '../merge/mergeInput.ts'
import { type DeviceModel, paddedTensors } from '../model/deviceModel.ts'
import type { WeightSpec } from '../model/families/family.ts'
import { type Geometry, ROW_SETS, type RowSetName } from './geometry.ts'

/** Kinds of weights in the order of the forward pass; `qkv` and `gate, up` where a family stores them fused. */
export const MODULES = [
  'embed',
  'norm',
  'q',
  'k',
  'v',
  'qkv',
  'o',
  'gate',
  'up',
  'gate, up',
  'down',
  'head',
] as const
export type ModuleName = (typeof MODULES)[number]

/** Weights that are counted together. */
export interface ModuleCell {
  /** null outside the layers */ layer: number | null
  module: ModuleName
}

export interface ModuleParts {
  cells: ModuleCell[]
  /** by row set and model: (cells, m) row-major, part of c_i in each cell */
  parts: Record<RowSetName, Float64Array[]>
}

export interface ModuleCoordinates extends ModuleParts {
  /** by row set: (cells, m of the set, m of the own set) row-major */
  overlaps: Record<RowSetName, Float64Array>
}

export interface ModuleOptions {
  signal?: AbortSignal | undefined
  /** in tensors */ onProgress?: ((done: number, total: number) => void) | undefined
}

const PROJECTIONS: readonly (readonly [part: string, module: ModuleName])[] = [
  ['.qkv_proj.', 'qkv'],
  ['.q_proj.', 'q'],
  ['.k_proj.', 'k'],
  ['.v_proj.', 'v'],
  ['.o_proj.', 'o'],
  ['.gate_up_proj.', 'gate, up'],
  ['.gate_proj.', 'gate'],
  ['.up_proj.', 'up'],
  ['.down_proj.', 'down'],
]

/** Which kind a weight is of; a projection's bias goes with it. */
export function moduleOf({ name, role }: Pick<WeightSpec, 'name' | 'role'>): ModuleName {
  if (role === 'embedding') return 'embed'
  if (role === 'head') return 'head'
  return PROJECTIONS.find(([part]) => name.includes(part))?.[1] ?? 'norm'
}

/** Tensors of a model by cell: outside the layers first, then layer by layer, each in the order of `MODULES`. */
function cellsOf(model: DeviceModel): { cells: ModuleCell[]; cellOf: Map<string, number> } {
  const found = [...model.tensors.values()].map(({ spec }) => ({
    name: spec.name,
    layer: spec.layer ?? null,
    module: moduleOf(spec),
  }))
  const key = ({ layer, module }: ModuleCell) => (layer ?? -1) * MODULES.length + MODULES.indexOf(module)
  const cells = new Map(found.map(({ layer, module }) => [key({ layer, module }), { layer, module }]))
  const order = [...cells.keys()].sort((a, b) => a - b)
  return {
    cells: order.map((at) => cells.get(at)!),
    cellOf: new Map(found.map((tensor) => [tensor.name, order.indexOf(key(tensor))])),
  }
}

/** W'ᵀ X W (m', m) of a cell's cross Gram X = A' G⁻¹ Aᵀ (n', n). */
function overlapOf(left: AlignmentBasis, right: AlignmentBasis, cross: Float64Array): Float64Array {
  const out = new Float64Array(left.rank * right.rank)
  const column = new Float64Array(left.n)
  for (let j = 0; j < right.rank; j++) {
    for (let r = 0; r < left.n; r++) {
      let sum = 0
      for (let q = 0; q < right.n; q++) sum += cross[r * right.n + q] * right.rows[j * right.n + q]
      column[r] = sum
    }
    const along = alignmentCoordinates(left, column)
    for (let i = 0; i < left.rank; i++) out[i * right.rank + j] = along[i]
  }
  return out
}

interface Summed {
  cells: ModuleCell[]
  /** sums of a label's products over the tensors of each cell */
  of: (label: string) => Float64Array[]
}

/** One pass over all tensors: A Δ of each model and row set, and with `hasCross` A' G⁻¹ Aᵀ of each row set. */
async function sumCells(
  { input: { anchor, metric, rows } }: Geometry,
  models: readonly DeviceModel[],
  hasCross: boolean,
  { signal, onProgress }: ModuleOptions,
): Promise<Summed> {
  const { gpu } = anchor
  const { cells, cellOf } = cellsOf(anchor)
  const tensors = paddedTensors(anchor)
  const sums = await sumGrams(
    gpu,
    tensors,
    (name, _count, take) => {
      const delta = differenceRows({ anchor, experts: models }, name, take)
      const setOf = (set: AlignmentRows) => ({ buffer: set.rows.get(name)!, rows: set.count })
      const weights = metric.diagonal.get(name)!
      return ROW_SETS.flatMap((which): GramRequest[] => {
        const set = setOf(rows[which])
        const products: GramRequest = { label: `${which}/products`, a: delta, b: set, mode: GRAM_PLAIN }
        if (!hasCross) return [products]
        return [products, { label: `${which}/cross`, a: set, b: setOf(rows.own), mode: GRAM_OVER, weights }]
      })
    },
    { signal, ...(onProgress && { onTensor: onProgress }) },
  )
  const of = (label: string) => {
    const out = cells.map(() => new Float64Array(sums.total.get(label)!.length))
    for (const { name, products } of sums.byTensor) {
      const cell = out[cellOf.get(name)!]
      products.get(label)!.forEach((value, i) => {
        cell[i] += value
      })
    }
    return out
  }
  return { cells, of }
}

/** (cells, m) of each model from its row products by cell. */
function partsOf({ bases }: Geometry, { of }: Summed, models: number): Record<RowSetName, Float64Array[]> {
  const entries = ROW_SETS.map((which): [RowSetName, Float64Array[]] => {
    const basis = bases[which]
    const byCell = of(`${which}/products`)
    const parts = Array.from({ length: models }, (_, k) => {
      const out = new Float64Array(byCell.length * basis.rank)
      byCell.forEach((products, cell) => {
        const a = products.subarray(k * basis.n, (k + 1) * basis.n)
        out.set(alignmentCoordinates(basis, a), cell * basis.rank)
      })
      return out
    })
    return [which, parts]
  })
  return Object.fromEntries(entries) as Record<RowSetName, Float64Array[]>
}

/** Parts of the experts' coordinates by cell, and what the shield of each own direction takes from them. */
export async function moduleCoordinates(
  geometry: Geometry,
  options: ModuleOptions = {},
): Promise<ModuleCoordinates> {
  const { experts } = geometry.input
  const summed = await sumCells(geometry, experts, true, options)
  const overlaps = ROW_SETS.map((which): [RowSetName, Float64Array] => {
    const { [which]: left, own } = geometry.bases
    const size = left.rank * own.rank
    const cross = summed.of(`${which}/cross`)
    const out = new Float64Array(cross.length * size)
    cross.forEach((values, cell) => {
      out.set(overlapOf(left, own, values), cell * size)
    })
    return [which, out]
  })
  return {
    cells: summed.cells,
    parts: partsOf(geometry, summed, experts.length),
    overlaps: Object.fromEntries(overlaps) as Record<RowSetName, Float64Array>,
  }
}

/** The same parts of any model as it is stored, rounding included, whatever method made it. */
export async function measureModules(
  geometry: Geometry,
  model: DeviceModel,
  options: ModuleOptions = {},
): Promise<ModuleParts> {
  const summed = await sumCells(geometry, [model], false, options)
  return { cells: summed.cells, parts: partsOf(geometry, summed, 1) }
}
