// Names of hub repositories as people write them: owner/name, owner/name@revision, hub:owner/name@revision, or the
// address of a model's page.

import { EngineError } from '../errors.ts'

export const PUBLIC_HUB = 'https://huggingface.co'

export interface HubId {
  /** owner/name */
  repo: string
  /** branch, tag or commit; `main` where none is named */
  revision: string
}

/** What a hub allows in names; anything else could leave the path it is put in. */
const PART = /^[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?$/
const REVISION = /^(?!\/)(?!.*(?:\.\.|\/\/|[\p{Cc}\s~^:?*[\\]))[^@]{1,200}$/u

export const isRepo = (text: string): boolean => {
  const parts = text.split('/')
  return parts.length === 2 && parts.every((part) => PART.test(part) && !/--|\.\./.test(part))
}
export const isRevision = (text: string): boolean => REVISION.test(text)
export const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text)

/** Reads a name; undefined when it is none of the forms. */
export function readHubId(text: string): HubId | undefined {
  const page = /^https?:\/\/(?:huggingface\.co|hf\.co)\/([^?#]+)/.exec(text.trim())
  if (page) {
    const [owner, name, kind, ...rest] = page[1].split('/').filter(Boolean)
    // A file of a repository with several models is an address like any other.
    if (rest.at(-1)?.endsWith('.gguf')) return undefined
    if (kind !== undefined && kind !== 'tree' && kind !== 'blob' && kind !== 'resolve') return undefined
    return checked(`${owner}/${name}`, rest[0] === undefined ? 'main' : decodeURIComponent(rest[0]))
  }
  const plain = text.trim().replace(/^hub:/, '')
  const at = plain.indexOf('@')
  return at < 0 ? checked(plain, 'main') : checked(plain.slice(0, at), plain.slice(at + 1))
}

function checked(repo: string, revision: string): HubId | undefined {
  return isRepo(repo) && isRevision(revision) ? { repo, revision } : undefined
}

/** The same; `request-invalid` names what was expected. */
export function requireHubId(text: string): HubId {
  const id = readHubId(text)
  if (!id)
    throw new EngineError(
      'request-invalid',
      `expected a repository such as owner/name or owner/name@revision, found ${JSON.stringify(text.slice(0, 120))}`,
    )
  return id
}

/** Base address of a hub without its last slash; `request-invalid` for what is no http(s) address. */
export function hubBase(address: string = PUBLIC_HUB): string {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new EngineError('request-invalid', `expected the http(s) address of a hub, found ${address}`)
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}
