// Models of a hub, of the store and of picked directories for the engine: which bytes, and what the link says of them.

import { EngineError } from '../src/core/errors.ts'
import { type Checkpoint, openCheckpoint } from '../src/core/files/checkpoint.ts'
import { PUBLIC_HUB } from '../src/core/sources/hubId.ts'
import { type KeptSource, sourceKey } from '../src/core/store/manifest.ts'
import { originStorage } from '../src/core/store/originStorage.ts'
import { ModelStore } from '../src/core/store/store.ts'
import type { ModelOrigin, SourceRequest } from './api.ts'
import { digestWeights } from './digest.ts'
import type { Job } from './jobs.ts'
import { folderOfSpec } from './specFolder.ts'

export interface OpenedSource {
  checkpoint: Checkpoint
  origin: ModelOrigin
  name: string
  description: string
}

export async function openSource(
  request: SourceRequest,
  token: string | undefined,
  job: Job,
): Promise<OpenedSource> {
  const { signal } = job
  if (request.kind === 'folder') {
    const { folder, name } = await folderOfSpec(request, { signal })
    const checkpoint = await openCheckpoint(folder, signal)
    const digest = await digestWeights(checkpoint, job)
    return {
      ...{ checkpoint, name, description: 'from a folder on this machine' },
      origin: { kind: 'files', name, digest },
    }
  }
  if (request.kind === 'stored') {
    const store = await ModelStore.open(await originStorage())
    const kept = await store.findDigest(request.digest)
    if (!kept)
      throw new EngineError(
        'file-missing',
        `no model with the content ${request.digest.slice(0, 8)}… is kept in this browser; add it in the library`,
      )
    const { key, name } = kept.manifest
    return {
      checkpoint: await openCheckpoint(await store.folder(key), signal),
      origin: { kind: 'stored', name, digest: request.digest },
      ...{ name, description: 'kept in this browser' },
    }
  }
  const { repo, revision, hub, part } = request
  const place = { ...(hub && { hub }), ...(part && { part }) }
  const source: KeptSource = { kind: 'hub', repo, revision, commit: revision, ...place }
  const kept = await keptFolder(source)
  const folder = kept ?? (await folderOfSpec({ ...request, commit: revision }, { token, signal })).folder
  return {
    checkpoint: await openCheckpoint(folder, signal),
    origin: { kind: 'hub', repo, revision, ...place },
    name: (part ?? repo).split('/').at(-1) ?? repo,
    description: `${new URL(hub ?? PUBLIC_HUB).host}: ${repo} at ${revision.slice(0, 7)}${kept ? ', kept in this browser' : ''}`,
  }
}

/** The same commit from this machine, where it is kept whole. */
async function keptFolder(source: KeptSource) {
  try {
    const store = await ModelStore.open(await originStorage())
    const key = sourceKey(source)
    return (await store.find(key))?.isWhole ? await store.folder(key) : undefined
  } catch (error) {
    // A browser without storage streams.
    if (error instanceof EngineError) return undefined
    throw error
  }
}
