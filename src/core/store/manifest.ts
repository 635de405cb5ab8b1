// What the store knows of a model that it keeps or is fetching: where from, which files, which of them are here.

import { sha256Text } from '../files/contentHash.ts'
import type { FileHash } from '../sources/hub.ts'

export type KeptSource =
  | {
      kind: 'hub'
      repo: string
      /** as it was asked for */
      revision: string
      commit: string
      /** address of a hub that is not the public one */
      hub?: string
      /** one model of several in it: a file or a folder */
      part?: string
    }
  | { kind: 'url'; url: string }
  | { kind: 'files'; name: string }

/** What its headers say, for people. */
export interface ModelAbout {
  format: string
  family: string
  parameterCount: number
  /** bytes of the weights */
  byteLength: number
  licence?: string
}

export interface ManifestFile {
  path: string
  size: number
  hash?: FileHash
  /** ETag or date that it was fetched under, where there is no hash */
  validator?: string
  /** its name among the stored files; absent until it is whole and verified */
  blob?: string
}

export interface Manifest {
  version: 1
  /** tells sources apart, see `sourceKey` */
  key: string
  name: string
  source: KeptSource
  about: ModelAbout
  files: ManifestFile[]
  /** SHA-256 over its files' names and hashes; only when all are here */
  digest?: string
  /** ISO 8601 */
  addedAt: string
}

/** Equal for equal sources. */
export function sourceKey(source: KeptSource): string {
  switch (source.kind) {
    case 'hub':
      return `hub:${source.hub ? `${source.hub}/` : ''}${source.repo}@${source.commit}${source.part ? `#${source.part}` : ''}`
    case 'url':
      return `url:${source.url}`
    case 'files':
      return `files:${source.name}`
  }
}

export const manifestName = async (key: string): Promise<string> =>
  `${(await sha256Text(key)).slice(0, 32)}.json`

export const blobName = ({ kind, hex }: FileHash): string => `${kind}-${hex}`

/** Two models that share a file with a known hash share its download. */
export const partialKey = async (key: string, file: ManifestFile): Promise<string> =>
  file.hash ? blobName(file.hash) : `of-${(await sha256Text(`${key}\n${file.path}`)).slice(0, 40)}`

/** Identity of a model's content: the same files, wherever they came from. */
export function contentDigest(files: readonly ManifestFile[]): Promise<string> {
  const lines = files.map(({ path, size, blob }) => `${path} ${size} ${blob}\n`)
  return sha256Text(lines.sort().join(''))
}

/** The manifest in a file; undefined for anything else. Its own kind wrote it, so only what would mislead is checked. */
export function parseManifest(text: string): Manifest | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const manifest = value as Manifest
  const isOurs =
    typeof manifest === 'object' &&
    manifest?.version === 1 &&
    typeof manifest.key === 'string' &&
    typeof manifest.name === 'string' &&
    typeof manifest.about === 'object' &&
    Array.isArray(manifest.files) &&
    manifest.files.every(({ path, size }) => typeof path === 'string' && Number.isSafeInteger(size))
  return isOurs && manifest.source && sourceKey(manifest.source) === manifest.key ? manifest : undefined
}
