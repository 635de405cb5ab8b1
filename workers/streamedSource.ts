// A source of a merge to disk as a folder: what is dropped or picked here, an address, a model of the library, or one
// that is built in.

import { EngineError } from '../src/core/errors.ts'
import { applyAdapter } from '../src/core/files/adapter/applyAdapter.ts'
import { splitAdapter } from '../src/core/files/adapter/droppedAdapter.ts'
import { type Checkpoint, openCheckpoint } from '../src/core/files/checkpoint.ts'
import { type CheckpointFolder, filesFolder, urlFolder } from '../src/core/files/folder.ts'
import { handleFolder } from '../src/core/sources/handleFolder.ts'
import { originStorage } from '../src/core/store/originStorage.ts'
import { ModelStore } from '../src/core/store/store.ts'
import { zooUrl } from './builtIn.ts'
import { folderOfSpec } from './specFolder.ts'
import type { StreamedSource } from './streamedApi.ts'

/** The folder with its model's card, where a hub has read it. */
export async function folderOfSource(
  source: StreamedSource,
): Promise<CheckpointFolder & { card?: Record<string, unknown> }> {
  switch (source.kind) {
    case 'files': {
      const adapter = splitAdapter(source.files)
      return adapter?.others.length === 0 ? adapter.folder : filesFolder(source.files)
    }
    case 'directory':
      return handleFolder(source.handle)
    case 'url':
      return urlFolder(source.url)
    case 'built-in':
      return urlFolder(`${zooUrl()}${source.id}/`)
    case 'spec':
      return (await folderOfSpec(source.spec, { token: source.token })).folder
    case 'kept': {
      const store = await ModelStore.open(await originStorage())
      if (!(await store.find(source.key))?.isWhole)
        throw new EngineError('file-missing', `${source.name} is not kept in this browser any more`)
      return store.folder(source.key)
    }
  }
}

/** Its checkpoint; a folder that holds an adapter lies on `base`, the first model that has weights of its own. */
export async function openStreamedSource(
  source: StreamedSource,
  folder: CheckpointFolder,
  base: Checkpoint | undefined,
): Promise<Checkpoint> {
  const isAdapter = (await folder.file('adapter_config.json')) !== undefined
  if (!isAdapter) return openCheckpoint(folder)
  if (!base)
    throw new EngineError(
      'request-invalid',
      `${source.name} is an adapter: add the model it was trained on first`,
    )
  return applyAdapter(base, folder)
}
