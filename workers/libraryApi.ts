// The typed interface between the page and the worker that knows sources and keeps models: types only, no code. Apart
// from the engine: hashing and downloading go on while the device measures, and need no device.

import type { KeptSource, ModelAbout } from '../src/core/store/manifest.ts'
import type { Quota } from '../src/core/store/storage.ts'

export type { KeptSource, ModelAbout, Quota }

/** Where to look for a model. */
export type ModelSpec =
  | {
      kind: 'hub'
      repo: string
      revision: string /** looked at before */
      commit?: string
      hub?: string
      part?: string
    }
  | { kind: 'url'; url: string }
  | { kind: 'folder'; folder: FileSystemDirectoryHandle }
  | { kind: 'files'; files: File[] }

/** A model as the library lists it. */
export interface LibraryModel {
  /** tells sources apart */
  key: string
  name: string
  source: KeptSource
  about: ModelAbout
  /** `streamed`: only looked at, nothing of it is here */
  state: 'streamed' | 'partial' | 'kept'
  /** bytes here, of `total` that keeping it takes */
  arrived: number
  total: number
  /** SHA-256 of its content; only when it is kept */
  digest?: string
}

export interface LibraryContent {
  models: LibraryModel[]
  room: Quota
}

export interface Arrival {
  key: string
  arrived: number
  total: number
  /** over the last seconds; null until there is one */
  bytesPerSecond: number | null
}

export type LibraryEvent =
  | { kind: 'arrival'; arrival: Arrival }
  | { kind: 'note'; key: string; note: string }
  /** another tab has kept or deleted something */
  | { kind: 'changed' }

export interface LibraryApi {
  /** Rejects `file-unsupported` where the browser keeps no files for the page. */
  open(onEvent: (event: LibraryEvent) => void): Promise<LibraryContent>
  list(): Promise<LibraryContent>
  /** Opens a model by its headers. The token is for this call and is not kept. */
  look(callId: number, spec: ModelSpec, token?: string): Promise<LibraryModel>
  /** Fetches what is missing of it; resolves when it is kept. */
  keep(callId: number, spec: ModelSpec, token?: string): Promise<LibraryModel>
  /** Ends a call; what it has fetched stays. */
  stop(callId: number): void
  remove(key: string): Promise<void>
}
