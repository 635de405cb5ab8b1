// The merge as a Hugging Face folder: the anchor's config and tokenizer, the merged weights, a card with the recipe.

import type { Checkpoint } from '../src/core/files/checkpoint.ts'
import { type ExportEntry, exportFolder, writeDirectory, zipFolder } from '../src/core/files/exporter.ts'
import type { Setup } from '../src/core/session/session.ts'
import type { WeightType } from '../src/core/tensors/dtype.ts'
import { modelCard } from '../src/share/modelCard.ts'
import type { Job } from './jobs.ts'

/** A merge as it is stored, on a device or in memory. */
export interface MergedWeights {
  type: WeightType
  readStored(name: string): Promise<Uint8Array>
}

/** Where the merged models are. */
interface Owner {
  get(id: string): { checkpoint: Checkpoint }
}

function entriesOf(session: Owner, setup: Setup, merged: MergedWeights, job: Job): Promise<ExportEntry[]> {
  const { checkpoint } = session.get(setup.anchor)
  return exportFolder(
    {
      anchor: checkpoint,
      type: merged.type,
      card: mergeCard(session, setup, merged.type),
      readWeight: ({ name }) => merged.readStored(name),
    },
    job.signal,
  )
}

/** One zip; the folder in it is called after the method. */
export async function zipEntries(
  session: Owner,
  setup: Setup,
  merged: MergedWeights,
  job: Job,
): Promise<Blob> {
  return zipFolder(await entriesOf(session, setup, merged, job), {
    folder: `${setup.method}-merge`,
    signal: job.signal,
    onProgress: (done, total) => job.report('writing the zip', done, total),
  })
}

/** Names of the files written. */
export async function directoryEntries(
  session: Owner,
  setup: Setup,
  merged: MergedWeights,
  directory: FileSystemDirectoryHandle,
  job: Job,
): Promise<string[]> {
  return writeDirectory(await entriesOf(session, setup, merged, job), directory, {
    signal: job.signal,
    onProgress: (done, total) => job.report('writing the folder', done, total),
  })
}

/** Pieces are moved into a Blob at this size: browsers keep large Blobs on disk, arrays in memory. */
const BLOB_BYTES = 16 * 2 ** 20

/** The files as blobs, for whoever needs them more than once. */
export async function blobEntries(
  session: Owner,
  setup: Setup,
  merged: MergedWeights,
  job: Job,
): Promise<{ path: string; content: Blob }[]> {
  const entries = await entriesOf(session, setup, merged, job)
  const total = entries.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const files: { path: string; content: Blob }[] = []
  let done = 0
  for (const { path, chunks } of entries) {
    const blobs: Blob[] = []
    let pieces: Uint8Array<ArrayBuffer>[] = []
    let held = 0
    const settle = () => {
      blobs.push(new Blob(pieces))
      pieces = []
      held = 0
    }
    for await (const piece of chunks(job.signal)) {
      pieces.push(piece as Uint8Array<ArrayBuffer>)
      held += piece.length
      done += piece.length
      if (held >= BLOB_BYTES) settle()
      job.report('writing the merge', done, total)
    }
    settle()
    files.push({ path, content: new Blob(blobs) })
  }
  return files
}

/** README.md of a merge: enough to make it again. */
export function mergeCard(session: Owner, setup: Setup, type: string): string {
  const name = (id: string) => session.get(id).checkpoint.name
  return modelCard({
    ...setup,
    anchor: name(setup.anchor),
    experts: setup.experts.map(({ id, weight }) => ({ name: name(id), weight })),
    dtype: type,
  })
}
