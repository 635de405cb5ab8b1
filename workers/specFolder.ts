// A model's source as a folder, for the engine and for the library.

import { EngineError } from '../src/core/errors.ts'
import { type CheckpointFolder, filesFolder, urlFolder } from '../src/core/files/folder.ts'
import { handleFolder } from '../src/core/sources/handleFolder.ts'
import { type HubEntry, hubFolder } from '../src/core/sources/hub.ts'
import { PUBLIC_HUB } from '../src/core/sources/hubId.ts'
import { partFolder } from '../src/core/sources/partFolder.ts'
import { politeFetch } from '../src/core/sources/politeFetch.ts'
import type { KeptSource } from '../src/core/store/manifest.ts'
import type { ModelSpec } from './libraryApi.ts'

export interface SpecFolder {
  folder: CheckpointFolder
  source: KeptSource
  name: string
  entries?: readonly HubEntry[]
  licence?: unknown
}

export async function folderOfSpec(
  spec: ModelSpec,
  options: {
    token?: string | undefined
    signal?: AbortSignal | undefined
    onWait?: (reason: string, waitMs: number) => void
  } = {},
): Promise<SpecFolder> {
  switch (spec.kind) {
    case 'hub': {
      const { repo, revision, part } = spec
      const folder = await hubFolder(repo, {
        ...options,
        revision: spec.commit ?? revision,
        hubUrl: spec.hub,
      })
      const { commit, base, entries, card } = folder
      const hub = base === PUBLIC_HUB ? {} : { hub: base }
      const source: KeptSource = { kind: 'hub', repo, revision, commit, ...hub, ...(part && { part }) }
      if (!part) return { folder, entries, licence: card.license, name: repo, source }
      const inside = partFolder(folder, part)
      const byPath = new Map(entries.map((entry) => [entry.path, entry]))
      const own = inside.list().flatMap((path) => {
        const entry = byPath.get(inside.outer(path) ?? '')
        return entry ? { ...entry, path } : []
      })
      return { folder: inside, entries: own, licence: card.license, name: `${repo}/${part}`, source }
    }
    case 'url': {
      const url = new URL(spec.url)
      // Addresses with credentials would carry them into links and lists.
      if (url.username !== '' || url.password !== '')
        throw new EngineError('request-invalid', 'expected an address without name and password in it')
      const folder = urlFolder(spec.url, { fetch: politeFetch({ onWait: options.onWait }) })
      return { folder, name: folder.name, source: { kind: 'url', url: spec.url } }
    }
    case 'folder':
    case 'files': {
      const folder =
        spec.kind === 'files' ? filesFolder(spec.files) : await handleFolder(spec.folder, options.signal)
      return { folder, name: folder.name, source: { kind: 'files', name: folder.name } }
    }
  }
}
