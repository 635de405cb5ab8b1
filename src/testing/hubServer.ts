// A hub on this machine that speaks the real API: revisions, listings, ranges with a redirect to a CDN at another origin,
// gated repositories, CORS headers. Its misbehaviour (hubMisbehaviour.ts) is what tests set. It keeps a log of requests.

import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Misbehaviour, misbehave, send } from './hubMisbehaviour.ts'
import { createWrites, isWrite, type Writers } from './hubWrites.ts'

export interface HubRepo {
  files: ReadonlyMap<string, Uint8Array>
  /** files too large to be held: their first bytes, zeros after them up to `size` */
  sparse?: ReadonlyMap<string, { head: Uint8Array; size: number }>
  /** paths that lie in git itself; everything else is a large file with a SHA-256 */
  inGit?: (path: string) => boolean
  /** needs a token: one of these may read, another one is refused */
  gatedFor?: readonly string[]
  card?: Record<string, unknown>
  /** made as one that its owner alone sees */
  isPrivate?: boolean
}

export interface LoggedRequest {
  at: 'hub' | 'cdn'
  method: string
  /** path with query */
  url: string
  range: string | undefined
  authorization: string | undefined
  origin: string | undefined
  status: number
  /** bytes of the body that were handed to the connection */
  sent: number
}

export interface HubServer {
  /** address without a last slash, as `hubUrl` */
  url: string
  cdnUrl: string
  log: LoggedRequest[]
  repos: Map<string, HubRepo>
  /** by `owner/name path`, or `owner/name` for all of its files */
  misbehaviour: Map<string, Misbehaviour>
  commitOf(repo: string): string
  close(): Promise<void>
}

const hex = (algorithm: string, ...parts: (Uint8Array | string)[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash(algorithm)).digest('hex')
const gitHash = (bytes: Uint8Array): string => hex('sha1', `blob ${bytes.length}\0`, bytes)

/** The real hub's, for requests from pages. */
const EXPOSED =
  'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash'

export async function startHubServer(
  repos: ReadonlyMap<string, HubRepo>,
  options: { isSplit?: boolean; pageSize?: number; writers?: Writers } = {},
): Promise<HubServer> {
  const { isSplit = true, pageSize = 1000 } = options
  const log: LoggedRequest[] = []
  const all = new Map(repos)
  const misbehaviour = new Map<string, Misbehaviour>()
  const counts = new Map<string, number>()
  const commits = new Map<string, string>()
  // A commit names what the files were when it was made: a server that lies about them keeps it.
  const commitOf = (name: string): string => {
    const known = commits.get(name)
    if (known) return known
    const repo = all.get(name)
    const lines = [...(repo?.files ?? [])].map(([path, bytes]) => `${path} ${gitHash(bytes)}`)
    const commit = hex('sha1', lines.join('\n'))
    commits.set(name, commit)
    return commit
  }

  const cors = (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader('Access-Control-Allow-Origin', request.headers.origin ? '*' : 'https://huggingface.co')
    response.setHeader('Access-Control-Expose-Headers', EXPOSED)
    response.setHeader('Vary', 'Origin')
  }
  const note = (at: 'hub' | 'cdn', request: IncomingMessage, response: ServerResponse): LoggedRequest => {
    const { range, authorization, origin } = request.headers
    const entry: LoggedRequest = {
      ...{ at, method: request.method ?? '', url: request.url ?? '' },
      ...{ range, authorization, origin, status: 0, sent: 0 },
    }
    log.push(entry)
    response.on('close', () => {
      entry.status = response.statusCode
    })
    return entry
  }
  const refuse = (response: ServerResponse, status: number, code: string, message: string): void => {
    response.writeHead(status, {
      'Content-Type': 'application/json; charset=utf-8',
      'X-Error-Code': code,
      'X-Error-Message': message,
    })
    response.end(JSON.stringify({ error: message }))
  }
  const json = (response: ServerResponse, value: unknown): void => {
    response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' })
    response.end(JSON.stringify(value))
  }
  const tokenOf = (request: IncomingMessage): string | undefined =>
    /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]

  /** The repository and revision of a request, or undefined when it was refused. */
  function open(name: string, revision: string, response: ServerResponse): HubRepo | undefined {
    const repo = all.get(name)
    if (!repo) refuse(response, 401, 'RepoNotFound', 'Invalid username or password.')
    else if (!['main', 'HEAD', commitOf(name)].includes(revision))
      refuse(response, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`)
    else return repo
    return undefined
  }

  function answerApi(response: ServerResponse, url: URL): void {
    const info = /^\/api\/models\/([^/]+\/[^/]+)\/revision\/([^/]+)$/.exec(url.pathname)
    const tree = /^\/api\/models\/([^/]+\/[^/]+)\/tree\/([^/]+)$/.exec(url.pathname)
    const [, name, revision] = (info ?? tree)!
    const repo = open(name, decodeURIComponent(revision), response)
    if (!repo) return
    if (info) {
      json(response, {
        ...{ _id: hex('md5', name).slice(0, 24), id: name, sha: commitOf(name), private: false },
        ...{ gated: repo.gatedFor ? 'manual' : false, downloads: 0, likes: 0 },
        ...{ lastModified: '2026-01-01T00:00:00.000Z', cardData: repo.card ?? {} },
        siblings: [...repo.files.keys()].map((rfilename) => ({ rfilename })),
      })
      return
    }
    const promised = (path: string, bytes: Uint8Array) =>
      misbehaviour.get(`${name} ${path}`)?.promisedHash ?? hex('sha256', bytes)
    const large = [...(repo.sparse ?? [])].map(([path, { head, size }]) => ({
      ...{ type: 'file', oid: gitHash(head), size, path },
      lfs: { oid: hex('sha256', head), size, pointerSize: 134 },
    }))
    const small = [...repo.files].map(([path, bytes]) => ({
      ...{ type: 'file', oid: gitHash(bytes), size: bytes.length, path },
      ...(!repo.inGit?.(path) && {
        lfs: { oid: promised(path, bytes), size: bytes.length, pointerSize: 134 },
      }),
    }))
    const entries = [...small, ...large]
    const from = Number(url.searchParams.get('cursor') ?? 0)
    if (from + pageSize < entries.length) {
      url.searchParams.set('cursor', String(from + pageSize))
      response.setHeader('Link', `<${server.url}${url.pathname}${url.search}>; rel="next"`)
    }
    json(response, entries.slice(from, from + pageSize))
  }

  function answerFile(request: IncomingMessage, response: ServerResponse, path: string, at: 'hub' | 'cdn') {
    const match = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path)
    if (!match) return refuse(response, 404, '', 'Not Found')
    const [, name, revision, encoded] = match
    const file = decodeURIComponent(encoded)
    const repo = open(name, decodeURIComponent(revision), response)
    if (!repo) return
    const token = tokenOf(request)
    if (at === 'hub' && repo.gatedFor && !repo.gatedFor.includes(token ?? ''))
      return refuse(
        response,
        token ? 403 : 401,
        'GatedRepo',
        token
          ? `Access to model ${name} is restricted and you are not in the authorized list.`
          : `Access to model ${name} is restricted. You must have access to it and be authenticated to access it.`,
      )
    const sparse = repo.sparse?.get(file)
    if (sparse) return answerSparse(request, response, sparse)
    const bytes = repo.files.get(file)
    response.setHeader('X-Repo-Commit', commitOf(name))
    if (!bytes) return refuse(response, 404, 'EntryNotFound', 'Entry not found')
    const isLarge = !repo.inGit?.(file)
    const etag = `"${isLarge ? hex('sha256', bytes) : gitHash(bytes)}"`
    if (at === 'hub' && isLarge) {
      response.setHeader('X-Linked-Size', bytes.length)
      response.setHeader('X-Linked-ETag', etag)
    }
    if (at === 'hub' && isLarge && isSplit) {
      response.writeHead(302, {
        Location: `${server.cdnUrl}${path}?signature=short-lived`,
        'Content-Length': 0,
      })
      response.end()
      return
    }
    const key = misbehaviour.has(`${name} ${file}`) ? `${name} ${file}` : name
    const misdeed = misbehaviour.get(key)
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    const entry = log.findLast((seen) => seen.at === at && seen.url === request.url && seen.status === 0)!
    if (misdeed) misbehave(misdeed, { request, response, bytes, etag, count, entry })
    else send({ request, response, bytes, etag, count, entry })
  }

  /** Ranges of a file of which only the first bytes exist; the whole of it is never sent. */
  function answerSparse(
    request: IncomingMessage,
    response: ServerResponse,
    { head, size }: { head: Uint8Array; size: number },
  ) {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    if (!range) return refuse(response, 400, '', 'expected a range')
    const [from, to] = [Number(range[1]), Math.min(size, Number(range[2]) + 1)]
    const body = new Uint8Array(to - from)
    body.set(head.subarray(from, to))
    response.writeHead(206, {
      'Content-Range': `bytes ${from}-${to - 1}/${size}`,
      'Content-Length': body.length,
    })
    response.end(body)
    const entry = log.findLast((seen) => seen.url === request.url && seen.status === 0)
    if (entry) entry.sent += body.length
  }

  const handle = (at: 'hub' | 'cdn') => (request: IncomingMessage, response: ServerResponse) => {
    note(at, request, response)
    cors(request, response)
    if (request.method === 'OPTIONS') {
      response.setHeader(
        'Access-Control-Allow-Headers',
        'authorization, range, accept, content-type, x-request-id',
      )
      response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, OPTIONS')
      response.setHeader('Access-Control-Max-Age', '600')
      response.writeHead(204).end()
      return
    }
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (at === 'hub' && isWrite(request.method, url.pathname)) {
      if (!options.writers) return refuse(response, 401, '', 'Invalid credentials in Authorization header')
      void writes(request, response, url.pathname)
      return
    }
    if (at === 'hub' && /^\/api\/models\/[^/]+\/[^/]+\/(revision|tree)\/[^/]+$/.test(url.pathname))
      answerApi(response, url)
    else answerFile(request, response, url.pathname, at)
  }
  const listen = async (listener: Server): Promise<string> => {
    await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done))
    return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
  }
  const hub = createServer(handle('hub'))
  const cdn = createServer(handle('cdn'))
  const base = await listen(hub)
  const writes = createWrites({
    ...{ repos: all, writers: options.writers ?? { owners: new Map() }, url: base, commitOf },
    forget: (name) => commits.delete(name),
  })
  const server: HubServer = {
    ...{ url: base, cdnUrl: await listen(cdn) },
    ...{ log, repos: all, misbehaviour, commitOf },
    close: async () => {
      for (const one of [hub, cdn]) {
        one.closeAllConnections()
        await new Promise((done) => one.close(done))
      }
    },
  }
  return server
}
