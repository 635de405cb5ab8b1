// The tensors that a run of the generation graph is fed with, besides weights: ids, rotary tables that stay on the
// device, positions, masks and shapes. Which numbers they hold is generationInputs.ts's business.

import { EngineError } from '../../errors.ts'
import type { ModelConfig } from '../../model/config.ts'
import { fromF16, toF16 } from '../../tensors/dtype.ts'
import type { AttentionForm, Precision } from './generationGraph.ts'
import { isLong, type RunShape, stackedTables, tableRows, windowMask } from './generationInputs.ts'
import type { OrtModule, OrtTensor } from './ortSession.ts'

/** Cosines and sines of `capacity` positions; `long`: those of fused attention above longrope's original length. */
interface Tables {
  capacity: number
  all: Record<'cos' | 'sin', OrtTensor>
  long: Record<'cos' | 'sin', OrtTensor> | undefined
  buffers: GPUBuffer[]
}

/** Keys and values so far, by input name of the next run. */
export type Cache = Record<string, OrtTensor>

/** Bytes per element of weights, activations and cache. */
export const PRECISION_BYTES: Record<Precision, number> = { f32: 4, f16: 2 }
const STORAGE = 0x80 | 0x4 | 0x8 // STORAGE | COPY_SRC | COPY_DST; the names are missing in Node until Dawn loads

export class RunFeeds {
  readonly #ort: OrtModule
  readonly #device: GPUDevice | undefined
  readonly #config: ModelConfig
  readonly #form: { precision: Precision; attention: AttentionForm }
  readonly #masks: ReadonlyMap<string, number>
  #tables: Tables | undefined

  constructor(
    ort: OrtModule,
    device: GPUDevice | undefined,
    config: ModelConfig,
    form: { precision: Precision; attention: AttentionForm },
    masks: ReadonlyMap<string, number>,
  ) {
    this.#ort = ort
    this.#device = device
    this.#config = config
    this.#form = form
    this.#masks = masks
  }

  /** Everything but weights and cache; `needed` is the longest that the sequences will get. */
  of(ids: Int32Array, shape: RunShape, rows: Int32Array, needed: number): Record<string, OrtTensor> {
    const { Tensor } = this.#ort
    return {
      ids: new Tensor('int32', ids, [ids.length]),
      rows: new Tensor('int32', rows, [rows.length]),
      ...this.#attention(shape, this.#rotary(needed)),
    }
  }

  #attention(shape: RunShape, tables: Tables): Record<string, OrtTensor> {
    const { Tensor } = this.#ort
    const { headCount: H, kvHeadCount: G, headSize: D, rotary } = this.#config
    const { sequences: B, tokens: S, cached: P, lengths } = shape
    const sizes = (...values: number[]) =>
      new Tensor('int64', BigInt64Array.from(values, BigInt), [values.length])
    const feeds: Record<string, OrtTensor> = { joined: sizes(B, S, -1), ...tables.all }
    if (this.#form.attention === 'fused') {
      // Where lengths decide, all of a group have the same: see #groups.
      if (tables.long && isLong(rotary, lengths[0])) Object.assign(feeds, tables.long)
      feeds.seqlens = new Tensor(
        'int32',
        Int32Array.from(lengths, (length) => length - 1),
        [B],
      )
      feeds.total = new Tensor('int32', Int32Array.of(P + S), [1])
      return feeds
    }
    feeds.positions = new Tensor('int64', tableRows(rotary, shape, tables.capacity), [B, S])
    feeds.byHead = sizes(B, S, -1, D)
    feeds.grouped = sizes(B, G, H / G, S, -1)
    feeds.flat = sizes(B, G, (H / G) * S, -1)
    for (const [name, window] of this.#masks)
      feeds[name] = this.#floats(windowMask(shape, window, this.#form.precision), [B, 1, 1, S, P + S])
    return feeds
  }

  /** Rotary tables for at least `needed` positions, kept for later runs. */
  #rotary(needed: number): Tables {
    if (this.#tables && this.#tables.capacity >= needed) return this.#tables
    for (const buffer of this.#tables?.buffers ?? []) buffer.destroy()
    // Whole powers of two, so that answers a little longer need no new ones.
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(64, needed)))
    const { cos, sin, rows } = stackedTables(this.#config.rotary, capacity)
    const half = this.#config.rotary.size / 2
    const buffers: GPUBuffer[] = []
    const pair = (from: number, to: number) => {
      const make = (values: Float32Array) =>
        this.#resident(values.slice(from * half, to * half), [to - from, half], buffers)
      return { cos: make(cos), sin: make(sin) }
    }
    const isSplit = this.#form.attention === 'fused' && rows > capacity
    const all = pair(0, isSplit ? capacity : rows)
    this.#tables = { capacity, all, long: isSplit ? pair(capacity, rows) : undefined, buffers }
    return this.#tables
  }

  /** A tensor that stays on the device where there is one; its buffer is added to `buffers`. */
  #resident(values: Float32Array, dims: readonly number[], buffers: GPUBuffer[]): OrtTensor {
    if (!this.#device) return this.#floats(values, dims)
    const bytes =
      this.#form.precision === 'f16' ? Uint16Array.from(values, toF16) : (values as Float32Array<ArrayBuffer>)
    const size = Math.ceil(bytes.byteLength / 16) * 16
    const padded = new Uint8Array(size)
    padded.set(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    const buffer = this.#device.createBuffer({ size, usage: STORAGE, label: 'rotary table' })
    this.#device.queue.writeBuffer(buffer, 0, padded)
    buffers.push(buffer)
    const dataType = this.#form.precision === 'f16' ? 'float16' : 'float32'
    return this.#ort.Tensor.fromGpuBuffer(buffer, { dataType, dims })
  }

  #floats(values: Float32Array, dims: readonly number[]): OrtTensor {
    const { Tensor } = this.#ort
    return this.#form.precision === 'f16'
      ? new Tensor('float16', Uint16Array.from(values, toF16), dims)
      : new Tensor('float32', values, dims)
  }

  /** The cache of B sequences before their first run. */
  emptyCache(B: number): Cache {
    const { layerCount, kvHeadCount: G, headSize: D } = this.#config
    const cache: Cache = {}
    // onnxruntime takes tensors without elements from the host alone.
    for (let l = 0; l < layerCount; l++)
      for (const kind of ['k', 'v'])
        cache[`past.${kind}.${l}`] = this.#floats(new Float32Array(0), [B, G, 0, D])
    return cache
  }

  dispose(): void {
    for (const buffer of this.#tables?.buffers ?? []) buffer.destroy()
    this.#tables = undefined
  }
}

/** A tensor on the host as float32, float16 widened. */
export function toFloats(tensor: OrtTensor | undefined): Float32Array {
  const data = tensor?.data
  if (data instanceof Float32Array) return data
  // Where there is a Float16Array, onnxruntime hands that out.
  if (data instanceof Uint16Array) return Float32Array.from(data, fromF16)
  if (ArrayBuffer.isView(data)) return Float32Array.from(data as unknown as ArrayLike<number>)
  throw new EngineError('gpu-failed', 'onnxruntime returned no floats')
}

/** Token ids of an int64 tensor on the host. */
export function toTokens(tensor: OrtTensor | undefined): number[] {
  const data = tensor?.data
  if (!(data instanceof BigInt64Array)) throw new EngineError('gpu-failed', 'onnxruntime returned no tokens')
  return Array.from(data, Number)
}
