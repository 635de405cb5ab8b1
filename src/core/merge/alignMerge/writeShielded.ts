// Writes θ = θ_IT + scale · δ̄ − G⁻¹Aᵀb for rows in blocks and b by part. One block and scale 1 is the same single
// pass as the closed form's, bit for bit; further blocks are taken off δ̄ first, in float32.

import type { Metric } from '../../geometry/metric.ts'
import { writeMerge } from '../../kernels/mergeStep/mergeStep.ts'
import { type DeviceModel, paddedCount } from '../../model/deviceModel.ts'
import { assertSameStorage, encodeBarycentre, type MergeInput } from '../mergeInput.ts'
import type { RowSpace } from './rowSpace.ts'

/** δ in coordinates: scale · δ̄ − G⁻¹Aᵀb, b (n) one for all tensors or one for each group of the row space. */
export interface Displacement {
  scale: number
  b: readonly Float64Array[]
}

/** Encodes the merge at `displacement` into `out`, a model of the anchor's storage type. */
export function encodeShielded(
  input: MergeInput,
  metric: Metric,
  space: Pick<RowSpace, 'blocks' | 'starts' | 'groupOf'>,
  { scale, b }: Displacement,
  out: DeviceModel,
): void {
  assertSameStorage(input, out)
  const { anchor } = input
  const { gpu } = anchor
  const weights = Array.from({ length: input.experts.length }, (_, k) => scale * input.weights[k])
  // (block, part): the coefficients of a block's rows, or undefined where all are zero.
  const coefficients = b.map((part) =>
    space.blocks.map((_, i) => {
      const own = Float32Array.from(part.subarray(space.starts[i], space.starts[i + 1]))
      return own.every((value) => value === 0) ? undefined : gpu.upload(own)
    }),
  )
  for (const { spec, count: exact } of anchor.tensors.values()) {
    const { name } = spec
    const count = paddedCount(exact)
    const own = coefficients[b.length === 1 ? 0 : space.groupOf.get(name)!]
    const used = own.flatMap((buffer, i) => (buffer ? [{ buffer, block: space.blocks[i] }] : []))
    const g = metric.diagonal.get(name)!
    let delta = gpu.pool.take(count * 4)
    encodeBarycentre({ ...input, weights }, name, delta)
    if (used.length > 1) {
      const zero = gpu.pool.take(count * 4)
      gpu.clear(zero)
      for (const { buffer, block } of used.slice(1)) {
        const next = gpu.pool.take(count * 4)
        gpu.run(
          writeMerge,
          { count, rows: block.count, stride: count },
          { base: delta, delta: zero, rows: block.rows.get(name)!, metric: g, b: buffer, out: next },
        )
        gpu.pool.release(delta)
        delta = next
      }
      gpu.pool.release(zero)
    }
    const first = used[0]
    gpu.run(
      writeMerge,
      { count, rows: first?.block.count ?? 0, stride: count },
      {
        base: anchor.buffer(name),
        delta,
        rows: first?.block.rows.get(name) ?? gpu.unused,
        metric: first ? g : gpu.unused,
        b: first?.buffer ?? gpu.unused,
        out: out.buffer(name),
      },
      anchor.type,
    )
    gpu.pool.release(delta)
  }
  gpu.flush()
  for (const part of coefficients) for (const buffer of part) buffer?.destroy()
}
