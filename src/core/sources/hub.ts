// A model repository of a hub at one commit, as a checkpoint folder: a real listing with sizes and hashes, bytes by
// ranges. The revision becomes a commit first, so that nothing can change under a reader. The token goes to the hub's
// own origin alone and is kept nowhere but in this object's fetch.

import { EngineError, throwIfCancelled } from '../errors.ts'
import type { CheckpointFolder } from '../files/folder.ts'
import { messageOf } from '../files/source.ts'
import { type Fetch, UrlSource } from '../files/urlSource.ts'
import { hubRefusal } from './hubAnswers.ts'
import { hubBase, isCommit, isRepo, isRevision } from './hubId.ts'
import { politeFetch } from './politeFetch.ts'

/** SHA-256 of a file, or the SHA-1 that git gives an object; hexadecimal. */
export interface FileHash {
  kind: 'sha256' | 'git'
  hex: string
}

export interface HubEntry {
  path: string
  /** bytes */
  size: number
  hash: FileHash | undefined
}

export interface HubFolder extends CheckpointFolder {
  repo: string
  /** as asked for */
  revision: string
  /** 40 hexadecimal digits */
  commit: string
  base: string
  entries: readonly HubEntry[]
  isGated: boolean
  /** the card's YAML head, as the hub read it */
  card: Record<string, unknown>
}

export interface HubOptions {
  /** branch, tag or commit; `main` by default */
  revision?: string | undefined
  /** sent to the hub's origin alone */
  token?: string | undefined
  /** another hub's address, e.g. a mirror */
  hubUrl?: string | undefined
  fetch?: Fetch | undefined
  signal?: AbortSignal | undefined
  /** told before a failed request is repeated */
  onWait?: ((reason: string, waitMs: number) => void) | undefined
  waitsMs?: readonly number[] | undefined
  /** a body that sends nothing for so long has broken off, 30 s */
  stallMs?: number | undefined
}

/** More files than any model has; a listing may be cut into pages without end. */
const MAXIMUM_ENTRIES = 20_000

/**
 * Two requests: revision → commit, and the list of its files. Rejects `access-refused` where a token or consent is
 * needed, `file-missing` for unknown names and a hub out of reach, `request-invalid` for what is no repository's name.
 */
export async function hubFolder(repo: string, options: HubOptions = {}): Promise<HubFolder> {
  const { revision = 'main', signal } = options
  if (!isRepo(repo))
    throw new EngineError('request-invalid', `expected owner/name, found ${JSON.stringify(repo)}`)
  if (!isRevision(revision))
    throw new EngineError('request-invalid', `${JSON.stringify(revision)} is no name of a revision`)
  const base = hubBase(options.hubUrl)
  // The signal ends this call, not later reads of the folder.
  const ask = hubFetch({ ...options, repo, revision, base })
  const plain = ((url: string, init: RequestInit) =>
    ask(url, { ...init, ...(signal && { signal }) })) as unknown as typeof fetch
  const { listFiles, modelInfo } = await import('@huggingface/hub')
  const found = await inWords(base, signal, async () => {
    const info = await modelInfo({
      name: repo,
      revision,
      hubUrl: base,
      fetch: plain,
      additionalFields: ['sha', 'cardData'],
    })
    const commit = String(info.sha)
    if (!isCommit(commit))
      throw new EngineError('file-malformed', `expected a commit of 40 digits, found ${commit.slice(0, 60)}`)
    const entries: HubEntry[] = []
    for await (const { type, path, size, oid, lfs } of listFiles({
      repo: { type: 'model', name: repo },
      revision: commit,
      recursive: true,
      hubUrl: base,
      fetch: plain,
    })) {
      if (type !== 'file') continue
      if (entries.length >= MAXIMUM_ENTRIES)
        throw new EngineError('file-unsupported', `${repo} has more than ${MAXIMUM_ENTRIES} files`)
      entries.push(entryOf(path, lfs?.size ?? size, lfs?.oid, oid))
    }
    return { commit, entries, gated: info.gated, card: info.cardData }
  })
  const { commit, entries } = found
  const sources = new Map<string, UrlSource>()
  const byPath = new Map(entries.map((entry) => [entry.path, entry]))
  return {
    name: repo.split('/')[1],
    repo,
    revision,
    commit,
    base,
    entries,
    isGated: Boolean(found.gated),
    card: typeof found.card === 'object' && found.card ? (found.card as Record<string, unknown>) : {},
    list: () => [...byPath.keys()],
    identity: (path) => byPath.get(path)?.hash?.hex,
    async file(path) {
      const entry = byPath.get(path)
      if (!entry) return undefined
      const known = sources.get(path)
      if (known) return known
      const address = `${base}/${repo}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`
      const source = UrlSource.known(address, entry.size, {
        fetch: ask,
        name: path,
        retryMs: options.waitsMs,
        stallMs: options.stallMs,
      })
      sources.set(path, source)
      return source
    },
  }
}

/** One file of a listing, checked: a hub is a stranger too. */
function entryOf(path: unknown, size: unknown, sha256: unknown, git: unknown): HubEntry {
  if (
    typeof path !== 'string' ||
    path === '' ||
    path.startsWith('/') ||
    /(^|\/)\.\.?(\/|$)|[\\\0]/.test(path)
  )
    throw new EngineError(
      'file-malformed',
      `the hub lists a file with the path ${JSON.stringify(path)?.slice(0, 200)}`,
    )
  if (!Number.isSafeInteger(size) || (size as number) < 0)
    throw new EngineError('file-malformed', `the hub gives no size`, { file: path })
  const hash: FileHash | undefined =
    typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)
      ? { kind: 'sha256', hex: sha256 }
      : sha256 === undefined && typeof git === 'string' && /^[0-9a-f]{40}$/.test(git)
        ? { kind: 'git', hex: git }
        : undefined
  return { path, size: size as number, hash }
}

/** The hub's fetch: token for its origin only, refusals in words, failures repeated. */
function hubFetch(about: HubOptions & { repo: string; revision: string; base: string }): Fetch {
  const { token, base, repo, revision, onWait } = about
  const origin = new URL(base).origin
  const polite = politeFetch({
    fetch: about.fetch,
    onWait,
    ...(about.waitsMs && { waitsMs: about.waitsMs }),
  })
  return async (url, init = {}) => {
    const headers = new Headers(init.headers)
    // Redirects lose the header at the next origin: every fetch drops it there. Pages of a listing are not redirects.
    if (token && new URL(url).origin === origin) headers.set('Authorization', `Bearer ${token}`)
    const response = await polite(url, { ...init, headers })
    const refusal = await hubRefusal(response, { repo, revision, base, hasToken: Boolean(token) })
    if (!refusal) return response
    await response.body?.cancel()
    throw refusal
  }
}

/** The library's own errors, and answers that are no JSON, as ours. */
async function inWords<T>(base: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throwIfCancelled(signal)
    if (error instanceof EngineError) throw error
    throw new EngineError('file-missing', `${new URL(base).host} gave no listing: ${messageOf(error)}`)
  }
}
