// Files to a repository of a hub, in one commit: the repository is made where there is none, small files go into the
// commit, large ones through LFS. The token is used for these requests and kept nowhere.

import { EngineError, throwIfCancelled } from '../errors.ts'
import { hubBase, isRepo } from './hubId.ts'

export interface PushTarget {
  /** owner/name */ repo: string
  /** address of a hub that is not the public one */ hub?: string
  token: string
  /** seen by its owner alone; only where the repository is new */ isPrivate: boolean
}

export interface PushedFolder {
  /** page of the repository */ url: string
  /** 40 hexadecimal digits */ commit: string
  /** the repository was there before */ isUpdate: boolean
}

export interface PushOptions {
  /** first line of the commit */ title: string
  signal?: AbortSignal | undefined
  /** bytes that are at the hub, of all large files */
  onProgress?: ((done: number, total: number) => void) | undefined
  fetch?: typeof fetch
}

interface HubError {
  statusCode?: number
  message?: string
}

/** What a hub's refusal means, without the token. */
function refusalOf(error: unknown, { repo, token }: PushTarget, host: string): EngineError {
  if (error instanceof EngineError) return error
  const { statusCode, message = String(error) } = error as HubError
  const said = message.replaceAll(token, '…').split('\n')[0]!.slice(0, 300)
  if (statusCode === 401)
    return new EngineError('access-refused', `${host} does not accept this token: it is wrong or expired`)
  if (statusCode === 403)
    return new EngineError(
      'access-refused',
      `${host} lets this token write nothing to ${repo}: it needs the right to write there`,
    )
  if (statusCode !== undefined)
    return new EngineError('request-invalid', `${host} answered ${statusCode} for ${repo}: ${said}`)
  return new EngineError('file-missing', `${host} gave no answer: ${said}`)
}

/**
 * Uploads files and commits them to `main`. Rejects `request-invalid` for a name that is none, `access-refused` for a
 * token without the right, `cancelled`; nothing is committed then, though uploaded bytes may lie at the hub unnamed.
 */
export async function pushFolder(
  files: readonly { path: string; content: Blob }[],
  target: PushTarget,
  options: PushOptions,
): Promise<PushedFolder> {
  const { repo, token, isPrivate } = target
  const { title, signal, onProgress } = options
  if (!isRepo(repo))
    throw new EngineError(
      'request-invalid',
      `expected a repository such as owner/name, found ${repo.slice(0, 120)}`,
    )
  if (token.trim() === '')
    throw new EngineError('access-refused', 'a token with the right to write is needed')
  const hubUrl = hubBase(target.hub)
  const host = new URL(hubUrl).host
  const { createRepo, commitIter } = await import('@huggingface/hub')
  const shared = {
    ...{ repo, hubUrl, accessToken: token.trim() },
    ...(options.fetch && { fetch: options.fetch }),
  }
  let isUpdate = false
  try {
    try {
      await createRepo({ ...shared, visibility: isPrivate ? 'private' : 'public' })
    } catch (error) {
      // Its own repositories are there already: that is no reason to stop.
      if ((error as HubError).statusCode !== 409) throw error
      isUpdate = true
    }
    throwIfCancelled(signal)
    const sizes = new Map(files.map(({ path, content }) => [path, content.size]))
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
    const sent = new Map<string, number>()
    const commits = commitIter({
      ...shared,
      title,
      operations: files.map(({ path, content }) => ({ operation: 'addOrUpdate', path, content })),
      // Plain uploads: the other protocol cuts files in WebAssembly and speaks to a third host.
      useXet: false,
      ...(signal && { abortSignal: signal }),
    })
    for (;;) {
      const step = await commits.next()
      throwIfCancelled(signal)
      if (step.done) {
        if (!step.value) throw new Error('no commit')
        return { url: `${hubUrl}/${repo}`, commit: step.value.commit.oid, isUpdate }
      }
      const event = step.value
      if (event.event !== 'fileProgress' || event.state !== 'uploading') continue
      sent.set(event.path, event.progress * (sizes.get(event.path) ?? 0))
      onProgress?.(
        [...sent.values()].reduce((sum, bytes) => sum + bytes, 0),
        total,
      )
    }
  } catch (error) {
    throwIfCancelled(signal)
    throw refusalOf(error, target, host)
  }
}
