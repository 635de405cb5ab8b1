// Runs a method over all tensors of a plan. Where tensors come from and go to is the caller's: models that stand
// on the device (deviceMerge.ts) or files streamed through it in tiles (streamMerge.ts).

import { throwIfCancelled } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'
import { paddedCount } from '../model/deviceModel.ts'
import type { MaterialKind } from './declaration.ts'
import type {
  MergeMethod,
  ModelTask,
  OpenTensor,
  PlannedTensor,
  ShieldSource,
  TensorPasses,
  TensorTask,
  Tile,
} from './method.ts'
import { countOf } from './tiles.ts'

/** A tile that will be opened after this one, for who reads ahead. */
export interface NextTile {
  tensor: PlannedTensor
  tile: Tile
}

type Scratch = (byteLength: number) => GPUBuffer

/** As MaterialSource, of one tile. */
export type TiledMaterial = (
  kind: MaterialKind,
  tensor: string,
  k: number | 'base',
  scratch: Scratch,
  tile: Tile,
) => GPUBuffer | undefined

/** As ShieldSource, of one tile. */
export type TiledShield = (tensor: string, scratch: Scratch, tile: Tile) => ReturnType<ShieldSource>

export interface MergeJob {
  gpu: Gpu
  tensors: readonly PlannedTensor[]
  layerCount: number
  seed: number
  material?: TiledMaterial | undefined
  shield?: TiledShield | undefined
  /** Tiles of a tensor in order; absent: every tensor is one. */
  tiles?: ((tensor: PlannedTensor) => readonly Tile[]) | undefined
  /** Tensors that are there already: surveyed, but not merged. */
  isDone?: ((tensor: PlannedTensor) => boolean) | undefined
  /** Buffers of one tile; called again for surveys and measuring passes. */
  open(tensor: PlannedTensor, tile: Tile, next: NextTile | undefined): OpenTensor | Promise<OpenTensor>
  /** After a tile is merged, or only looked at (`isWritten` false). */
  close?(tensor: PlannedTensor, opened: OpenTensor, isWritten: boolean, tile: Tile): void | Promise<void>
  /** After the last tile of a tensor was merged. */
  finish?(tensor: PlannedTensor): void | Promise<void>
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

const wholeOf = (tensor: PlannedTensor): Tile[] => [{ start: 0, count: countOf(tensor) }]
const tilesOf = (job: MergeJob, tensor: PlannedTensor): readonly Tile[] =>
  job.tiles?.(tensor) ?? wholeOf(tensor)

async function withTask(
  job: MergeJob,
  tensor: PlannedTensor,
  tile: Tile,
  next: NextTile | undefined,
  isWritten: boolean,
  work: (task: TensorTask) => void | Promise<void>,
): Promise<void> {
  throwIfCancelled(job.signal)
  const opened = await job.open(tensor, tile, next)
  const taken: GPUBuffer[] = []
  const scratch = (byteLength: number) => {
    const buffer = job.gpu.pool.take(byteLength)
    taken.push(buffer)
    return buffer
  }
  const { shield } = job
  try {
    await work({
      ...tensor,
      ...opened,
      ...tile,
      gpu: job.gpu,
      layerCount: job.layerCount,
      seed: job.seed,
      padded: paddedCount(tile.count),
      total: countOf(tensor),
      shield: shield && ((name) => shield(name, scratch, tile)),
      material: (kind, k = 'base') => job.material?.(kind, tensor.name, k, scratch, tile),
      scratch,
    })
  } finally {
    job.gpu.pool.release(...taken)
    await job.close?.(tensor, opened, isWritten, tile)
  }
}

/** Opens all tiles of a tensor in order; `after` is what follows the last. */
async function overTiles(
  job: MergeJob,
  tensor: PlannedTensor,
  after: NextTile | undefined,
  isWritten: boolean,
  work: (task: TensorTask) => void | Promise<void>,
): Promise<void> {
  const tiles = tilesOf(job, tensor)
  for (const [i, tile] of tiles.entries()) {
    const next = i + 1 < tiles.length ? { tensor, tile: tiles[i + 1] } : after
    await withTask(job, tensor, tile, next, isWritten, work)
  }
}

const firstOf = (job: MergeJob, tensor: PlannedTensor | undefined): NextTile | undefined =>
  tensor && { tensor, tile: tilesOf(job, tensor)[0] }

async function mergeTensor<S, M>(
  method: MergeMethod<S, M>,
  job: MergeJob,
  tensor: PlannedTensor,
  following: PlannedTensor | undefined,
  survey: S,
): Promise<void> {
  const { gpu, seed } = job
  const kept: GPUBuffer[] = []
  const passes: TensorPasses = {
    ...tensor,
    gpu,
    seed,
    total: countOf(tensor),
    isTiled: tilesOf(job, tensor).length > 1,
    forEachTile: (work) => overTiles(job, tensor, firstOf(job, tensor), false, work),
    scratch: (byteLength) => {
      const buffer = gpu.pool.take(byteLength)
      kept.push(buffer)
      return buffer
    },
  }
  try {
    const measured = (await method.measure?.(passes, survey)) as M
    await overTiles(job, tensor, firstOf(job, following), true, (task) =>
      method.merge(task, survey, measured),
    )
    await job.finish?.(tensor)
  } finally {
    gpu.pool.release(...kept)
  }
}

/** Merges every tensor, in order; work is done when the queue is. Rejects `cancelled` between tiles. */
export async function runMerge<S, M>(method: MergeMethod<S, M>, job: MergeJob): Promise<void> {
  const { gpu, tensors, layerCount, seed, signal } = job
  const model: ModelTask = {
    gpu,
    tensors,
    layerCount,
    seed,
    signal,
    forEach: async (work) => {
      for (const [i, tensor] of tensors.entries())
        await overTiles(job, tensor, firstOf(job, tensors[i + 1] ?? tensors[0]), false, work)
    },
  }
  const survey = (await method.survey?.(model)) as S
  const wanted = tensors.filter((tensor) => !job.isDone?.(tensor))
  try {
    for (const [index, tensor] of wanted.entries()) {
      await mergeTensor(method, job, tensor, wanted[index + 1], survey)
      job.onProgress?.(tensors.length - wanted.length + index + 1, tensors.length)
    }
    gpu.flush()
    gpu.check()
  } finally {
    method.release?.(survey)
  }
}
