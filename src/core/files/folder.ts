// A checkpoint folder, wherever it lies: dropped files, a URL, or memory. Knows paths, not their meaning.

import { EngineError } from '../errors.ts'
import { shardPaths } from './formats/gguf/shards.ts'
import { BlobSource, type ByteSource, MemorySource, parseJsonObject, readText } from './source.ts'
import { AbsentError, type Fetch, UrlSource } from './urlSource.ts'

/** JSON files larger than this are refused, bytes; the largest published tokenizer.json is about 35 MB. */
const JSON_LIMIT = 128 * 2 ** 20
/** The same of files of settings: parsed, they take some ten times their size. */
export const CONFIG_LIMIT = 4 * 2 ** 20

export interface CheckpointFolder {
  readonly name: string
  /** paths known so far; a URL knows only those that were opened */
  list(): string[]
  /** hash of a file's content, where a listing gives one: files of the same hash are the same */
  identity?(path: string): string | undefined
  /** undefined when there is no such file; other failures reject */
  file(path: string, signal?: AbortSignal): Promise<ByteSource | undefined>
}

/** Folder in memory: path → bytes or text. */
export function memoryFolder(
  name: string,
  files: ReadonlyMap<string, Uint8Array | string>,
): CheckpointFolder {
  return {
    name,
    list: () => [...files.keys()],
    async file(path) {
      const content = files.get(path)
      if (content === undefined) return undefined
      return new MemorySource(typeof content === 'string' ? new TextEncoder().encode(content) : content, path)
    },
  }
}

/**
 * Folder of dropped or picked files; paths count from the folder that holds config.json, or from that of a GGUF file,
 * which holds its own. Throws `file-missing` without either, `request-invalid` when two folders beside each other have
 * a config.json.
 */
export function filesFolder(files: readonly File[]): CheckpointFolder {
  const paths = files.map((file) => (file.webkitRelativePath || file.name).replaceAll('\\', '/'))
  const depth = (path: string) => path.split('/').length
  const configs = paths
    .filter((path) => path === 'config.json' || path.endsWith('/config.json'))
    .sort((a, b) => depth(a) - depth(b))
  const gguf = paths.filter((path) => path.endsWith('.gguf')).sort((a, b) => depth(a) - depth(b))[0]
  if (configs.length === 0 && gguf === undefined) {
    const some = paths.slice(0, 5).join(', ') || 'no files'
    throw new EngineError('file-missing', `expected a Hugging Face folder or a GGUF file, found ${some}`, {
      file: 'config.json',
    })
  }
  if (configs.length > 1 && depth(configs[0]) === depth(configs[1]))
    throw new EngineError('request-invalid', `one model at a time: found ${configs[0]} and ${configs[1]}`, {
      file: configs[1],
    })
  const root = configs.length > 0 ? configs[0].slice(0, -'config.json'.length) : gguf.replace(/[^/]*$/, '')
  const inside = new Map<string, File>()
  paths.forEach((path, i) => {
    if (path.startsWith(root)) inside.set(path.slice(root.length), files[i])
  })
  return {
    name: root.split('/').at(-2) ?? gguf?.replace(/\.gguf$/, '') ?? 'dropped files',
    list: () => [...inside.keys()],
    async file(path) {
      const file = inside.get(path)
      return file && new BlobSource(file, path)
    },
  }
}

/**
 * Folder below a base URL, or a GGUF file and its parts; a huggingface.co model page stands for its files. Files are opened once and kept.
 * Throws `request-invalid` for what is not a http(s) URL; relative URLs need `base`.
 */
export function urlFolder(
  url: string,
  options: { fetch?: Fetch | undefined; base?: string | undefined } = {},
): CheckpointFolder {
  const address = folderUrl(url, options.base)
  // A GGUF file stands for itself: what else lies in its folder may be another model.
  const file = /[^/]+\.gguf(?=\/$)/.exec(address.pathname)?.[0]
  const parts = file === undefined ? undefined : shardPaths(decoded(file))
  const root = parts ? new URL('..', address) : address
  const opened = new Map<string, ByteSource>()
  return {
    name: parts ? parts[0].replace(/\.gguf$/, '') : modelName(root),
    list: () => parts ?? [...opened.keys()],
    async file(path, signal) {
      if (parts && !parts.includes(path)) return undefined
      const known = opened.get(path)
      if (known) return known
      const place = new URL(path.split('/').map(encodeURIComponent).join('/'), root).href
      try {
        const source = await UrlSource.open(place, { fetch: options.fetch, signal })
        opened.set(path, source)
        return source
      } catch (error) {
        if (error instanceof AbsentError) return undefined
        throw error
      }
    },
  }
}

function folderUrl(url: string, base: string | undefined): URL {
  let parsed: URL
  try {
    parsed = new URL(url.trim(), base)
  } catch {
    throw new EngineError('request-invalid', `expected a URL, found ${JSON.stringify(url)}`)
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    throw new EngineError('request-invalid', `expected a http or https URL, found ${parsed.protocol}`)
  parsed.hash = ''
  parsed.search = ''
  parsed.pathname = parsed.pathname.replace(/\/+(config\.json)?$/, '')
  if (parsed.hostname === 'huggingface.co' || parsed.hostname === 'hf.co') {
    const [owner, model, kind, revision, ...rest] = parsed.pathname.split('/').slice(1)
    if (owner && model && (kind === undefined || kind === 'tree' || kind === 'blob'))
      parsed.pathname = ['', owner, model, 'resolve', revision ?? 'main', ...rest].join('/')
  }
  if (!parsed.pathname.endsWith('/')) parsed.pathname += '/'
  return parsed
}

function modelName(root: URL): string {
  const parts = root.pathname.split('/').filter(Boolean)
  const resolve = parts.indexOf('resolve')
  return decoded((resolve > 0 ? parts[resolve - 1] : parts.at(-1)) ?? root.hostname)
}

/** A part of a path without its escapes; as it stands where they are none. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** The parsed object of a JSON file; undefined when absent, `file-malformed` when it is not a JSON object. */
export async function readJsonIfPresent(
  folder: CheckpointFolder,
  path: string,
  signal?: AbortSignal,
  limit = JSON_LIMIT,
): Promise<Record<string, unknown> | undefined> {
  const source = await folder.file(path, signal)
  return source && parseJsonObject(await readText(source, limit, signal), path)
}

/** The same, `file-missing` when absent. */
export async function readJson(
  folder: CheckpointFolder,
  path: string,
  signal?: AbortSignal,
  limit = JSON_LIMIT,
): Promise<Record<string, unknown>> {
  const value = await readJsonIfPresent(folder, path, signal, limit)
  if (value === undefined)
    throw new EngineError('file-missing', `not found in ${folder.name}`, { file: path })
  return value
}
