// Links to be damaged: whole hashes, and the content of links of every version, damaged before it is packed. Each is
// opened as the page opens it, into the store with its results; what the page makes of it is then asked for: charts'
// numbers, what is left to measure, the link to share. Nothing may be fetched, run, started or written into the
// document on the way, and no number that is none may be shown.

import { deflateSync, Inflate, strFromU8, strToU8 } from 'fflate'
import { EngineError } from '../../core/errors.ts'
import { decodeLink } from '../../share/codec.ts'
import { encodeLink } from '../../share/encode.ts'
import { storedLinks } from '../storedLinks.ts'
import type { FuzzTarget } from './target.ts'

const packed = (version: unknown, content: Uint8Array): string => {
  const bytes = deflateSync(content)
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  const text = btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  return `#v${typeof version === 'number' || typeof version === 'string' ? version : 4}.${text}`
}

/** The JSON inside a stored link, as its own version wrote it. */
function contentOf(hash: string): unknown {
  const text = hash
    .slice(hash.indexOf('.') + 1)
    .replaceAll('-', '+')
    .replaceAll('_', '/')
  const parts: Uint8Array[] = []
  const inflate = new Inflate((part) => parts.push(part))
  inflate.push(
    Uint8Array.from(atob(text), (character) => character.charCodeAt(0)),
    true,
  )
  return JSON.parse(parts.map((part) => strFromU8(part)).join(''))
}

/** The same link about a model at an address. */
const elsewhere = (content: unknown): unknown => {
  const { experiment, ...rest } = content as { experiment: object }
  return { ...rest, experiment: { ...experiment, anchor: { kind: 'url', url: 'https://models.example/a/' } } }
}

/** A file of this target is a hash, or `[version, content]` as JSON. */
function hashOf(bytes: Uint8Array): string {
  if (bytes[0] === 0x23) return strFromU8(bytes, true)
  try {
    const [version, content] = JSON.parse(strFromU8(bytes)) as [unknown, unknown]
    return packed(version, strToU8(JSON.stringify(content) ?? 'null'))
  } catch {
    return packed(4, bytes)
  }
}

/** What a link must not make the page do. */
const forbidden = [
  ...['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'Worker', 'SharedWorker', 'importScripts'],
  ...['eval', 'Function', 'open', 'Image'],
] as const

/** Names of what was used of the forbidden while `run` went. */
async function watched(run: () => Promise<void>): Promise<string[]> {
  const used: string[] = []
  const scope = globalThis as unknown as Record<string, unknown>
  const before = new Map<string, PropertyDescriptor | undefined>()
  const trap = (name: string) =>
    new Proxy(function trapped() {}, {
      apply: () => {
        used.push(name)
      },
      construct: () => {
        used.push(name)
        return {}
      },
    })
  const element = new Proxy({ dataset: {} } as Record<string | symbol, unknown>, {
    get: (target, key) => {
      // The theme's and the classes' place on the root element; everything else would be a change of the document.
      if (key === 'dataset') return target.dataset
      if (typeof key === 'string') used.push(`document.${key}`)
      return undefined
    },
  })
  const page = new Proxy({} as Record<string | symbol, unknown>, {
    get: (_, key) => {
      if (key === 'documentElement') return element
      if (typeof key === 'string') used.push(`document.${key}`)
      return undefined
    },
  })
  const replaced: Record<string, unknown> = {
    ...Object.fromEntries(forbidden.map((name) => [name, trap(name)])),
    document: page,
    location: { hash: '', search: '', origin: 'https://studio.example', pathname: '/' },
  }
  for (const [name, value] of Object.entries(replaced)) {
    before.set(name, Object.getOwnPropertyDescriptor(scope, name))
    Object.defineProperty(scope, name, { value, configurable: true, writable: true })
  }
  try {
    await run()
  } finally {
    for (const [name, descriptor] of before)
      if (descriptor) Object.defineProperty(scope, name, descriptor)
      else Reflect.deleteProperty(scope, name)
  }
  return used
}

/** Throws for a number that no chart could draw. */
function assertNumbers(value: unknown, path: string): void {
  if (typeof value === 'number') {
    const isMeant = path.endsWith('.violation') || path.endsWith('.low')
    if (Number.isNaN(value) || (!Number.isFinite(value) && !isMeant)) throw new Error(`${path} is ${value}`)
  } else if (value instanceof Float32Array) {
    if (value.some((one) => !Number.isFinite(one))) throw new Error(`${path} has a point nowhere`)
  } else if (typeof value === 'object' && value !== null)
    for (const [key, one] of Object.entries(value)) assertNumbers(one, `${path}.${key}`)
}

/** The page's own modules, before anything is trapped. */
const modules = async () => ({
  link: await import('../../state/actions/link.ts'),
  store: await import('../../state/store.ts'),
  received: await import('../../state/share/received.ts'),
  differences: await import('../../state/share/differences.ts'),
  collect: await import('../../state/share/collect.ts'),
  tables: await import('../../state/share/tables.ts'),
  foreign: await import('../../state/share/foreign.ts'),
  selectors: await import('../../state/selectors.ts'),
  results: await import('../../share/results.ts'),
})
let loading: ReturnType<typeof modules> | undefined

async function openAndAsk(hash: string, page: Awaited<ReturnType<typeof modules>>): Promise<boolean> {
  const { link, store, received, differences, collect, tables, selectors, results } = page
  store.useStudio.setState(store.initialState(), true)
  const isTaken = link.readLink(hash)
  await link.linkResults()
  const { runs, recipe } = store.readState()
  if (!isTaken) return false
  const { experiment } = recipe
  if (!experiment) throw new Error('a link was taken and there is no experiment')
  const shown = received.selectShown(runs)
  assertNumbers(shown, 'shown')
  assertNumbers(received.selectShownGeometry(runs, experiment), 'geometry')
  selectors.selectShownCast([], runs.received, experiment)
  selectors.selectRemaining(store.readState())
  for (const set of runs.received)
    differences.notableDifferences(differences.compareReceived({ measurements: shown }, set))
  const state = collect.sharedState()!
  const set = collect.shownResults()
  for (const table of ['sweep', 'numbers', 'clusters', 'layers'] as const) tables.tableOf(table, set)
  // What came in can go out again, and is a good link then.
  const again = decodeLink(set ? results.fitResults(state, set).hash : encodeLink(state))
  if (again.kind !== 'link') throw new Error(`its own link is refused: ${JSON.stringify(again)}`)
  if (again.adjusted.length > 0) throw new Error(`its own link is adjusted: ${again.adjusted.join()}`)
  return true
}

export const target: FuzzTarget = {
  name: 'link',
  seeds: () => [
    ...storedLinks.map(({ hash }) => strToU8(hash)),
    ...storedLinks.map(({ version, hash }) => strToU8(JSON.stringify([version, contentOf(hash)]))),
    // Damage of the newest counts most: it holds the results, here of models at an address too.
    ...[1, 2, 3].map(() => strToU8(JSON.stringify([4, contentOf(storedLinks.at(-1)!.hash)]))),
    strToU8(JSON.stringify([4, elsewhere(contentOf(storedLinks.at(-1)!.hash))])),
  ],
  async run(bytes) {
    loading ??= modules()
    const page = await loading
    let isTaken = false
    const used = await watched(async () => {
      isTaken = await openAndAsk(hashOf(bytes), page)
    })
    if (used.length > 0) throw new Error(`the link made the page use ${[...new Set(used)].join(', ')}`)
    const { errors } = page.store.readState().runs
    if (!isTaken) throw new EngineError('link-invalid', errors.at(-1)?.failure.message ?? 'no link')
    if (errors.some(({ failure }) => failure.code === 'unexpected'))
      throw new Error(`a fault: ${errors.map(({ failure }) => failure.message).join('; ')}`)
  },
}
