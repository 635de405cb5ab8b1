// The table of docs/sources.md: what a server does wrong, what the user is told, what is kept. Each row is made by a
// download from a server that does it; the document must hold the rows as they come out.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { diskStorage, TEST_RANGE_BYTES as RANGE } from '../../testing/diskStorage.ts'
import type { Misbehaviour } from '../../testing/hubMisbehaviour.ts'
import { type HubServer, startHubServer } from '../../testing/hubServer.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { UrlSource } from '../files/urlSource.ts'
import { hubFolder } from '../sources/hub.ts'
import type { FileToKeep } from './download.ts'
import { ModelStore } from './store.ts'

const doc = readFileSync(join(import.meta.dirname, '../../../docs/sources.md'), 'utf8')
const size = 6 * RANGE + 999
const bytes = new Uint8Array(size).map((_, i) => (i * 2_654_435_761) >>> 24)
const about = { format: 'safetensors', family: 'none', parameterCount: 0, byteLength: size }
let server: HubServer
let path: string
let round = 0

beforeAll(async () => {
  server = await startHubServer(new Map())
})
afterAll(() => server.close())
beforeEach(() => {
  if (path) rmSync(path, { recursive: true })
  path = mkdtempSync(join(tmpdir(), 'misbehaviour-'))
})
afterAll(() => rmSync(path, { recursive: true }))

interface Row {
  case: string
  misdeed?: Misbehaviour
  repo?: { gatedFor: string[] }
  token?: string
  isOffline?: boolean
  /** the user pauses after so long */
  pauseMs?: number
}

const rows: Row[] = [
  { case: 'gives no ranges (200 for everything)', misdeed: { hasNoRanges: true } },
  { case: 'lists a file and answers 404 for it', misdeed: { status: 404 } },
  { case: 'has another file from the fourth request on', misdeed: { changesAt: 4 } },
  { case: 'cuts the connection in the middle, once', misdeed: { cutsAfter: RANGE / 2, times: 1 } },
  { case: 'cuts every connection from the fifth request on', misdeed: { cutsAfter: 900, since: 5 } },
  { case: 'sends other bytes than it promised', misdeed: { promisedHash: '0'.repeat(64) } },
  { case: 'gives another length than it listed', misdeed: { claimedSize: size + 1 } },
  { case: 'is slow', misdeed: { slowMs: 1 } },
  { case: 'answers 500 twice, then works', misdeed: { status: 500, times: 2 } },
  { case: 'answers 500 from the fifth request on', misdeed: { status: 500, since: 5 } },
  {
    case: 'answers 429 with Retry-After: 1, then works',
    misdeed: { status: 429, times: 1, retryAfter: '1' },
  },
  { case: 'answers 429 with Retry-After: 3600', misdeed: { status: 429, retryAfter: '3600' } },
  { case: 'stops sending in the middle, once', misdeed: { hangsAfter: 4096, times: 1 } },
  {
    case: 'holds connections from the fifth on and sends nothing; the user pauses',
    misdeed: { hangsAfter: 0, since: 5 },
    pauseMs: 600,
  },
  { case: 'wants a token, none given (401)', repo: { gatedFor: ['hf_a'] } },
  { case: 'wants a consent, token without it (403)', repo: { gatedFor: ['hf_a'] }, token: 'hf_b' },
  { case: 'goes away after the listing', isOffline: true },
]

/** Messages without what changes from run to run. */
const steady = (text: string): string =>
  text
    .replace(/http:\/\/127\.0\.0\.1:\d+|127\.0\.0\.1:\d+/g, 'hub')
    .replace(/[0-9a-f]{64}|[0-9a-f]{40}/g, '…')
    .replace(/received SHA-256 \w+…/, 'received SHA-256 …')
    .replace(/offset \d+/g, 'offset n')
    .replace(/cannot be reached: [^,;]+/g, 'cannot be reached')

async function play({ misdeed, repo, token, isOffline, pauseMs }: Row) {
  const name = `mis/behaviour${round++}`
  server.repos.set(name, { files: new Map([['model.safetensors', bytes]]), ...repo })
  if (misdeed) server.misbehaviour.set(`${name} model.safetensors`, misdeed)
  const notes: string[] = []
  let isGone = false
  const folder = await hubFolder(name, {
    ...{ hubUrl: server.url, token, waitsMs: [1, 1], stallMs: pauseMs ? 60_000 : 250 },
    fetch: (url, init) => (isGone ? Promise.reject(new TypeError('fetch failed')) : fetch(url, init)),
    onWait: (reason, waitMs) => notes.push(`${reason}; asking again in ${Math.ceil(waitMs / 1000)} s`),
  })
  const [{ hash }] = folder.entries
  isGone = isOffline ?? false
  const file: FileToKeep = {
    path: 'model.safetensors',
    size,
    hash,
    source: (await folder.file('model.safetensors'))!,
  }
  const store = await ModelStore.open(diskStorage(path))
  const pause = new AbortController()
  const { commit, base } = folder
  const source = { kind: 'hub', repo: name, revision: 'main', commit, hub: base } as const
  if (pauseMs !== undefined) setTimeout(() => pause.abort(), pauseMs)
  let told = ''
  try {
    await store.keep(
      { name, source, about, files: [file] },
      { signal: pause.signal, onNote: (note) => notes.push(note) },
    )
  } catch (error) {
    told = `${(error as { code: string }).code}: ${(error as Error).message}`
  }
  const [model] = await store.list()
  return { told: steady(told).replaceAll(name, 'owner/name'), notes: notes.map(steady), model, store }
}

describe('a server that', () => {
  it.each(rows)('$case', async (row) => {
    const { told, notes, model, store } = await play(row)
    const blobs = readdirSync(join(path, 'alignmerge/files'))
    // Whole means: every byte, by hash, and nothing else is offered as whole.
    expect(model.isWhole).toBe(told === '')
    expect(blobs).toHaveLength(model.isWhole ? 1 : 0)
    if (model.isWhole) expect(readFileSync(join(path, 'alignmerge/files', blobs[0])).equals(bytes)).toBe(true)
    else await expectFailure(store.folder(model.manifest.key), 'file-missing')
    const kept = model.isWhole ? 'all of it' : model.arrived > 0 ? 'the finished ranges' : 'nothing'
    const waits = [...new Set(notes)].map((note) => `*${note}*`).join(' ')
    const line = `| ${row.case} | ${[waits, told].filter(Boolean).join(' ') || 'nothing'} | ${kept} |`
    expect(doc.split('\n').includes(line), `docs/sources.md has the row ${line}`).toBe(true)
  })

  it('has changed since an earlier visit is believed, where no hash says better', async () => {
    // A plain address: its ETag is all there is.
    let state = 1
    const serve = async (_url: string, init?: RequestInit) => {
      const [, from, to] = /(\d+)-(\d+)/.exec(new Headers(init?.headers).get('range')!)!.map(Number)
      if (state === 1 && from > 3 * RANGE) throw new TypeError('fetch failed')
      const now = state === 1 ? bytes : bytes.map((byte) => byte ^ 1)
      return new Response(now.slice(from, to + 1), {
        status: 206,
        headers: { etag: `"${state}"`, 'content-range': `bytes ${from}-${Math.min(to, size - 1)}/${size}` },
      })
    }
    const fileNow = async (): Promise<FileToKeep> => {
      const source = await UrlSource.open('https://files.example/model.bin', { fetch: serve })
      return { path: 'model.bin', size, hash: undefined, source }
    }
    const store = await ModelStore.open(diskStorage(path))
    const source = { kind: 'url', url: 'https://files.example/' } as const
    await expectFailure(
      store.keep({ name: 'plain', source, about, files: [await fileNow()] }),
      'file-missing',
    )
    expect((await store.list())[0].arrived).toBeGreaterThan(0)
    state = 2
    const notes: string[] = []
    await store.keep(
      { name: 'plain', source, about, files: [await fileNow()] },
      { onNote: (note) => notes.push(note) },
    )
    expect(notes).toEqual([
      'model.bin is another file than when its download began; what had come was discarded',
    ])
    const [blob] = readdirSync(join(path, 'alignmerge/files'))
    expect(readFileSync(join(path, 'alignmerge/files', blob))[0]).toBe(bytes[0] ^ 1)
  })

  it('gives no ranges of a file that memory cannot hold is refused before it is fetched', async () => {
    let isCancelled = false
    const body = new ReadableStream({
      cancel: () => {
        isCancelled = true
      },
    })
    const serve = async () => new Response(body, { headers: { 'content-length': '2200000000' } })
    const error = await expectFailure(
      UrlSource.open('https://files.example/model.bin', { fetch: serve }),
      'file-unsupported',
    )
    expect(error.message).toContain('the server gives no byte ranges, and 2.2 GB at once')
    expect(isCancelled).toBe(true)
  })
})
