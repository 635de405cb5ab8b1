// What a merge method does. A method is one folder below methods/: `declaration.ts` (data), `<id>.ts` (this), its
// own kernels with their WGSL if it has any, `<id>.reference.ts` (float64), and cases in golden/ made by a second
// implementation. Everything is done one tensor at a time, or one tile of a tensor where the method says how it may be
// cut, so that models of any size can be streamed.

import type { Gpu } from '../gpu/device.ts'
import type { KernelSpec } from '../kernels/spec.ts'
import type { WeightType } from '../tensors/dtype.ts'
import type { MaterialKind, MethodDeclaration, ParameterScalar } from './declaration.ts'
import type { Shield } from './weightedSum.ts'

export type ParameterValues = Readonly<Record<string, ParameterScalar>>

/** Name, shape and parameters of one tensor to be merged: all a plan says of it. */
export interface PlannedTensor {
  name: string
  shape: readonly number[]
  /** index of the layer it belongs to in the output */
  layer?: number
  /** global parameters as they are for this tensor, complete with defaults */
  parameters: ParameterValues
  /** parameters of each model, likewise */
  modelParameters: readonly ParameterValues[]
}

/** A planned tensor with its buffers. Buffers hold `padded` elements of `type`, zeros past `count`. */
export interface OpenTensor {
  base?: GPUBuffer | undefined
  models: readonly GPUBuffer[]
  out: GPUBuffer
  type: WeightType
}

/**
 * Extra inputs by tensor, float32; `k` counts experts, 'base' is the base. Undefined where there is none. What has
 * to be made for the call is put into `scratch`.
 */
export type MaterialSource = (
  kind: MaterialKind,
  tensor: string,
  k: number | 'base',
  scratch: (byteLength: number) => GPUBuffer,
) => GPUBuffer | undefined

/** AlignMerge's correction of a tensor, (bᵀA)/g; undefined where a tensor is just interpolated. */
export type ShieldSource = (tensor: string) => Shield | undefined

/** Elements [start, start + count) of a tensor in row-major order; a whole tensor is one tile. */
export interface Tile {
  start: number
  count: number
}

/** What a method is given to merge one tile. `shape` is the whole tensor's. */
export interface TensorTask extends PlannedTensor, OpenTensor, Tile {
  gpu: Gpu
  layerCount: number
  seed: number
  /** elements of the tile in whole fours */
  padded: number
  /** elements of the whole tensor */
  total: number
  material(kind: MaterialKind, k?: number | 'base'): GPUBuffer | undefined
  shield?: ShieldSource | undefined
  /** scratch of `byteLength` bytes, not cleared, given back when the method returns */
  scratch(byteLength: number): GPUBuffer
}

/** All tiles of one tensor, for passes over what a tile cannot know alone. */
export interface TensorPasses extends PlannedTensor {
  gpu: Gpu
  seed: number
  total: number
  isTiled: boolean
  /** Opens one tile after another, in order; `out` must not be written. May be called several times. */
  forEachTile(work: (tile: TensorTask) => void | Promise<void>): Promise<void>
  /** scratch that stays until the tensor is merged, not cleared */
  scratch(byteLength: number): GPUBuffer
}

/** How a tensor may be cut for a method. */
export interface Tiling {
  /** tiles begin at multiples of this many elements */
  unit(tensor: PlannedTensor): number
  /** float32 numbers of scratch that a merge takes for each element, at most */
  scratch(models: number): number
}

/** The whole model, for a first pass over what a tensor cannot know alone. */
export interface ModelTask {
  gpu: Gpu
  tensors: readonly PlannedTensor[]
  layerCount: number
  seed: number
  signal?: AbortSignal | undefined
  /** Opens one tensor after another, in order, in tiles where the method has a tiling; `out` must not be written. */
  forEach(work: (task: TensorTask) => void | Promise<void>): Promise<void>
}

export interface MergeMethod<Survey = undefined, Measured = unknown> {
  declaration: MethodDeclaration
  /** kernels of this method alone, for the harness */
  kernels?: readonly KernelSpec[]
  /** absent: tensors are held whole, and one that does not fit is refused */
  tiling?: Tiling
  /** Runs once before any tensor is merged. */
  survey?(model: ModelTask): Promise<Survey>
  /** Frees what the survey holds on the device. */
  release?(survey: Survey): void
  /** What the tiles of a tensor have to know of each other, before any of them is merged. */
  measure?(tensor: TensorPasses, survey: Survey): Promise<Measured>
  /** Encodes or computes one tile into `task.out`; `request-invalid` names the tensor and what is wrong. */
  merge(task: TensorTask, survey: Survey, measured: Measured): void | Promise<void>
}

/** Keeps a method's survey and measured types while it is written. */
export const defineMethod = <S = undefined, M = undefined>(method: MergeMethod<S, M>): MergeMethod<S, M> =>
  method

/** The same merge in float64 on the host: what a method's `reference.ts` is given. */
export interface ReferenceModel {
  tensors: readonly PlannedTensor[]
  layerCount: number
  seed: number
  base?: ReadonlyMap<string, Float64Array> | undefined
  models: readonly ReadonlyMap<string, Float64Array>[]
  material(kind: MaterialKind, tensor: string, k: number | 'base'): Float64Array | undefined
}

/** Merged tensors by name: loops and no tricks. */
export type MergeReference = (model: ReferenceModel) => Map<string, Float64Array>
