// GGUF files of made-up models for tests: of arrays by name, or of a whole checkpoint with its tokenizer.

import type { Checkpoint } from '../core/files/checkpoint.ts'
import {
  type GgufModel,
  type GgufType,
  layGguf,
  type Requantisation,
  writeGguf,
} from '../core/files/formats/gguf/write.ts'
import { readElements } from '../core/files/storedWeight.ts'
import { concat } from './tinyCheckpoint.ts'

export interface GgufFile {
  bytes: Uint8Array<ArrayBuffer>
  requantised: Requantisation[]
  fallbacks: string[]
  notes: string[]
}

/** Writes with strips of `strip` elements, so that weights come in several. */
export async function ggufOf(
  model: Omit<GgufModel, 'name'> & { arrays: ReadonlyMap<string, Float32Array> },
  type: GgufType,
  strip = 500,
): Promise<GgufFile> {
  const layout = layGguf({ name: 'tiny', ...model }, type)
  const requantised: Requantisation[] = []
  const parts: Uint8Array[] = []
  const read = async ({ name }: { name: string }, begin: number, count: number) =>
    model.arrays.get(name)!.slice(begin, begin + count)
  for await (const part of writeGguf(layout, read, { strip, onTensor: (done) => requantised.push(done) }))
    parts.push(part)
  return { bytes: concat(parts), requantised, fallbacks: layout.fallbacks, notes: layout.notes }
}

/** The same of an opened checkpoint. */
export async function ggufOfCheckpoint(checkpoint: Checkpoint, type: GgufType): Promise<GgufFile> {
  const arrays = new Map<string, Float32Array>()
  for (const [name, weight] of checkpoint.stored) arrays.set(name, await readElements(weight))
  return ggufOf({ ...checkpoint, arrays }, type)
}
