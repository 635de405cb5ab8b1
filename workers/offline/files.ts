// The files of one build and what of them lies in the browser's cache. Every file is stored under its address and the
// hash of its content, so a new build fetches only what has changed, and is checked against that hash before it is
// stored: a half-finished deployment or a sign-in page of a café is refused.

export interface SiteFile {
  /** below the site's root, without a leading slash */
  path: string
  bytes: number
  /** SHA-256 in hexadecimal, the first 16 bytes */
  hash: string
  /** needed before the page can show anything; the rest comes later */
  isShell: boolean
  /** needed by some browsers alone: kept when one first asks for it */
  isOnUse?: boolean
}

export const CACHE_NAME = 'alignmerge-site'

/** What of a build is stored, by number of files and bytes. */
export interface Kept {
  files: number
  bytes: number
}

const addressOf = (root: string, file: SiteFile): string => `${root}${file.path}?kept=${file.hash}`

/** Whether an address lies below a folder in which the build has files. */
export function isOurFolder(root: string, url: string, files: readonly SiteFile[]): boolean {
  if (!url.startsWith(root)) return false
  const [folder, ...rest] = url.slice(root.length).split('/')
  return rest.length > 0 && files.some(({ path }) => path.startsWith(`${folder}/`))
}

/** The file that an address names, whatever its query and fragment; a folder stands for its index.html. */
export function fileAt(root: string, url: string, files: readonly SiteFile[]): SiteFile | undefined {
  const plain = url.replace(/[?#].*$/s, '')
  if (!plain.startsWith(root)) return undefined
  let path: string
  try {
    path = decodeURIComponent(plain.slice(root.length))
  } catch {
    return undefined
  }
  const wanted = path === '' || path.endsWith('/') ? `${path}index.html` : path
  return files.find((file) => file.path === wanted)
}

export const findKept = async (cache: Cache, root: string, file: SiteFile): Promise<Response | undefined> =>
  cache.match(addressOf(root, file))

async function hashOf(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return [...digest.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Fetches a file, checks it and stores it; one that is there already is left alone. Throws with the reason. */
async function keep(cache: Cache, root: string, file: SiteFile, signal?: AbortSignal): Promise<void> {
  const key = addressOf(root, file)
  signal?.throwIfAborted()
  if (await cache.match(key)) return
  // A name with a hash in it may come from the browser's own cache; all others are asked for again.
  const isNamedByHash = file.path.startsWith('assets/')
  const response = await fetch(root + file.path, {
    cache: isNamedByHash ? 'default' : 'no-cache',
    ...(signal && { signal }),
  })
  if (!response.ok) throw new Error(`${file.path}: the server answered ${response.status}`)
  const bytes = await response.arrayBuffer()
  if ((await hashOf(bytes)) !== file.hash)
    throw new Error(`${file.path}: ${bytes.byteLength} bytes that are not those of this version`)
  const headers = { 'Content-Type': response.headers.get('Content-Type') ?? 'application/octet-stream' }
  await cache.put(key, new Response(bytes, { headers }))
}

/** Stores files in order; `onKept` after each, with all that is stored of `files`. Throws at the first failure. */
export async function keepAll(
  root: string,
  files: readonly SiteFile[],
  onKept?: (kept: Kept) => void,
  signal?: AbortSignal,
): Promise<void> {
  const cache = await caches.open(CACHE_NAME)
  let kept: Kept = { files: 0, bytes: 0 }
  for (const file of files) {
    await keep(cache, root, file, signal)
    kept = { files: kept.files + 1, bytes: kept.bytes + file.bytes }
    onKept?.(kept)
  }
}

export async function countKept(root: string, files: readonly SiteFile[]): Promise<Kept> {
  const cache = await caches.open(CACHE_NAME)
  const stored = new Set((await cache.keys()).map(({ url }) => url))
  const found = files.filter((file) => stored.has(new URL(addressOf(root, file)).href))
  return { files: found.length, bytes: found.reduce((sum, { bytes }) => sum + bytes, 0) }
}

/** Removes what belongs to no file of this build. */
export async function dropOthers(root: string, files: readonly SiteFile[]): Promise<void> {
  const cache = await caches.open(CACHE_NAME)
  const wanted = new Set(files.map((file) => new URL(addressOf(root, file)).href))
  for (const request of await cache.keys())
    if (request.url.startsWith(root) && !wanted.has(request.url)) await cache.delete(request)
}
