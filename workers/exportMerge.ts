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
