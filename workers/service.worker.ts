// The one service worker: keeps the files of this build for use without a network, and sends the site's headers
// (policy, isolation) where the host sends none. It answers for files of the build alone; models of the user's own
// and other hosts never pass through it. scripts/site/plugin.ts builds it to sw.js and writes the list of files in.

import { cutRange, withHeaders } from './offline/answer.ts'
import {
  CACHE_NAME,
  countKept,
  dropOthers,
  fileAt,
  findKept,
  isOurFolder,
  keepAll,
  type SiteFile,
} from './offline/files.ts'
import type { OfflineReport, ToOffline } from './offline/messages.ts'
import type { FetchAsked, ServiceScope } from './offline/scope.ts'

declare const SITE_FILES: readonly SiteFile[]
declare const SITE_VERSION: string
declare const SITE_HEADERS: Readonly<Record<string, string>>

const scope = self as unknown as ServiceScope
const root = scope.registration.scope
// On the developer's own machine the server is as near as the cache, newer, and another project's tomorrow.
const isLocal = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(scope.location.hostname)
// Named once: the build writes the whole list wherever SITE_FILES stands.
const files = SITE_FILES
const shell = files.filter(({ isShell }) => isShell)
/** Kept without being asked for. */
const kept = files.filter(({ isOnUse }) => !isOnUse)

scope.addEventListener('install', (event) => event.waitUntil(keepAll(root, shell)))

scope.addEventListener('activate', (event) =>
  event.waitUntil(dropOthers(root, files).then(() => scope.clients.claim())),
)

async function answer(request: Request, file: SiteFile): Promise<Response> {
  const range = request.headers.get('Range')
  const fromCache = async () => {
    const stored = await findKept(await caches.open(CACHE_NAME), root, file)
    return stored && cutRange(stored, range)
  }
  // Whoever needs it once will need it again, without a network too. Where it cannot be kept it is still fetched.
  if (file.isOnUse && !isLocal) await keepAll(root, [file]).catch(() => undefined)
  const answered = isLocal
    ? await fetch(request).catch(async (error) => (await fromCache()) ?? Promise.reject(error))
    : ((await fromCache()) ?? (await fetch(request)))
  return withHeaders(answered, SITE_HEADERS)
}

scope.addEventListener('fetch', (event: FetchAsked) => {
  const { request } = event
  if (request.method !== 'GET') return
  const file = fileAt(root, request.url, files)
  if (file) event.respondWith(answer(request, file))
  else if (isOurFolder(root, request.url, files)) event.respondWith(answerAbsent(request))
})

/** A model folder may lack files that others have; without a network that is known from the list as well. */
async function answerAbsent(request: Request): Promise<Response> {
  return fetch(request).catch(() => new Response('not part of this version', { status: 404 }))
}

let filling: Promise<void> | undefined
const leaving = new AbortController()
let failure: string | null = null

async function report(): Promise<void> {
  const message: OfflineReport = {
    kind: 'offline',
    version: SITE_VERSION,
    kept: await countKept(root, kept),
    all: { files: kept.length, bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0) },
    isFilling: filling !== undefined,
    failure,
  }
  for (const client of await scope.clients.matchAll({ includeUncontrolled: true }))
    client.postMessage(message)
}

/** Small files first: most of the studio works long before the last and largest has arrived. */
async function fill(): Promise<void> {
  failure = null
  let told = performance.now()
  try {
    await keepAll(
      root,
      kept.toSorted((a, b) => a.bytes - b.bytes),
      () => {
        if (performance.now() - told < 500) return
        told = performance.now()
        void report()
      },
      leaving.signal,
    )
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error)
  }
}

scope.addEventListener('message', (event) => {
  const message = event.data as ToOffline
  if (message?.kind === 'ask') event.waitUntil(report())
  else if (message?.kind === 'take-over') event.waitUntil(scope.skipWaiting())
  // A worker that is busy is not replaced before it has finished.
  else if (message?.kind === 'leave') leaving.abort()
  else if (message?.kind === 'fill' && !leaving.signal.aborted) {
    filling ??= fill().finally(() => {
      filling = undefined
      return report()
    })
    event.waitUntil(Promise.all([filling, report()]))
  }
})
