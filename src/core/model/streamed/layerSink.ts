// Squared gradients of one layer's weights, in row parts small enough for any binding and for one read-back at a time.

import type { Gpu } from '../../gpu/device.ts'
import { columnSum } from '../../kernels/columnSum/columnSum.ts'
import { matmulBackwardWeight } from '../../kernels/matmul/matmul.ts'
import type { Batch } from '../batch.ts'
import { paddedCount } from '../deviceModel.ts'
import type { WeightSpec } from '../families/family.ts'
import type { WeightSink } from '../gradientSink.ts'
import type { View } from '../linear.ts'

/** Bytes of a part, float32. */
const PART_BYTES = 32 * 2 ** 20

/** What is squared: each sequence's summed gradient, or each token's. */
export type SquareForm = 'sequence' | 'fast'

/** Rows [first, first + rows) of a weight; a vector is one column. */
interface Part {
  first: number
  rows: number
  buffer: GPUBuffer
}

interface Output {
  columns: number
  parts: Part[]
}

/** Bounds of what is squared together, and of the one group that all of it belongs to. */
export interface Space {
  segments: GPUBuffer
  groups: GPUBuffer
}

export function squareSpace(batch: Batch, starts: Uint32Array, form: SquareForm): Space {
  const count = form === 'fast' ? starts[starts.length - 1] : starts.length - 1
  const segments = form === 'fast' ? Uint32Array.from({ length: count + 1 }, (_, i) => i) : starts.slice()
  return { segments: batch.upload(segments), groups: batch.upload(Uint32Array.of(0, count)) }
}

/** Rows of a part of a matrix with so many columns: whole fours. */
export const partRows = (columns: number, bytes: number): number =>
  Math.max(4, Math.floor(bytes / 4 / columns / 4) * 4)

export class LayerSink implements WeightSink {
  private readonly gpu: Gpu
  private readonly outputs = new Map<string, Output>()
  private readonly spaces: { tokens: Space; rows: Space }

  constructor(
    gpu: Gpu,
    batch: Batch,
    weights: readonly WeightSpec[],
    form: SquareForm,
    partBytes = PART_BYTES,
  ) {
    this.gpu = gpu
    this.spaces = {
      tokens: squareSpace(batch, batch.starts, form),
      rows: squareSpace(batch, batch.rowStarts, form),
    }
    for (const { name, shape } of weights) {
      const [rows, columns = 1] = shape
      const step = shape.length > 1 ? partRows(columns, partBytes) : rows
      const parts: Part[] = []
      for (let first = 0; first < rows; first += step) {
        const count = Math.min(step, rows - first)
        const buffer = gpu.pool.take(paddedCount(count * columns) * 4)
        gpu.clear(buffer)
        parts.push({ first, rows: count, buffer })
      }
      this.outputs.set(name, { columns, parts })
    }
  }

  linear(name: string, space: 'tokens' | 'rows', dy: View, x: View): void {
    const out = this.outputs.get(`${name}.weight`)
    for (const { first, rows, buffer } of out?.parts ?? [])
      encodeSquares(this.gpu, this.spaces[space], { dy, first, rows, x, columns: out!.columns, out: buffer })
    if (this.outputs.has(`${name}.bias`)) {
      const bias = this.outputs.get(`${name}.bias`)!
      this.columns(`${name}.bias`, space, dy, bias.parts[0].rows)
    }
  }

  columns(name: string, space: 'tokens' | 'rows', x: View, N: number): void {
    const out = this.outputs.get(name)
    if (!out) return
    this.gpu.run(
      columnSum,
      {
        C: N,
        Z: 1,
        xStride: x.stride,
        xOffset: x.offset ?? 0,
        power: 2,
        accumulate: 1,
        outStride: paddedCount(N),
        outOffset: 0,
      },
      { x: x.buffer, ...this.spaces[space], out: out.parts[0].buffer },
    )
  }

  /** All parts in the order of weights and rows; `start` counts elements of the weight. */
  async *read(): AsyncGenerator<{ name: string; start: number; values: Float32Array }> {
    for (const [name, { columns, parts }] of this.outputs)
      for (const { first, rows, buffer } of parts)
        yield { name, start: first * columns, values: await this.gpu.readFloats(buffer, rows * columns) }
  }

  release(): void {
    for (const { parts } of this.outputs.values()) this.gpu.pool.release(...parts.map(({ buffer }) => buffer))
    this.outputs.clear()
  }
}

/** Adds to `out` (rows, columns) the squares of gradient rows from `first` on; power 1: the gradient itself. */
export function encodeSquares(
  gpu: Gpu,
  space: Space,
  product: { dy: View; first: number; rows: number; x: View; columns: number; out: GPUBuffer },
  power: 1 | 2 = 2,
): void {
  const { dy, first, rows, x, columns, out } = product
  gpu.run(
    matmulBackwardWeight,
    {
      N: rows,
      K: columns,
      Z: 1,
      xStride: x.stride,
      xOffset: x.offset ?? 0,
      dyStride: dy.stride,
      dyOffset: (dy.offset ?? 0) + first,
      power,
      accumulate: 1,
      outRow: 0,
      outStride: paddedCount(rows * columns),
    },
    { dy: dy.buffer, x: x.buffer, ...space, dWeight: out },
  )
}
