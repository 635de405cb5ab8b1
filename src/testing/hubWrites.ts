// The writing half of the hub on this machine: repositories made, files announced, LFS uploads with their hashes checked,
// commits as NDJSON. As the real API has it: https://huggingface.co/docs/hub/api and its own client's requests.

import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HubRepo } from './hubServer.ts'

/** Who may write what. */
export interface Writers {
  /** owners by token; any other token is refused */
  owners: ReadonlyMap<string, string>
  /** called before an upload's bytes are answered; may wait, so that a test can stop in the middle */
  onUpload?: (oid: string) => void | Promise<void>
}

export interface WriteContext {
  repos: Map<string, HubRepo>
  writers: Writers
  /** address of this server, for uploads */ url: string
  /** after a commit: the repository's old commit is no longer its newest */ forget(repo: string): void
  commitOf(repo: string): string
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of request) parts.push(part as Uint8Array)
  return new Uint8Array(Buffer.concat(parts))
}

/** Files that the real hub keeps in LFS by its default .gitattributes, or for their size. */
const isLarge = (path: string, size: number): boolean =>
  /\.(safetensors|bin|gguf|onnx|pt)$/.test(path) || size > 10 * 2 ** 20

const WRITES =
  /^\/(?:api\/repos\/create|api\/models\/[^/]+\/[^/]+\/(?:preupload|commit)\/[^/]+|[^/]+\/[^/]+\.git\/info\/lfs\/objects\/batch|upload\/[0-9a-f]{64})$/

export const isWrite = (method: string | undefined, path: string): boolean =>
  (method === 'POST' || method === 'PUT') && WRITES.test(path)

/** Answers one request; `uploads` holds what was sent and is in no commit yet. */
export function createWrites(context: WriteContext) {
  const uploads = new Map<string, Uint8Array>()
  const { repos, writers } = context

  const answer = (response: ServerResponse, status: number, value: unknown): void => {
    response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' })
    response.end(JSON.stringify(value))
  }
  const refuse = (response: ServerResponse, status: number, error: string) =>
    answer(response, status, { error })

  function create(response: ServerResponse, owner: string, body: Record<string, unknown>) {
    const name = `${String(body.organization)}/${String(body.name)}`
    if (body.type !== 'model') return refuse(response, 400, `type ${String(body.type)}`)
    if (body.organization !== owner)
      return refuse(
        response,
        403,
        `You don't have the rights to create a model under the namespace "${String(body.organization)}"`,
      )
    if (repos.has(name)) return refuse(response, 409, 'You already created this model repo')
    repos.set(name, { files: new Map(), isPrivate: body.visibility === 'private' })
    answer(response, 200, { url: `${context.url}/${name}`, id: name, name })
  }

  function batch(response: ServerResponse, body: { objects: { oid: string; size: number }[] }): void {
    const known = (oid: string) => uploads.has(oid)
    answer(response, 200, {
      transfer: 'basic',
      objects: body.objects.map(({ oid, size }) => ({
        ...{ oid, size },
        ...(!known(oid) && { actions: { upload: { href: `${context.url}/upload/${oid}` } } }),
      })),
    })
  }

  function commit(response: ServerResponse, name: string, body: string) {
    const lines = body
      .split('\n')
      .map((line) => JSON.parse(line) as { key: string; value: Record<string, unknown> })
    const repo = repos.get(name)!
    const files = new Map(repo.files)
    if (lines[0]?.key !== 'header' || typeof lines[0].value.summary !== 'string')
      return refuse(response, 400, 'expected a header with a summary')
    for (const { key, value } of lines.slice(1)) {
      const path = String(value.path)
      if (key === 'file' && value.encoding === 'base64')
        files.set(path, new Uint8Array(Buffer.from(String(value.content), 'base64')))
      else if (key === 'lfsFile') {
        const bytes = uploads.get(String(value.oid))
        if (!bytes || bytes.length !== value.size) return refuse(response, 400, `${path} was not uploaded`)
        files.set(path, bytes)
      } else return refuse(response, 400, `operation ${key}`)
    }
    repos.set(name, { ...repo, files })
    context.forget(name)
    const oid = context.commitOf(name)
    answer(response, 200, {
      success: true,
      commitOid: oid,
      commitUrl: `${context.url}/${name}/commit/${oid}`,
      hookOutput: '',
    })
  }

  return async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    const upload = /^\/upload\/([0-9a-f]{64})$/.exec(path)
    if (upload) {
      const bytes = await bodyOf(request)
      await writers.onUpload?.(upload[1]!)
      if (sha256(bytes) !== upload[1]) return refuse(response, 400, 'the bytes are not those of the hash')
      uploads.set(upload[1]!, bytes)
      response.writeHead(200, { ETag: `"${upload[1]}"` }).end()
      return
    }
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const owner = writers.owners.get(token)
    const body = new TextDecoder().decode(await bodyOf(request))
    if (owner === undefined) return refuse(response, 401, 'Invalid credentials in Authorization header')
    if (path === '/api/repos/create')
      return create(response, owner, JSON.parse(body) as Record<string, unknown>)
    const name = /^\/(?:api\/models\/)?([^/]+\/[^/]+?)(?:\.git\/|\/)/.exec(path)?.[1] ?? ''
    if (!repos.has(name)) return refuse(response, 404, 'Repository not found')
    if (!name.startsWith(`${owner}/`)) return refuse(response, 403, `You don't have write access to ${name}`)
    if (path.includes('/preupload/')) {
      const { files } = JSON.parse(body) as { files: { path: string; size: number }[] }
      return answer(response, 200, {
        files: files.map((file) => ({
          path: file.path,
          uploadMode: isLarge(file.path, file.size) ? 'lfs' : 'regular',
          shouldIgnore: false,
        })),
      })
    }
    if (path.endsWith('/objects/batch'))
      return batch(response, JSON.parse(body) as { objects: { oid: string; size: number }[] })
    return commit(response, name, body)
  }
}
