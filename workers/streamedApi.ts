// The typed interface between the page and the worker that merges to disk: types only. It has a device of its own and
// holds no model, so that what stands in the engine is left alone.

import type { Preflight } from '../src/core/preflight/preflight.ts'
import type { MergeProgress } from '../src/core/session/placedMerge.ts'
import type { ModelSpec } from './libraryApi.ts'

export type { MergeProgress, Preflight }

/** Where a model's files are. */
export type StreamedSource =
  | { kind: 'files'; name: string; files: File[] }
  | { kind: 'directory'; name: string; handle: FileSystemDirectoryHandle }
  | { kind: 'url'; name: string; url: string }
  | { kind: 'built-in'; name: string; id: string }
  /** of the library, read from where it lies; the token is for this visit */
  | { kind: 'spec'; name: string; spec: ModelSpec; token?: string }
  /** of the library, kept in this browser */
  | { kind: 'kept'; name: string; key: string }

/** What headers say of a model. */
export interface StreamedModel {
  name: string
  architecture: string
  parameterCount: number
  /** as stored */
  byteLength: number
  storage: string
  notes: string[]
  /** why it cannot be opened, for a person; all else is empty then */
  fault?: string
}

export type StreamedOutput =
  /** a folder of the browser's private file system, made below `merges` */
  { kind: 'private'; name: string } | { kind: 'directory'; handle: FileSystemDirectoryHandle }

export type StoredAs = 'bfloat16' | 'float16' | 'float32'

/** What the weights are written as: safetensors, or one GGUF file in their place. */
export type WrittenAs = 'safetensors' | 'gguf-f16' | 'gguf-q8_0' | 'gguf-q4_0'

/** Whose vocabulary the result has: as they are, which must be one; all of them; the base's or first model's. */
export type VocabularyChoice = 'same' | 'union' | 'base'

/** What rounding to a coarser format did to one weight. */
export interface RoundedWeight {
  tensor: string
  storedAs: string
  /** ‖stored − merged‖ / ‖merged‖ */
  relative: number
  /** largest difference */
  max: number
}

export interface StreamedRequest {
  method: string
  /** the method's own parameters; defaults where missing */
  parameters: Record<string, number | boolean | string>
  /** names of sources, and parameters of each */
  models: { name: string; parameters: Record<string, number | boolean | string> }[]
  base?: string
  seed: number
  storedAs: StoredAs
  writtenAs: WrittenAs
  vocabulary: VocabularyChoice
  output: StreamedOutput
  /** host and device together, bytes */
  budget: number
}

/** What a merge would take, from headers alone. */
export interface StreamedEstimate {
  tensors: number
  layers: number
  /** of the result */
  bytes: number
  /** read from the sources, every pass counted once */
  readBytes: number
  /** tiles of the largest tensor */
  largestTiles: number
  /** why it cannot be done, for a person; absent when it can */
  refusal?: string
  notes: string[]
}

export interface StreamedResult {
  files: string[]
  bytes: number
  seconds: number
  resumedTensors: number
  /** most held in buffers of host and device */
  peakBytes: number
  /** SHA-256 of the weights, read back */
  digest: string
  /** worst first; empty where nothing was rounded further */
  rounded: RoundedWeight[]
  notes: string[]
}

export interface StreamedApi {
  /** Every problem of the sources from their headers; rejects for none of them. */
  preflight(sources: StreamedSource[], outBytes: number): Promise<Preflight>
  /** Reads headers; replaces what was open. A model that cannot be opened is told of with its fault. */
  open(sources: StreamedSource[]): Promise<StreamedModel[]>
  estimate(request: StreamedRequest): Promise<StreamedEstimate>
  /** Merges, or goes on with a merge of the same plan and inputs that stands in the output already. */
  start(request: StreamedRequest, onProgress: (progress: MergeProgress) => void): Promise<StreamedResult>
  /** The tile that is under way is finished first. */
  pause(): void
  resume(): void
  /** What is finished stays, and the same request goes on from there. */
  cancel(): void
}
