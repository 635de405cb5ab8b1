// All rows of A of a run and their products, kept as they grow: every round of the outer loop appends a block, and
// only the new block's products are streamed. Everything above this file is algebra in n numbers.
//   X = A G⁻¹ Aᵀ (n,n),  a^(k) = A Δ_k (n)  by group of tensors (one per layer, one for the rest) and in all.
// Rows come in blocks (n_b, P) because one buffer for all would outgrow a binding.

import { EngineError } from '../../errors.ts'
import type { AlignmentRows } from '../../geometry/alignmentRows.ts'
import { type GramRequest, sumGrams } from '../../geometry/gramPass.ts'
import type { Metric } from '../../geometry/metric.ts'
import { GRAM_OVER, GRAM_PLAIN } from '../../kernels/weightedGram/weightedGram.ts'
import { type DeviceModel, paddedTensors } from '../../model/deviceModel.ts'
import { differenceRows } from '../mergeInput.ts'

/** Products of all rows over some tensors. */
export interface RowProducts {
  /** n */ count: number
  /** X = A G⁻¹ Aᵀ (n,n) row-major */ gram: Float64Array
  /** a^(k) = A Δ_k: K x (n) */ products: Float64Array[]
}

export interface RowSpaceInput {
  anchor: DeviceModel
  experts: readonly DeviceModel[]
  metric: Metric
}

/** What tensors outside of all layers (embedding, final norm, head) are called as a group. */
export const OUTSIDE_LAYERS = 'outside'

export class RowSpace {
  readonly input: RowSpaceInput
  readonly blocks: AlignmentRows[] = []
  /** first row of each block, and n at the end */
  readonly starts: number[] = [0]
  /** names of groups in order of first appearance */
  readonly groupNames: string[]
  /** group of each tensor */
  readonly groupOf: ReadonlyMap<string, number>
  readonly groups: RowProducts[]
  /** summed over all tensors, in their order */
  readonly total: RowProducts
  private readonly tensors: { name: string; count: number }[]

  constructor(input: RowSpaceInput) {
    if (input.experts.length === 0)
      throw new EngineError('request-invalid', 'a merge needs at least one expert')
    this.input = input
    const names: string[] = []
    const groupOf = new Map<string, number>()
    this.tensors = paddedTensors(input.anchor)
    for (const { spec } of input.anchor.tensors.values()) {
      const group = spec.layer === undefined ? OUTSIDE_LAYERS : `layer ${spec.layer}`
      if (!names.includes(group)) names.push(group)
      groupOf.set(spec.name, names.indexOf(group))
    }
    this.groupNames = names
    this.groupOf = groupOf
    const empty = (): RowProducts => ({
      count: 0,
      gram: new Float64Array(),
      products: input.experts.map(() => new Float64Array()),
    })
    this.groups = names.map(empty)
    this.total = empty()
  }

  /** n, rows of all blocks */
  get count(): number {
    return this.starts[this.blocks.length]
  }

  /** Adds a block and streams its products; resolves to its first row's index. The block stays the caller's. */
  async append(
    rows: AlignmentRows,
    options: { signal?: AbortSignal | undefined; onTensor?: (done: number, total: number) => void } = {},
  ): Promise<number> {
    const { anchor, experts, metric } = this.input
    const { gpu } = anchor
    const blocks = [...this.blocks, rows]
    const sums = await sumGrams(
      gpu,
      this.tensors,
      (name, _count, take) => {
        const delta = differenceRows({ anchor, experts }, name, take)
        const own = { buffer: rows.rows.get(name)!, rows: rows.count }
        const requests = blocks.map(
          (block, i): GramRequest => ({
            label: `block ${i}`,
            a: own,
            b: { buffer: block.rows.get(name)!, rows: block.count },
            mode: GRAM_OVER,
            weights: metric.diagonal.get(name)!,
          }),
        )
        requests.push({ label: 'products', a: delta, b: own, mode: GRAM_PLAIN })
        return requests
      },
      options,
    )
    const first = this.count
    const added = rows.count
    this.blocks.push(rows)
    this.starts.push(first + added)
    for (const target of [...this.groups, this.total]) grow(target, added)
    for (const { name, products } of sums.byTensor)
      for (const target of [this.groups[this.groupOf.get(name)!], this.total]) {
        blocks.forEach((block, i) => {
          addGram(target, products.get(`block ${i}`)!, first, added, this.starts[i], block.count)
        })
        const along = products.get('products')!
        target.products.forEach((sum, k) => {
          for (let j = 0; j < added; j++) sum[first + j] += along[k * added + j]
        })
      }
    return first
  }

  /** Forgets all blocks after the first `blocks`; their buffers stay the caller's. */
  truncate(blocks: number): void {
    this.blocks.length = Math.min(blocks, this.blocks.length)
    this.starts.length = this.blocks.length + 1
    for (const target of [...this.groups, this.total]) shrink(target, this.count)
  }
}

/** The products of the first `count` rows alone. */
function shrink(target: RowProducts, count: number): void {
  const n = target.count
  const gram = new Float64Array(count * count)
  for (let i = 0; i < count; i++) gram.set(target.gram.subarray(i * n, i * n + count), i * count)
  target.gram = gram
  target.products = target.products.map((row) => row.slice(0, count))
  target.count = count
}

/** Room for `added` more rows, zero. */
function grow(target: RowProducts, added: number): void {
  const [n, next] = [target.count, target.count + added]
  const gram = new Float64Array(next * next)
  for (let i = 0; i < n; i++) gram.set(target.gram.subarray(i * n, (i + 1) * n), i * next)
  target.gram = gram
  target.products = target.products.map((old) => {
    const wider = new Float64Array(next)
    wider.set(old)
    return wider
  })
  target.count = next
}

/** Adds the (rows, columns) block at (first, start) of X and, off the diagonal, its transpose. */
function addGram(
  target: RowProducts,
  block: Float64Array,
  first: number,
  rows: number,
  start: number,
  columns: number,
): void {
  const { gram, count: n } = target
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const value = block[i * columns + j]
      gram[(first + i) * n + start + j] += value
      if (start !== first) gram[(start + j) * n + first + i] += value
    }
}
