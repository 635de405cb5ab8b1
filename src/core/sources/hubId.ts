// Names of hub repositories as people write them: owner/name, owner/name@revision, owner/name/FILE.gguf@revision for one
// file of many, hub:owner/name/FOLDER, or the address of a model's or file's page.

import { EngineError } from '../errors.ts'

export const PUBLIC_HUB = 'https://huggingface.co'

export interface HubId {
  /** owner/name */
  repo: string
  /** branch, tag or commit; `main` where none is named */
  revision: string
  /** a .gguf file or a folder inside the repository, where it holds several models */
  part?: string
}

/** What a hub allows in names; anything else could leave the path it is put in. */
const PART = /^[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?$/
const REVISION = /^(?!\/)(?!.*(?:\.\.|\/\/|[\p{Cc}\s~^:?*[\\]))[^@]{1,200}$/u

export const isRepo = (text: string): boolean => {
  const parts = text.split('/')
  return parts.length === 2 && parts.every((part) => PART.test(part) && !/--|\.\./.test(part))
}
/** A path inside a repository. */
export const isPart = (text: string): boolean =>
  text.length <= 300 &&
  /^[^\p{Cc}\\?#@]+$/u.test(text) &&
  text.split('/').every((one) => !/^\.{0,2}$/.test(one))
export const isRevision = (text: string): boolean => REVISION.test(text)
export const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text)

/** Reads a name; undefined when it is none of the forms. */
export function readHubId(text: string): HubId | undefined {
  const page = /^https?:\/\/(?:huggingface\.co|hf\.co)\/([^?#]+)/.exec(text.trim())
  if (page) {
    const [owner, name, kind, ...rest] = page[1].split('/').filter(Boolean)
    if (kind !== undefined && kind !== 'tree' && kind !== 'blob' && kind !== 'resolve') return undefined
    const [revision = 'main', ...inside] = rest.map(decodeURIComponent)
    return checked(owner, name, revision, inside.join('/'))
  }
  const plain = text.trim().replace(/^hub:/, '')
  const at = plain.indexOf('@')
  const [owner, name, ...inside] = (at < 0 ? plain : plain.slice(0, at)).split('/')
  const part = inside.join('/')
  // Without the mark, three names in a row are a path on the disk rather than a folder of a repository.
  if (part !== '' && !part.endsWith('.gguf') && !text.trim().startsWith('hub:')) return undefined
  return checked(owner, name, at < 0 ? 'main' : plain.slice(at + 1), part)
}

function checked(
  owner: string | undefined,
  name: string | undefined,
  revision: string,
  part: string,
): HubId | undefined {
  if (owner === undefined || name === undefined) return undefined
  const repo = `${owner}/${name}`
  if (!isRepo(repo) || !isRevision(revision)) return undefined
  if (part === '') return { repo, revision }
  return isPart(part) ? { repo, revision, part } : undefined
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
