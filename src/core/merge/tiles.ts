// How tensors are cut: tiles of a few million elements that begin where the method allows, sized so that everything
// held for one of them stays within a budget. What a merge holds is counted here and nowhere else.

import { EngineError } from '../errors.ts'
import type { MergeMethod, PlannedTensor, Tile, Tiling } from './method.ts'

/** Host and device together, bytes. */
export const DEFAULT_BUDGET = 1.5e9
/** Of the budget, what one tile's buffers may take: the rest is the browser's own, copies in queues and garbage. */
const TILE_SHARE = 0.25
/** 16 MiB of float32: larger tiles gain nothing. */
const MOST_ELEMENTS = 2 ** 22
/** Elements that any cut keeps together, so that tiles are read in long runs. */
const LEAST_UNIT = 2 ** 12

export const countOf = ({ shape }: Pick<PlannedTensor, 'shape'>): number => shape.reduce((a, b) => a * b, 1)

/** Elements of a row along the last axis; a vector is one row. */
export const rowLength = ({ shape }: Pick<PlannedTensor, 'shape'>): number => shape[shape.length - 1] ?? 1

/** Tiles begin anywhere: what happens to an element depends on it alone. */
export const elementwise = (scratch: Tiling['scratch'] = (models) => models): Tiling => ({
  unit: () => 1,
  scratch,
})

/**
 * Bytes held for each element of a tile: read ahead and decoded in float32 twice over, on the device with a copy in
 * its queue, and the method's scratch. Storage in 16 bits needs half of most of it.
 */
export function bytesPerElement(inputs: number, scratch: number): number {
  const host = 2 * inputs + 2
  const device = 2 * (inputs + 1) + scratch
  return 4 * (host + device)
}

/** Float32 numbers of scratch of methods that do not say: rows in float64 on the host and back, twice. */
const untiledScratch = (models: number): number => 6 * models + 8

/**
 * Tiles of a tensor for a method that merges `inputs` tensors at once, base included. `gpu-limit` with the figure when
 * the method needs the tensor whole and that does not fit, or when its smallest tile does not.
 */
export function tilesOf(
  method: Pick<MergeMethod<unknown>, 'tiling' | 'declaration'>,
  tensor: PlannedTensor,
  inputs: number,
  budget: number,
  maxBindingBytes = Number.POSITIVE_INFINITY,
): Tile[] {
  const total = countOf(tensor)
  const whole = [{ start: 0, count: total }]
  const { tiling } = method
  const refuse = (elements: number, bytes: number, part: string): never => {
    throw new EngineError(
      'gpu-limit',
      `${method.declaration.label} holds ${part} of ${elements} weights of ${inputs} models at once, ${megabytes(bytes)}; the budget of ${megabytes(budget)} leaves ${megabytes(budget * share)}`,
      { tensor: tensor.name },
    )
  }
  // A tensor that is held whole is one of few: it may take most of the budget.
  const share = tiling ? TILE_SHARE : 3 * TILE_SHARE
  const perElement = bytesPerElement(inputs, tiling ? tiling.scratch(inputs) : untiledScratch(inputs))
  if (!tiling) {
    if (total * perElement > budget * share) refuse(total, total * perElement, 'a tensor')
    if (total * 4 > maxBindingBytes) refuse(total, total * perElement, 'a tensor')
    return whole
  }
  const unit = combined(tiling.unit(tensor), LEAST_UNIT)
  const wanted = Math.min(MOST_ELEMENTS, (budget * share) / perElement, maxBindingBytes / 4)
  const count = Math.floor(wanted / unit) * unit
  if (total <= Math.max(count, wanted)) return whole
  if (count === 0 && unit * perElement > budget * 3 * TILE_SHARE)
    refuse(unit, unit * perElement, 'a part of a tensor')
  const step = Math.max(unit, count)
  return Array.from({ length: Math.ceil(total / step) }, (_, i) => ({
    start: i * step,
    count: Math.min(step, total - i * step),
  }))
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b))

/** The least number that both divide. */
const combined = (a: number, b: number): number => (a / divisor(a, b)) * b

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`
