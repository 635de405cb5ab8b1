// Material of one tile: cut out of what stands on the device for the whole tensor, or read from files tile by tile.

import type { Gpu } from '../../gpu/device.ts'
import { paddedCount } from '../../model/deviceModel.ts'
import type { MaterialKind } from '../declaration.ts'
import type { MaterialSource, Tile } from '../method.ts'
import type { Shield } from '../weightedSum.ts'

type Scratch = (byteLength: number) => GPUBuffer

/** Rows of A and the metric in files: what is taken off is (bᵀA)/g. */
export interface StreamedShield {
  /** n */
  rows: number
  /** (n) */
  b: Float64Array
  /** a (n, tile.count) and the metric (tile.count); undefined where a tensor is just interpolated */
  read(
    tensor: string,
    tile: Tile,
    signal?: AbortSignal,
  ): Promise<{ a: Float32Array; metric: Float32Array } | undefined>
}

const isWhole = ({ start, count }: Tile, total: number) => start === 0 && count === total

/** A tile of elementwise material. */
export function materialOfTile(
  gpu: Gpu,
  source: MaterialSource | undefined,
  { kind, tensor, k }: { kind: MaterialKind; tensor: string; k: number | 'base' },
  scratch: Scratch,
  tile: Tile,
  total: number,
): GPUBuffer | undefined {
  const whole = source?.(kind, tensor, k, scratch)
  if (!whole || isWhole(tile, total)) return whole
  const part = scratch(paddedCount(tile.count) * 4)
  gpu.copy(whole, part, paddedCount(tile.count) * 4, tile.start * 4)
  return part
}

/** A tile of a shield that stands on the device. */
export function shieldOfTile(
  gpu: Gpu,
  shield: Shield | undefined,
  scratch: Scratch,
  tile: Tile,
  total: number,
): Shield | undefined {
  if (!shield || isWhole(tile, total)) return shield
  const padded = paddedCount(tile.count)
  const a = scratch(shield.rows * padded * 4)
  const metric = scratch(padded * 4)
  for (let row = 0; row < shield.rows; row++)
    gpu.copy(shield.a, a, padded * 4, (row * paddedCount(total) + tile.start) * 4, row * padded * 4)
  gpu.copy(shield.metric, metric, padded * 4, tile.start * 4)
  return { ...shield, a, metric }
}
