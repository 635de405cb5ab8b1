// Models of a hub on the command line: owner/name@revision, read by ranges, nothing kept. HF_ENDPOINT names another hub,
// HF_TOKEN a token for gated models, HF_HUB_OFFLINE=1 forbids to ask.

import { EngineError } from '../core/errors.ts'
import type { CheckpointFolder } from '../core/files/folder.ts'
import { hubFolder } from '../core/sources/hub.ts'
import { PUBLIC_HUB, readHubId } from '../core/sources/hubId.ts'
import { partFolder } from '../core/sources/partFolder.ts'
import { nodeFolder } from './nodeFolder.ts'

const SCHEME = 'hub:'
/** Less patience than a page has: somebody waits at a prompt. */
const WAITS_MS = [500, 1000, 2000]

/** Opened ones by `hub:owner/name@commit`: a name is asked for once in a process. */
const opened = new Map<string, CheckpointFolder>()

/** Whether a name can be a repository's: owner/name, or marked with hub:. */
export const canBeHub = (name: string): boolean =>
  name.startsWith(SCHEME) || (!/^https?:/.test(name) && readHubId(name) !== undefined)

/** `hub:owner/name@commit` of a name at a revision. Rejects as `hubFolder`. */
export async function findHub(name: string, revision?: string): Promise<string> {
  const id = readHubId(name)
  if (!id)
    throw new EngineError(
      'request-invalid',
      `expected hub:owner/name or hub:owner/name@revision, found ${name}`,
    )
  const { HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE } = process.env
  if (HF_HUB_OFFLINE === '1')
    throw new EngineError('file-missing', `HF_HUB_OFFLINE=1 forbids to ask a hub for ${id.repo}`)
  const folder = await hubFolder(id.repo, {
    revision: revision ?? id.revision,
    hubUrl: HF_ENDPOINT || PUBLIC_HUB,
    token: HF_TOKEN || undefined,
    waitsMs: WAITS_MS,
  })
  const path = `${SCHEME}${folder.repo}${id.part ? `/${id.part}` : ''}@${folder.commit}`
  opened.set(path, id.part ? partFolder(folder, id.part) : folder)
  return path
}

export const isHubPath = (path: string): boolean => opened.has(path)

/** The folder of a path that `findModel` gave: on the disk, or of a hub. */
export async function folderAt(path: string): Promise<CheckpointFolder> {
  return opened.get(path) ?? nodeFolder(path)
}
