import { describe, expect, it } from 'vitest'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { BlobSource, type ByteSource, MemorySource, parseJsonObject, readText } from './source.ts'
import { type Fetch, UrlSource } from './urlSource.ts'

const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7) & 255)
const URL_ = 'https://example.org/models/tiny/model.safetensors?download=true'

interface Server {
  ranges?: boolean
  contentRange?: (start: number, end: number) => string | null
  content?: Uint8Array
  status?: number
  headers?: Record<string, string>
}

/** A file server with faults; counts what it was asked. */
function serve(server: Server = {}) {
  const asked: string[] = []
  const fetch: Fetch = async (_url, init) => {
    if (init?.signal?.aborted) throw new DOMException('aborted', 'AbortError')
    const { content = bytes, headers = {} } = server
    const range = new Headers(init?.headers).get('range')
    asked.push(range ?? 'whole')
    if (server.status) return new Response('no', { status: server.status })
    const match = /^bytes=(\d+)-(\d+)$/.exec(range ?? '')
    if (!match || server.ranges === false) return new Response(content.slice(), { headers })
    const start = Number(match[1])
    if (start >= content.length)
      return new Response(null, { status: 416, headers: { 'content-range': `bytes */${content.length}` } })
    const end = Math.min(Number(match[2]), content.length - 1)
    const contentRange = server.contentRange
      ? server.contentRange(start, end)
      : `bytes ${start}-${end}/${content.length}`
    return new Response(content.slice(start, end + 1), {
      status: 206,
      headers: { ...headers, ...(contentRange ? { 'content-range': contentRange } : {}) },
    })
  }
  return { fetch, asked, server }
}

/** Larger than what is fetched in one piece, without its bytes in memory. */
const LARGE = 2 ** 33
function serveLarge(change?: (offset: number) => number) {
  const asked: string[] = []
  const fetch: Fetch = async (_url, init) => {
    const range = new Headers(init?.headers).get('range') ?? ''
    asked.push(range)
    const [start, end] = range.slice('bytes='.length).split('-').map(Number)
    const size = change?.(start) ?? LARGE
    const body = Uint8Array.from({ length: end - start + 1 }, (_, i) => (start + i) & 255)
    return new Response(body, { status: 206, headers: { 'content-range': `bytes ${start}-${end}/${size}` } })
  }
  return { fetch, asked }
}

/** toEqual takes seconds on arrays of this size. */
function isSame(read: Uint8Array, offset: number): boolean {
  return read.every((byte, i) => byte === bytes[offset + i])
}

async function sources(): Promise<ByteSource[]> {
  return [
    new MemorySource(bytes, 'model.safetensors'),
    new BlobSource(new Blob([bytes]), 'model.safetensors'),
    await UrlSource.open(URL_, { fetch: serve().fetch }),
    await UrlSource.open(URL_, { fetch: serve({ ranges: false }).fetch }),
  ]
}

describe('every source', () => {
  it('gives any range as a copy, and refuses what lies outside', async () => {
    for (const source of await sources()) {
      expect(source.size).toBe(bytes.length)
      expect(source.name).toBe('model.safetensors')
      for (const [offset, length] of [
        [0, 8],
        [65_530, 20],
        [199_999, 1],
        [200_000, 0],
        [0, 200_000],
      ]) {
        const read = await source.read(offset, length)
        expect(read).toHaveLength(length)
        expect(isSame(read, offset)).toBe(true)
        read.fill(0)
        expect(isSame(await source.read(offset, length), offset)).toBe(true)
      }
      for (const [offset, length] of [
        [200_000, 1],
        [199_999, 2],
        [300_000, 0],
        [-1, 4],
        [0, -1],
        [0.5, 1],
        [0, Number.NaN],
        [2 ** 53, 1],
      ])
        await expectFailure(source.read(offset, length), 'file-malformed', {
          file: 'model.safetensors',
          offset,
        })
      await expectFailure(source.read(0, 1, AbortSignal.abort()), 'cancelled')
    }
  })
})

describe('BlobSource', () => {
  it('says when a file went away', async () => {
    const blob = { size: 10, slice: () => ({ arrayBuffer: () => Promise.reject(new Error('NotReadable')) }) }
    await expectFailure(new BlobSource(blob as unknown as Blob, 'a').read(2, 4), 'file-missing', {
      file: 'a',
      offset: 2,
    })
  })
})

describe('UrlSource', () => {
  it('reads a small file in two requests, a large one range by range', async () => {
    const small = serve()
    const source = await UrlSource.open(URL_, { fetch: small.fetch })
    await source.read(100_000, 5)
    await source.read(150_000, 5)
    expect(small.asked).toEqual(['bytes=0-65535', 'bytes=0-199999'])

    const large = serveLarge()
    const far = await UrlSource.open(URL_, { fetch: large.fetch })
    expect(far.size).toBe(LARGE)
    expect([...(await far.read(2 ** 32 + 3, 4))]).toEqual([3, 4, 5, 6])
    expect(large.asked).toEqual(['bytes=0-65535', `bytes=${2 ** 32 + 3}-${2 ** 32 + 6}`])
  })

  it('reads the whole file once where ranges are ignored or Content-Range is hidden', async () => {
    const ignoring = serve({ ranges: false })
    const source = await UrlSource.open(URL_, { fetch: ignoring.fetch })
    expect(await source.read(199_990, 10)).toEqual(bytes.slice(199_990))
    expect(ignoring.asked).toHaveLength(1)
    const hidden = serve({ contentRange: () => null })
    const other = await UrlSource.open(URL_, { fetch: hidden.fetch })
    expect(await other.read(199_990, 10)).toEqual(bytes.slice(199_990))
    expect(hidden.asked).toEqual(['bytes=0-65535', 'whole'])
  })

  it('opens an empty file', async () => {
    const source = await UrlSource.open(URL_, { fetch: serve({ content: new Uint8Array(0) }).fetch })
    expect(source.size).toBe(0)
    expect(await source.read(0, 0)).toHaveLength(0)
  })

  it('tells a missing file with its status', async () => {
    for (const status of [404, 410, 401, 403, 500]) {
      const { fetch } = serve({ status })
      const error = await expectFailure(UrlSource.open(URL_, { fetch }), 'file-missing', {
        file: 'model.safetensors',
      })
      expect(error.message).toContain(String(status))
    }
    const page = serve({ ranges: false, headers: { 'content-type': 'text/html; charset=utf-8' } })
    await expectFailure(UrlSource.open(URL_, { fetch: page.fetch }), 'file-missing')
    const offline: Fetch = () => Promise.reject(new TypeError('Failed to fetch'))
    await expectFailure(UrlSource.open(URL_, { fetch: offline }), 'file-missing')
    await expectFailure(
      UrlSource.open(URL_, { fetch: serve().fetch, signal: AbortSignal.abort() }),
      'cancelled',
    )
  })

  it('refuses answers that contradict themselves', async () => {
    const where = { file: 'model.safetensors', offset: 0 }
    const short = serve({ contentRange: () => 'bytes 0-65535/100' })
    await expectFailure(UrlSource.open(URL_, { fetch: short.fetch }), 'file-malformed', where)
    const shifted = serve({ contentRange: (s, e) => `bytes ${s + 1}-${e + 1}/200000` })
    await expectFailure(UrlSource.open(URL_, { fetch: shifted.fetch }), 'file-malformed', where)
    const lying = serve({ ranges: false, headers: { 'content-length': '5' } })
    await expectFailure(UrlSource.open(URL_, { fetch: lying.fetch }), 'file-malformed', where)
    const replaced = serveLarge((offset) => (offset === 0 ? LARGE : LARGE - 1))
    const source = await UrlSource.open(URL_, { fetch: replaced.fetch })
    await expectFailure(source.read(2 ** 32, 4), 'file-malformed', {
      file: 'model.safetensors',
      offset: 2 ** 32,
    })
  })
})

describe('text and JSON', () => {
  it('names what is wrong and where', async () => {
    const text = (content: Uint8Array | string) =>
      readText(
        new MemorySource(typeof content === 'string' ? new TextEncoder().encode(content) : content, 'a.json'),
        100,
      )
    expect(await text('{"ä":1}')).toBe('{"ä":1}')
    await expectFailure(text(new Uint8Array([0x7b, 0xff])), 'file-malformed', { file: 'a.json' })
    await expectFailure(text(new Uint8Array(101)), 'file-malformed', { file: 'a.json' })
    expect(parseJsonObject('{"a":1}', 'a.json')).toEqual({ a: 1 })
    for (const wrong of ['', '[1]', '3', 'null', '{"a":', '<html>'])
      await expectFailure(() => parseJsonObject(wrong, 'a.json'), 'file-malformed', { file: 'a.json' })
    // The offset counts bytes, not characters: ä takes two.
    await expectFailure(() => parseJsonObject('{"ä" x}', 'a.json', 8), 'file-malformed', { offset: 14 })
  })

  it('refuses JSON of too many levels before it is parsed, brackets in strings aside', async () => {
    const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`
    expect(parseJsonObject(nested(127), 'a.json')).toHaveProperty('a')
    await expectFailure(() => parseJsonObject(nested(128), 'a.json'), 'file-malformed', { file: 'a.json' })
    const text = `{"a":"${'['.repeat(500)}\\"${'{'.repeat(500)}"}`
    expect(parseJsonObject(text, 'a.json')).toHaveProperty('a')
  })
})
