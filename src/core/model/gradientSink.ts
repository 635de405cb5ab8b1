// Where weight gradients go. One mechanism serves the plain gradient, the rows of A, and the Fisher diagonal:
// tokens are cut into segments, segments into groups, and a weight's output row z is
// Σ over the segments of group z of (Σ over the segment's tokens of the gradient)^power.
//   gradient: power 1, one group                      → (1, P)
//   rows of A: power 1, one group per row             → (n, P)
//   Fisher, squares per sequence: power 2, one group  → (1, P), a segment per sequence
//   Fisher, squared-matmul form: the same with a segment per token (an approximation; methods.md §6.3)
//   importance, absolute values per sequence: power 0 stands for |·|, one group

import type { Gpu } from '../gpu/device.ts'
import { columnSum } from '../kernels/columnSum/columnSum.ts'
import { absoluteAccumulate, squareAccumulate } from '../kernels/elementwise/elementwise.ts'
import { embeddingBackward } from '../kernels/embedding/embedding.ts'
import { matmulBackwardWeight } from '../kernels/matmul/matmul.ts'
import type { Batch } from './batch.ts'
import type { ModelConfig } from './config.ts'
import { paddedCount } from './deviceModel.ts'
import { listWeights } from './families/decoder.ts'
import type { View } from './linear.ts'

export type GradientKind = 'gradient' | 'rows' | 'squares' | 'fast-squares' | 'absolutes'

const POWERS: Record<GradientKind, number> = {
  gradient: 1,
  rows: 1,
  squares: 2,
  'fast-squares': 2,
  absolutes: 0,
}

/** Float32 outputs by tensor name, Z rows of `paddedCount` elements each. */
export type GradientBuffers = Map<string, GPUBuffer>

/** Zeroed outputs for all weights, or those in `only`. */
export function createGradients(
  gpu: Gpu,
  config: ModelConfig,
  Z = 1,
  only?: ReadonlySet<string>,
): GradientBuffers {
  const buffers: GradientBuffers = new Map()
  for (const { name, shape } of listWeights(config)) {
    if (only && !only.has(name)) continue
    const count = shape.reduce((a, b) => a * b, 1)
    buffers.set(name, gpu.createBuffer(Z * paddedCount(count) * 4, `gradient of ${name}`))
  }
  return buffers
}

/** Where the weights of layers send what their gradients are made of. */
export interface WeightSink {
  linear(name: string, space: 'tokens' | 'rows', dy: View, x: View): void
  columns(name: string, space: 'tokens' | 'rows', x: View, N: number): void
}

interface Space {
  /** S+1 bounds */ segments: GPUBuffer
  /** Z+1 bounds in segments */ groups: GPUBuffer
}

export class GradientSink implements WeightSink {
  private readonly gpu: Gpu
  private readonly batch: Batch
  private readonly outputs: GradientBuffers
  private readonly Z: number
  private readonly power: number
  private readonly tokens: Space
  private readonly rows: Space
  private readonly segmentOfToken: Uint32Array
  private readonly groupOfToken: Uint32Array
  private readonly shapes: Map<string, number[]>
  /** dlogits and head input of a tied head, kept until the embedding's own gradient arrives */
  private tiedHead: { dy: View; x: View } | undefined
  private readonly isTiedPower: boolean
  private readonly embeddingScale: number

  /**
   * `groupOfSequence` (S) gives each sequence's output row for kind 'rows', ascending; outputs are added to, so
   * clear them first.
   */
  constructor(
    gpu: Gpu,
    config: ModelConfig,
    batch: Batch,
    outputs: GradientBuffers,
    kind: GradientKind,
    groupOfSequence?: ArrayLike<number>,
    groupCount = 1,
  ) {
    this.gpu = gpu
    this.batch = batch
    this.outputs = outputs
    this.power = POWERS[kind]
    this.Z = kind === 'rows' ? groupCount : 1
    this.isTiedPower = config.tied && this.power !== 1
    this.embeddingScale = config.embeddingScale
    this.shapes = new Map(listWeights(config).map(({ name, shape }) => [name, shape]))
    const perToken = kind === 'fast-squares'
    const S = batch.sequenceCount
    const bounds = (starts: Uint32Array) =>
      perToken ? Uint32Array.from({ length: starts[S] + 1 }, (_, i) => i) : starts.slice()
    // Bounds of groups, in sequences; with one group all sequences are in it.
    const groupStarts = new Uint32Array(this.Z + 1).fill(S)
    if (this.Z === 1) groupStarts[0] = 0
    else
      for (let s = S - 1; s >= 0; s--)
        for (let z = groupOfSequence?.[s] ?? 0; z >= 0 && groupStarts[z] > s; z--) groupStarts[z] = s
    const groups = (starts: Uint32Array) => (perToken ? groupStarts.map((s) => starts[s]) : groupStarts)
    this.tokens = { segments: batch.upload(bounds(batch.starts)), groups: batch.upload(groups(batch.starts)) }
    this.rows = {
      segments: batch.upload(bounds(batch.rowStarts)),
      groups: batch.upload(groups(batch.rowStarts)),
    }
    this.segmentOfToken = new Uint32Array(batch.tokenCount)
    this.groupOfToken = new Uint32Array(batch.tokenCount)
    for (let s = 0; s < S; s++)
      for (let t = batch.starts[s]; t < batch.starts[s + 1]; t++) {
        this.segmentOfToken[t] = perToken ? t : s
        this.groupOfToken[t] = this.Z === 1 ? 0 : (groupOfSequence?.[s] ?? 0)
      }
  }

  /** Weight and bias of a linear layer from dy (·,N) and x (·,K), over all tokens or over target rows. */
  linear(name: string, space: 'tokens' | 'rows', dy: View, x: View): void {
    const weight = `${name}.weight`
    const [N, K] = this.shapes.get(weight) ?? [0, 0]
    if (this.isTiedPower && weight === 'model.embed_tokens.weight') {
      this.tiedHead = { dy, x }
      return
    }
    const out = this.outputs.get(weight)
    if (out) this.matrix(out, N, K, this.power, this[space], dy, x, this.Z)
    if (this.outputs.has(`${name}.bias`)) this.columns(`${name}.bias`, space, dy, N)
  }

  private matrix(
    out: GPUBuffer,
    N: number,
    K: number,
    power: number,
    space: Space,
    dy: View,
    x: View,
    Z: number,
  ): void {
    this.gpu.run(
      matmulBackwardWeight,
      {
        N,
        K,
        Z,
        xStride: x.stride,
        xOffset: x.offset ?? 0,
        dyStride: dy.stride,
        dyOffset: dy.offset ?? 0,
        power,
        accumulate: 1,
        outRow: 0,
        outStride: paddedCount(N * K),
      },
      { dy: dy.buffer, x: x.buffer, segments: space.segments, groups: space.groups, dWeight: out },
    )
  }

  /** Vector tensor `name` (N): sums of the columns of x. */
  columns(name: string, space: 'tokens' | 'rows', x: View, N: number): void {
    const out = this.outputs.get(name)
    if (!out) return
    this.gpu.run(
      columnSum,
      {
        C: N,
        Z: this.Z,
        xStride: x.stride,
        xOffset: x.offset ?? 0,
        power: this.power,
        accumulate: 1,
        outStride: paddedCount(N),
        outOffset: 0,
      },
      { x: x.buffer, segments: this[space].segments, groups: this[space].groups, out },
    )
  }

  /** Embedding rows from d of the embedding output (T,C). */
  embedding(dx: GPUBuffer): void {
    const name = 'model.embed_tokens.weight'
    const out = this.outputs.get(name)
    if (!out) return
    const [V, C] = this.shapes.get(name) ?? [0, 0]
    if (!this.isTiedPower) {
      this.scatter(out, dx, V, C, this.power, undefined)
      return
    }
    // Tied weights: both uses are added before the power, so each segment's sum is formed on its own.
    const sum = this.gpu.pool.take(paddedCount(V * C) * 4)
    const count = paddedCount(V * C)
    const segments = Math.max(...this.segmentOfToken) + 1
    const isPerToken = segments === this.batch.tokenCount && segments !== this.batch.sequenceCount
    for (let segment = 0; segment < segments; segment++) {
      this.gpu.clear(sum)
      const rows = isPerToken
        ? rowsOfToken(this.batch, segment)
        : this.batch.rowStarts.subarray(segment, segment + 2)
      if (this.tiedHead && rows[1] > rows[0]) {
        const space = {
          segments: this.batch.upload(Uint32Array.from(rows)),
          groups: this.batch.upload(Uint32Array.of(0, 1)),
        }
        this.matrix(sum, V, C, 1, space, this.tiedHead.dy, this.tiedHead.x, 1)
      }
      this.scatter(sum, dx, V, C, 1, segment)
      this.gpu.run(this.power === 2 ? squareAccumulate : absoluteAccumulate, { count }, { a: sum, out })
    }
    this.gpu.pool.release(sum)
  }

  private scatter(
    out: GPUBuffer,
    dx: GPUBuffer,
    V: number,
    C: number,
    power: number,
    segment: number | undefined,
  ): void {
    const { hostIds } = this.batch
    const order = Array.from(hostIds.keys()).filter(
      (t) => segment === undefined || this.segmentOfToken[t] === segment,
    )
    const group = this.groupOfToken
    order.sort((a, b) => group[a] - group[b] || hostIds[a] - hostIds[b] || a - b)
    const starts: number[] = []
    order.forEach((t, i) => {
      const before = order[i - 1]
      if (i === 0 || hostIds[t] !== hostIds[before] || group[t] !== group[before]) starts.push(i)
    })
    const upload = (values: number[]) => this.batch.upload(Uint32Array.from(values))
    this.gpu.run(
      embeddingBackward,
      { C, slots: starts.length, power, outStride: paddedCount(V * C), scale: this.embeddingScale },
      {
        dx,
        rows: upload(order),
        segmentOf: this.batch.upload(this.segmentOfToken),
        slotStart: upload([...starts, order.length]),
        slotToken: upload(starts.map((i) => hostIds[order[i]])),
        slotGroup: upload(starts.map((i) => (segment === undefined ? group[order[i]] : 0))),
        dWeight: out,
      },
    )
  }
}

/** Bounds of the target rows that token t predicts from: none or one. */
function rowsOfToken(batch: Batch, t: number): [number, number] {
  const row = batch.hostTargetRows.indexOf(t)
  return row < 0 ? [0, 0] : [row, row + 1]
}
