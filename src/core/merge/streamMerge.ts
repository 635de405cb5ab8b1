// A plan executed from checkpoints that are read in ranges: nothing is held but the tiles of the moment, so that models
// of any size fit a budget. Arithmetic is in float32 and a merge rounds once, when its result is stored; where inputs
// and result are of one 16-bit type, that happens on the device and the host only passes bytes on.

import { EngineError } from '../errors.ts'
import type { StoredWeight } from '../files/storedWeight.ts'
import type { Gpu } from '../gpu/device.ts'
import { paddedCount } from '../model/deviceModel.ts'
import { uploadEncoded } from '../model/storedTensor.ts'
import { decodeWeights, encodeWeights, WEIGHT_BYTES, type WeightType } from '../tensors/dtype.ts'
import { decodeValues, type EncodedValues } from '../tensors/encoding.ts'
import type { MaterialKind } from './declaration.ts'
import { type NextTile, runMerge } from './execute.ts'
import type { MaterialSource, MergeMethod, PlannedTensor, ShieldSource, Tile } from './method.ts'
import type { MergePlan, PlanTensor } from './recipe/plan.ts'
import type { RecipeDtype } from './recipe/recipe.ts'
import { assertFiniteBytes, assertFiniteValues } from './streaming/finite.ts'
import { HeldBytes } from './streaming/heldBytes.ts'
import { readTile, type TileValues } from './streaming/readTile.ts'
import { materialOfTile, type StreamedShield, shieldOfTile } from './streaming/tileMaterial.ts'
import { DEFAULT_BUDGET, tilesOf } from './tiles.ts'

export { assertFiniteValues } from './streaming/finite.ts'

export const WEIGHT_TYPES: Readonly<Record<RecipeDtype, WeightType>> = {
  float32: 'f32',
  float16: 'f16',
  bfloat16: 'bf16',
}

/** More of a method's material, read from somewhere. */
export interface ExtraMaterial {
  kind: MaterialKind
  /** which source of the plan; any: the same for all */
  k: number | 'base' | 'any'
  /** float32 values of a tile */
  read(tensor: string, tile: Tile, signal?: AbortSignal): Promise<Float32Array>
}

/** A model's weights by name, as they lie in their files. */
export interface StoredWeights {
  stored: { get(name: string): StoredWeight | undefined }
}

/** A merged tile. */
export interface MergedPiece extends Tile {
  /** little-endian elements of `type` */
  bytes: Uint8Array
  /** the type asked for, or f32 */
  type: WeightType
}

export interface StreamedMerge {
  gpu: Gpu
  plan: MergePlan
  /** by the plan's names of models */
  readers: ReadonlyMap<string, StoredWeights>
  extra?: readonly ExtraMaterial[]
  /** what is not read but computed */
  material?: MaterialSource | undefined
  /** AlignMerge's correction, on the device or read in tiles */
  shield?: ShieldSource | undefined
  streamedShield?: StreamedShield | undefined
  /** what is written, so that it may be rounded on the device; f32 when absent */
  outType?: WeightType | undefined
  /** bytes of host and device together; DEFAULT_BUDGET */
  budget?: number | undefined
  /** counts what is held */
  held?: HeldBytes | undefined
  /** Tensors that need not be merged again. */
  isDone?: ((tensor: PlannedTensor) => boolean) | undefined
  /** Waited for before every tile: a pause. */
  gate?: (() => Promise<void> | undefined) | undefined
  /** Receives every merged tile, in order. */
  write(tensor: PlanTensor, piece: MergedPiece): void | Promise<void>
  /** After the last tile of a tensor was written. */
  finish?: ((tensor: PlanTensor) => void | Promise<void>) | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** The sources, in order, when every tensor has the same ones under its own name; undefined for stacks and the like. */
export function wholeModels(plan: MergePlan): { experts: string[]; base: string | undefined } | undefined {
  const [first] = plan.tensors
  const experts = first.sources.map(({ model }) => model)
  const base = first.base?.model
  const isSame = plan.tensors.every(
    (tensor) =>
      tensor.base?.model === base &&
      (tensor.base === undefined || tensor.base.tensor === tensor.name) &&
      tensor.sources.length === experts.length &&
      tensor.sources.every(({ model, tensor: name }, k) => model === experts[k] && name === tensor.name),
  )
  return isSame ? { experts, base } : undefined
}

/** Everything read for one tile: sources in order, the base behind them, then material. */
interface LoadedTile {
  key: string
  inputs: TileValues[]
  material: Float32Array[]
  shield: { a: Float32Array; metric: Float32Array } | undefined
  byteLength: number
}

/** Runs the whole plan. Rejects `not-finite` with the tensor, `shape-mismatch`, `gpu-limit`, `cancelled`, and what methods reject. */
export async function streamMerge(method: MergeMethod<unknown>, merge: StreamedMerge): Promise<void> {
  await new StreamRun(method, merge).run()
}

class StreamRun {
  private readonly method: MergeMethod<unknown>
  private readonly merge: StreamedMerge
  private readonly gpu: Gpu
  private readonly planned: Map<string, PlanTensor>
  private readonly extra: readonly ExtraMaterial[]
  private readonly held: HeldBytes
  private readonly budget: number
  private buffers: GPUBuffer[] = []
  private loaded: { kind: MaterialKind; k: ExtraMaterial['k']; buffer: GPUBuffer }[] = []
  private shield: { a: GPUBuffer; metric: GPUBuffer; b: GPUBuffer; rows: number } | undefined
  private ahead: { key: string; tile: Promise<LoadedTile> } | undefined
  private writing: Promise<void> = Promise.resolve()

  constructor(method: MergeMethod<unknown>, merge: StreamedMerge) {
    this.method = method
    this.merge = merge
    this.gpu = merge.gpu
    this.planned = new Map(merge.plan.tensors.map((tensor) => [tensor.name, tensor]))
    this.held = merge.held ?? new HeldBytes()
    this.budget = merge.budget ?? DEFAULT_BUDGET
    const roles: ExtraMaterial[] = Object.entries(merge.plan.roles).map(([role, model]) => ({
      kind: role as MaterialKind,
      k: 'any',
      read: async (tensor, tile) => {
        const values = await this.read({ model, tensor }, tile)
        return new Float32Array(bytesOf(values, 'f32').slice().buffer)
      },
    }))
    this.extra = [...roles, ...(merge.extra ?? [])]
  }

  async run(): Promise<void> {
    const { merge, gpu } = this
    const { plan } = merge
    try {
      await runMerge(this.method, {
        gpu,
        tensors: plan.tensors.map(({ sources, base: _, ...tensor }) => ({
          ...tensor,
          modelParameters: sources.map(({ parameters }) => parameters),
        })),
        layerCount: plan.layerCount,
        seed: plan.seed,
        material: (kind, tensor, k, scratch, tile) =>
          this.loaded.find((entry) => entry.kind === kind && (entry.k === k || entry.k === 'any'))?.buffer ??
          materialOfTile(gpu, merge.material, { kind, tensor, k }, scratch, tile, this.totalOf(tensor)),
        shield: (tensor, scratch, tile) =>
          this.shield ?? shieldOfTile(gpu, merge.shield?.(tensor), scratch, tile, this.totalOf(tensor)),
        tiles: (tensor) => this.tiles(tensor),
        isDone: merge.isDone,
        open: (tensor, tile, next) => this.open(tensor, tile, next),
        close: async (tensor, opened, isWritten, tile) => {
          try {
            if (isWritten) await this.store(tensor, opened.out, opened.type, tile)
            else gpu.flush()
          } finally {
            this.release()
          }
        },
        finish: async ({ name }) => {
          await this.writing
          await merge.finish?.(this.planned.get(name)!)
        },
        signal: merge.signal,
        onProgress: merge.onProgress,
      })
    } finally {
      this.release()
      await this.ahead?.tile.catch(() => undefined)
      await this.writing.catch(() => undefined)
    }
  }

  private totalOf(tensor: string): number {
    return this.planned.get(tensor)!.shape.reduce((a, b) => a * b, 1)
  }

  private tiles(tensor: PlannedTensor): Tile[] {
    const { sources, base } = this.planned.get(tensor.name)!
    const inputs = sources.length + (base ? 1 : 0) + this.extra.length
    return tilesOf(this.method, tensor, inputs, this.budget, this.gpu.summary.maxBindingBytes)
  }

  /** Values of a tile of one tensor of one model, of the plan's dtype. */
  private read(from: { model: string; tensor: string }, tile: Tile): Promise<TileValues> {
    const { merge } = this
    const dtype = merge.plan.dtype && WEIGHT_TYPES[merge.plan.dtype]
    return readTile(merge.readers, from, tile, { dtype, outType: merge.outType, signal: merge.signal })
  }

  private async load(tensor: PlannedTensor, tile: Tile): Promise<LoadedTile> {
    const { sources, base } = this.planned.get(tensor.name)!
    const { streamedShield, signal } = this.merge
    const total = this.totalOf(tensor.name)
    const inputs = await Promise.all(
      [...sources, ...(base ? [base] : [])].map(async (from) => {
        const weight = this.merge.readers.get(from.model)?.stored.get(from.tensor)
        const count = weight?.shape.reduce((a, b) => a * b, 1)
        if (count !== undefined && count !== total)
          throw new EngineError('shape-mismatch', `found ${count} values, expected ${total}`, {
            tensor: tensor.name,
          })
        return this.read(from, tile)
      }),
    )
    const material = await Promise.all(this.extra.map((entry) => entry.read(tensor.name, tile, signal)))
    const shield = await streamedShield?.read(tensor.name, tile, signal)
    const byteLength = [
      ...inputs.map(viewOf),
      ...material,
      ...(shield ? [shield.a, shield.metric] : []),
    ].reduce((sum, view) => sum + view.byteLength, 0)
    this.held.add(byteLength)
    return { key: keyOf(tensor, tile), inputs, material, shield, byteLength }
  }

  private async take(tensor: PlannedTensor, tile: Tile): Promise<LoadedTile> {
    const { ahead } = this
    this.ahead = undefined
    if (ahead?.key === keyOf(tensor, tile)) return ahead.tile
    const stale = await ahead?.tile
    if (stale) this.held.remove(stale.byteLength)
    return this.load(tensor, tile)
  }

  private async open(tensor: PlannedTensor, tile: Tile, next: NextTile | undefined) {
    const { merge, gpu } = this
    await merge.gate?.()
    const loaded = await this.take(tensor, tile)
    if (next) {
      const promise = this.load(next.tensor, next.tile)
      // A failure is told when the tile is taken; until then nobody listens.
      promise.catch(() => undefined)
      this.ahead = { key: keyOf(next.tensor, next.tile), tile: promise }
    }
    const type = commonType(loaded.inputs, merge.outType)
    const buffers = loaded.inputs.map((input) =>
      input.type === 'blocks'
        ? this.decode(input.encoded, tile.count)
        : this.upload(bytesOf(input, type), tile.count, type),
    )
    this.extra.forEach(({ kind, k }, i) => {
      const values = loaded.material[i]
      const buffer = this.upload(
        new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
        values.length,
        'f32',
      )
      this.loaded.push({ kind, k, buffer })
    })
    this.shield = this.uploadShield(loaded, tile)
    this.held.remove(loaded.byteLength)
    const { sources } = this.planned.get(tensor.name)!
    const out = this.take4(tile.count, type)
    this.held.see(gpu.pool.byteLength)
    return { models: buffers.slice(0, sources.length), base: buffers[sources.length], out, type }
  }

  private take4(count: number, type: WeightType): GPUBuffer {
    const buffer = this.gpu.pool.take(paddedCount(count) * WEIGHT_BYTES[type])
    this.buffers.push(buffer)
    return buffer
  }

  /** Whole blocks, which are whole fours too. */
  private decode(encoded: EncodedValues, count: number): GPUBuffer {
    const buffer = this.take4(count, 'f32')
    uploadEncoded(this.gpu, encoded, count, buffer)
    return buffer
  }

  private upload(bytes: Uint8Array, count: number, type: WeightType): GPUBuffer {
    const buffer = this.take4(count, type)
    const padded = paddedCount(count) * WEIGHT_BYTES[type]
    if (bytes.byteLength === padded) this.gpu.write(buffer, bytes)
    else {
      const data = new Uint8Array(padded)
      data.set(bytes)
      this.gpu.write(buffer, data)
    }
    return buffer
  }

  private uploadShield({ shield }: LoadedTile, { count }: Tile) {
    const source = this.merge.streamedShield
    if (!shield || !source) return undefined
    const padded = paddedCount(count)
    const a = this.gpu.pool.take(source.rows * padded * 4)
    this.buffers.push(a)
    for (let row = 0; row < source.rows; row++)
      this.gpu.write(a, shield.a.subarray(row * count, (row + 1) * count), row * padded * 4)
    const { metric } = shield
    const g = this.upload(new Uint8Array(metric.buffer, metric.byteOffset, metric.byteLength), count, 'f32')
    const b = this.gpu.pool.take(source.rows * 4)
    this.buffers.push(b)
    this.gpu.write(b, Float32Array.from(source.b))
    return { a, metric: g, b, rows: source.rows }
  }

  private async store(tensor: PlannedTensor, out: GPUBuffer, type: WeightType, tile: Tile): Promise<void> {
    const { merge, gpu } = this
    const bytes = new Uint8Array(await gpu.readBytes(out, tile.count * WEIGHT_BYTES[type]))
    if (type === 'f32')
      assertFiniteValues(new Float32Array(bytes.buffer), 'the merged weight', tensor.name, tile.start)
    else assertFiniteBytes(bytes, type, 'the merged weight', tensor.name, tile.start)
    // One tile is written while the next is computed, and no more than one is kept waiting.
    await this.writing
    this.held.add(bytes.byteLength)
    this.writing = Promise.resolve(
      merge.write(this.planned.get(tensor.name)!, { ...tile, bytes, type }),
    ).finally(() => this.held.remove(bytes.byteLength))
    this.writing.catch(() => undefined)
  }

  private release(): void {
    const { pool } = this.gpu
    pool.release(...this.buffers)
    this.buffers = []
    this.loaded = []
    this.shield = undefined
    // Buffers of sizes that will not come again add up.
    if (pool.byteLength > this.budget / 2 && this.gpu.lostReason === undefined) {
      this.gpu.flush()
      pool.trim()
    }
  }
}

const keyOf = ({ name }: PlannedTensor, { start }: Tile): string => `${start} ${name}`

/** The type to compute in: that of the result where every input has it, float32 otherwise. */
function commonType(inputs: readonly TileValues[], outType: WeightType | undefined): WeightType {
  return outType !== undefined && inputs.every(({ type }) => type === outType) ? outType : 'f32'
}

const viewOf = (input: TileValues): Uint8Array | Float32Array =>
  input.type === 'f32' ? input.values : input.type === 'blocks' ? input.encoded.bytes : input.bytes

function bytesOf(input: TileValues, type: WeightType): Uint8Array {
  if (input.type === 'blocks') return new Uint8Array(decodeValues(input.encoded).buffer)
  if (input.type === 'f32')
    return new Uint8Array(input.values.buffer, input.values.byteOffset, input.values.byteLength)
  if (input.type === type) return input.bytes
  return new Uint8Array(decodeWeights(input.bytes, input.type).buffer)
}

/** Float32 values of a merged tile. */
export const valuesOfPiece = ({ bytes, type }: MergedPiece): Float32Array => decodeWeights(bytes, type)

/** A merged tile in the type that is stored; `not-finite` when a value leaves its range. */
export function encodePiece(piece: MergedPiece, type: WeightType, tensor: string): Uint8Array {
  if (piece.type === type) return piece.bytes
  const bytes = encodeWeights(valuesOfPiece(piece), type)
  if (type === 'f16') assertFiniteBytes(bytes, type, 'the merged weight in float16', tensor, piece.start)
  return bytes
}
