// A file format of weights: how to tell that a folder is of it, and how to name its tensors as Hugging Face does. One
// folder each beside this file, found by its place; `openCheckpoint` asks them in order of `rank`.

import type { RawConfig } from '../../model/config.ts'
import type { CheckpointFolder } from '../folder.ts'
import type { ByteSource } from '../source.ts'
import type { StoredWeight } from '../storedWeight.ts'

export interface OpenedFormat {
  /** files of weights, for sizes and hashes */
  files: { source: ByteSource; tensorCount: number; metadata?: Record<string, string> }[]
  /** every tensor, by its Hugging Face name */
  weights: ReadonlyMap<string, StoredWeight>
  /** tensors that are there but hold no values we can read, and why */
  unread?: ReadonlyMap<string, string>
  /** config.json, where the format carries its own or changes what is read; the folder's otherwise */
  rawConfig?: RawConfig
  /** tokenizer.json and tokenizer_config.json, where the format carries them */
  tokenizerJson?: Record<string, unknown>
  tokenizerConfig?: Record<string, unknown>
  /** what a person should know: tensors left out, values rounded */
  notes?: string[]
}

export interface FileFormat {
  id: string
  /** for people: `safetensors`, `GGUF` */
  label: string
  /** formats with a lower rank are asked first */
  rank: number
  /** Whether the folder's weights are in this format; looks at names and, at most, the first bytes. */
  accepts(folder: CheckpointFolder, rawConfig: RawConfig | undefined, signal?: AbortSignal): Promise<boolean>
  /** Headers only: no tensor is read. */
  open(
    folder: CheckpointFolder,
    rawConfig: RawConfig | undefined,
    signal?: AbortSignal,
  ): Promise<OpenedFormat>
}
