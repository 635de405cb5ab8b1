// The page's side of the service worker: registers it, has it keep the site, offers a newer version, and reloads once
// where only the service worker makes the page cross-origin isolated.

import type { OfflineReport, ToOffline } from '../../../workers/offline/messages.ts'
import { t } from '../../language/translate.ts'
import { type OfflineStatus, useOffline } from './store.ts'

/** The page paints and reads its models first. */
const fillDelayMs = 4000
/** Later than this, somebody may have begun to read; a reload would take the page from under them. */
const reloadWithinMs = 4000
const takeOverWithinMs = 5000
const updateEveryMs = 60 * 60 * 1000
const isolatedMark = 'alignmerge.isolated'

let registration: ServiceWorkerRegistration | undefined
let isTakingOver = false

export function statusOf(report: OfflineReport): OfflineStatus {
  const { kept, all, isFilling, failure } = report
  return kept.files === all.files
    ? { kind: 'ready', allBytes: all.bytes }
    : { kind: 'partial', keptBytes: kept.bytes, allBytes: all.bytes, isFilling, failure }
}

const say = (message: ToOffline) => registration?.active?.postMessage(message)

/** Why no service worker is to be registered here, or null. */
function obstacle(): string | null {
  if (!('serviceWorker' in navigator)) return t('this browser offers no service worker here')
  // A frame's storage is its host page's: every blog would keep a copy of its own.
  if (window.top !== window) return t('the page is shown inside another one')
  return null
}

/** Registers `sw.js` beside the page. Resolves when it is asked for; everything later arrives in the store. */
export async function startOffline(): Promise<void> {
  const reason = obstacle()
  if (reason !== null) return useOffline.setState({ status: { kind: 'off', reason } })
  const hadController = navigator.serviceWorker.controller !== null
  navigator.serviceWorker.addEventListener('message', ({ data }) => {
    if (data?.kind === 'offline') useOffline.setState({ status: statusOf(data as OfflineReport) })
  })
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (isTakingOver) location.reload()
    else if (hadController) useOffline.setState({ update: 'runs-elsewhere' })
  })
  try {
    registration = await navigator.serviceWorker.register(new URL('sw.js', document.baseURI).href)
    // Tools that keep service workers off answer with nothing.
    if (!registration) throw new Error(t('this browser registered none'))
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    return useOffline.setState({ status: { kind: 'off', reason: words } })
  }
  watchForUpdates(registration)
  await navigator.serviceWorker.ready
  if (reloadForIsolation()) return
  say({ kind: 'ask' })
  if (!prefersLessData()) setTimeout(keepForOffline, fillDelayMs)
  // What broke off for want of a network goes on with it.
  addEventListener('online', keepForOffline)
}

const prefersLessData = () =>
  (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true

/** Stores whatever of the site is not stored yet. */
export function keepForOffline(): void {
  say({ kind: 'fill' })
}

/** Lets the waiting version in; this page reloads when it has taken over. */
export function takeUpdate(): void {
  isTakingOver = true
  const { waiting } = registration ?? {}
  if (!waiting) {
    location.reload()
    return
  }
  useOffline.setState({ update: 'comes' })
  say({ kind: 'leave' })
  waiting.postMessage({ kind: 'take-over' } satisfies ToOffline)
  // The version that runs cannot be replaced while it answers another tab: this tab then starts without it.
  setTimeout(() => void registration?.unregister().finally(() => location.reload()), takeOverWithinMs)
}

function watchForUpdates(found: ServiceWorkerRegistration): void {
  const lookAt = (worker: ServiceWorker | null) => {
    if (worker?.state === 'installed' && navigator.serviceWorker.controller)
      useOffline.setState({ update: 'waits' })
  }
  lookAt(found.waiting)
  found.addEventListener('updatefound', () => {
    const { installing } = found
    installing?.addEventListener('statechange', () => lookAt(installing))
  })
  // Without a network there is nothing to find.
  setInterval(() => found.update().catch(() => {}), updateEveryMs)
}

const hasWebGpu = () => (navigator as { gpu?: unknown }).gpu !== undefined

/**
 * True when the page is about to be loaded anew: once, early, and never after somebody has touched it. Only threads of
 * WebAssembly need isolation, and they compute only where there is no WebGPU.
 */
function reloadForIsolation(): boolean {
  if (crossOriginIsolated || hasWebGpu()) return false
  if (navigator.userActivation?.hasBeenActive || performance.now() > reloadWithinMs) return false
  // Storage that is refused would let the page reload without end.
  try {
    if (sessionStorage.getItem(isolatedMark) !== null) return false
    sessionStorage.setItem(isolatedMark, 'asked')
  } catch {
    return false
  }
  location.reload()
  return true
}
