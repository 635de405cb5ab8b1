// Models kept from a hub and from addresses, over real files: whole, killed, shared, deleted, out of room.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { diskStorage, memoryLocks, TEST_RANGE_BYTES as RANGE_BYTES } from '../../testing/diskStorage.ts'
import { type HubServer, startHubServer } from '../../testing/hubServer.ts'
import { expectFailure, tinyFiles } from '../../testing/tinyCheckpoint.ts'
import { openCheckpoint } from '../files/checkpoint.ts'
import { hubFolder } from '../sources/hub.ts'
import { lookAt } from '../sources/lookAt.ts'
import { readJournal } from './journal.ts'
import { type KeptSource, sourceKey } from './manifest.ts'
import { ModelStore, type ModelToKeep } from './store.ts'

const large = new Uint8Array(9 * RANGE_BYTES + 12_345).map((_, i) => (i * 2_654_435_761) >>> 24)
let server: HubServer
let path: string

function repoFiles(seed: number): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  for (const [name, content] of tinyFiles(undefined, 'bf16', seed))
    files.set(name, typeof content === 'string' ? new TextEncoder().encode(content) : content)
  return files.set('README.md', new TextEncoder().encode('# tiny'))
}
const inGit = (name: string) => !/\.(safetensors|bin)$/.test(name)

beforeAll(async () => {
  const shared = repoFiles(1)
  server = await startHubServer(
    new Map([
      ['tiny/a', { files: shared, inGit }],
      // The same weights under another card.
      ['tiny/b', { files: new Map([...shared, ['README.md', new TextEncoder().encode('# other')]]), inGit }],
      ['tiny/large', { files: new Map([['large.bin', large]]), inGit }],
    ]),
  )
})
afterAll(() => server.close())
beforeEach(() => {
  server.log.length = 0
  server.misbehaviour.clear()
  if (path) rmSync(path, { recursive: true })
  path = mkdtempSync(join(tmpdir(), 'store-'))
})
afterAll(() => rmSync(path, { recursive: true }))

const sourceOf = (repo: string): KeptSource & { kind: 'hub' } => ({
  ...{ kind: 'hub', repo, revision: 'main', commit: server.commitOf(repo), hub: server.url },
})
async function modelOf(repo: string): Promise<ModelToKeep> {
  const folder = await hubFolder(repo, { hubUrl: server.url, waitsMs: [1, 1] })
  const { about, files } = await lookAt(folder, { entries: folder.entries })
  return { name: repo, source: sourceOf(repo), about, files }
}
/** A repository that is no model: one file of several ranges. */
async function largeModel(): Promise<ModelToKeep> {
  const folder = await hubFolder('tiny/large', { hubUrl: server.url, waitsMs: [1, 1] })
  const [{ size, hash }] = folder.entries
  const source = (await folder.file('large.bin'))!
  const about = { format: 'safetensors', family: 'none', parameterCount: 0, byteLength: size }
  return {
    name: 'large',
    source: sourceOf('tiny/large'),
    about,
    files: [{ path: 'large.bin', size, hash, source }],
  }
}
const sentOf = (file: string) =>
  server.log
    .filter(({ at, url }) => at === 'cdn' && url.includes(file))
    .reduce((sum, { sent }) => sum + sent, 0)
const stored = () => readdirSync(join(path, 'alignmerge/files'))

describe('a kept model', () => {
  it('is the same model, read without the network', async () => {
    const store = await ModelStore.open(diskStorage(path))
    const model = await modelOf('tiny/a')
    const seen: number[] = []
    const manifest = await store.keep(model, { onProgress: (arrived, total) => seen.push(arrived / total) })
    expect(seen.at(-1)).toBe(1)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(manifest.files.map(({ path: file }) => file).sort()).toEqual(
      [...server.repos.get('tiny/a')!.files.keys()].sort(),
    )
    const [kept] = await store.list()
    expect(kept).toMatchObject({ isWhole: true, arrived: kept.total })
    const asked = server.log.length
    const checkpoint = await openCheckpoint(await store.folder(sourceKey(model.source)))
    const remote = await openCheckpoint(await hubFolder('tiny/a', { hubUrl: server.url }))
    expect(server.log.length).toBeGreaterThan(asked)
    for (const { name } of checkpoint.weights)
      expect((await checkpoint.readWeight(name)).bytes).toEqual((await remote.readWeight(name)).bytes)
    expect((await store.findDigest(manifest.digest!))?.manifest.name).toBe('tiny/a')
  })

  it('is stored once with what another one shares, and leaves it when it goes', async () => {
    const store = await ModelStore.open(diskStorage(path))
    const [a, b] = [await modelOf('tiny/a'), await modelOf('tiny/b')]
    await store.keep(a)
    const once = stored().length
    server.log.length = 0
    await store.keep(b)
    expect(stored()).toHaveLength(once + 1)
    expect(server.log.map(({ url }) => url)).toEqual([expect.stringContaining('README.md')])
    await store.remove(sourceKey(a.source))
    expect(stored()).toHaveLength(once)
    expect(await store.list()).toMatchObject([{ isWhole: true, manifest: { name: 'tiny/b' } }])
    await store.remove(sourceKey(b.source))
    expect(stored()).toEqual([])
    expect(readdirSync(join(path, 'alignmerge/partial'))).toEqual([])
  })

  it('arrives beside others, while the list is read again and again', async () => {
    const store = await ModelStore.open(diskStorage(path))
    const models = [await modelOf('tiny/a'), await modelOf('tiny/b'), await largeModel()]
    let isOver = false
    const reading = (async () => {
      for (let reads = 0; ; reads++) {
        if (isOver) return reads
        const seen = await store.list()
        for (const { arrived, total, isWhole } of seen) expect(arrived === total || !isWhole).toBe(true)
      }
    })()
    await Promise.all(models.map((model) => store.keep(model)))
    isOver = true
    expect(await reading).toBeGreaterThan(3)
    expect((await store.list()).map(({ isWhole }) => isWhole)).toEqual([true, true, true])
  })

  it('is no longer whole when a file of it is gone or cut', async () => {
    const store = await ModelStore.open(diskStorage(path))
    const model = await modelOf('tiny/a')
    await store.keep(model)
    const file = join(path, 'alignmerge/files', stored()[0])
    writeFileSync(file, readFileSync(file).subarray(1))
    const [kept] = await store.list()
    expect(kept.isWhole).toBe(false)
    expect(kept.arrived).toBeLessThan(kept.total)
    await expectFailure(store.folder(sourceKey(model.source)), 'file-missing')
    await store.keep(await modelOf('tiny/a'))
    expect((await store.list())[0].isWhole).toBe(true)
  })
})

describe('a download', () => {
  it('that is killed goes on where it was, fetching no more than a range of each connection twice', async () => {
    const model = await largeModel()
    server.misbehaviour.set('tiny/large large.bin', { slowMs: 1 })
    const first = await ModelStore.open(diskStorage(path))
    const kill = new AbortController()
    const killed = first.keep(model, {
      signal: kill.signal,
      onProgress: (arrived) => {
        if (arrived > 4.5 * RANGE_BYTES) kill.abort()
      },
    })
    await expectFailure(killed, 'cancelled')
    const second = await ModelStore.open(diskStorage(path))
    const [begun] = await second.list()
    expect(begun.isWhole).toBe(false)
    expect(begun.arrived % RANGE_BYTES).toBe(0)
    expect(begun.arrived).toBeGreaterThan(0)
    expect(await second.findDigest('')).toBeUndefined()
    await expectFailure(second.folder(sourceKey(model.source)), 'file-missing')
    const before = sentOf('large.bin')
    server.misbehaviour.clear()
    server.log.length = 0
    await second.keep(await largeModel())
    const again = sentOf('large.bin')
    expect(again).toBe(large.length - begun.arrived)
    expect(before + again - large.length).toBeLessThanOrEqual(4 * RANGE_BYTES)
    const blob = readFileSync(join(path, 'alignmerge/files', stored()[0]))
    expect(blob.equals(large)).toBe(true)
  })

  it('goes on after a journal whose last line was cut, and begins anew without its data', async () => {
    const head = { version: 1, size: large.length, rangeBytes: RANGE_BYTES }
    expect(readJournal(`${JSON.stringify(head)}\n3\n1\n4`)?.done).toEqual(new Set([3, 1]))
    expect(readJournal(`${JSON.stringify(head)}\n3\n77\n1\n`)?.done).toEqual(new Set([3]))
    expect(readJournal(`${JSON.stringify({ ...head, rangeBytes: 0 })}\n`)).toBeUndefined()
    expect(readJournal('{"version":')).toBeUndefined()
    const store = await ModelStore.open(diskStorage(path))
    const model = await largeModel()
    const key = `sha256-${model.files[0].hash!.hex}`
    writeFileSync(join(path, 'alignmerge/partial', `${key}.journal`), `${JSON.stringify(head)}\n0\n1\n`)
    await store.keep(model)
    expect(readFileSync(join(path, 'alignmerge/files', key)).equals(large)).toBe(true)
  })

  it('is one tab’s at a time', async () => {
    const locks = memoryLocks()
    const [a, b] = await Promise.all([1, 2].map(() => ModelStore.open(diskStorage(path, { locks }))))
    server.misbehaviour.set('tiny/large large.bin', { slowMs: 1 })
    const model = await largeModel()
    const running = a.keep(model)
    const other = await expectFailure(b.keep(await largeModel()), 'storage-busy')
    expect(other.message).toContain('in another tab')
    await expectFailure(b.remove(sourceKey(model.source)), 'storage-busy')
    await running
    expect((await b.list())[0].isWhole).toBe(true)
    expect(sentOf('large.bin')).toBe(large.length)
  })
})

describe('without room', () => {
  it('says what is needed and what is free, and keeps nothing', async () => {
    const store = await ModelStore.open(diskStorage(path, { limit: 1e6 }))
    const error = await expectFailure(store.keep(await largeModel()), 'storage-full')
    expect(error.message).toMatch(/^large needs 2\.37 MB, this browser has 1\.00 MB free; delete kept models/)
    expect(await store.list()).toEqual([])
    expect(readdirSync(join(path, 'alignmerge/partial'))).toEqual([])
  })

  it('that shows only while writing, leaves a part that goes on when there is some', async () => {
    const storage = diskStorage(path)
    // A browser that promises more than it gives.
    storage.quota = async () => ({ used: 0, limit: 1e12 })
    storage.limit = large.length + 100_000
    const store = await ModelStore.open(storage)
    writeFileSync(join(path, 'alignmerge/files/other'), new Uint8Array(200_000))
    const model = await largeModel()
    await expectFailure(store.keep(model), 'storage-full')
    expect(await store.list()).toMatchObject([{ isWhole: false, arrived: 0 }])
    storage.limit = 1e12
    await store.keep(model)
    expect(statSync(join(path, 'alignmerge/files', `sha256-${model.files[0].hash!.hex}`)).size).toBe(
      large.length,
    )
  })
})
