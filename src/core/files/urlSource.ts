// Bytes behind a URL, read by HTTP ranges. A server that ignores ranges (status 200) or hides its
// Content-Range from other origins is read whole, once, where that fits into memory. A range that breaks off is asked
// for again; a file that changes between two ranges is refused. Not a download manager: nothing is kept on disk.

import { EngineError, type ErrorPlace, throwIfCancelled } from '../errors.ts'
import { pause } from './pause.ts'
import { type ByteSource, type Bytes, checkRange, messageOf } from './source.ts'

/** Same shape as the global; tests give their own. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>

/** First request, bytes: enough for a config or the header of a small model. */
const HEAD_BYTES = 65536
/** Files up to this many bytes are fetched in one piece: one request beats one per tensor. */
const WHOLE_BYTES = 32 * 2 ** 20
/** Where a server gives no ranges, files up to this many bytes are held in memory. */
const MEMORY_BYTES = 512 * 2 ** 20
/** Waits before a range that broke off is asked for again, ms. */
const RETRY_MS: readonly number[] = [250, 1000, 4000]

/** A body that sends nothing for so long has broken off, ms. */
const STALL_MS = 30_000

/** A file that was another one when it was read before; what was read is worth nothing. */
export class ChangedError extends EngineError {
  constructor(message: string, place: ErrorPlace) {
    super('file-malformed', `the file changed while it was read: ${message}`, place)
  }
}

/** A body that ended before its time. */
class BrokenOffError extends EngineError {}

export interface UrlOptions {
  fetch?: Fetch | undefined
  signal?: AbortSignal | undefined
}

/** `file-missing` where the server says that there is no such file, as against a server that fails or refuses. */
export class AbsentError extends EngineError {
  constructor(message: string, file: string) {
    super('file-missing', message, { file })
  }
}

export class UrlSource implements ByteSource {
  readonly name: string
  readonly size: number
  readonly url: string
  private readonly fetch: Fetch
  /** first bytes; undefined until they are asked for */
  private head: Bytes | undefined
  private whole: Bytes | undefined
  private seen: string | undefined
  private retryMs: readonly number[] = RETRY_MS
  private stallMs = STALL_MS

  private constructor(url: string, fetch: Fetch, size: number, head: Bytes | undefined, name?: string) {
    this.url = url
    this.name = name ?? fileName(url)
    this.fetch = fetch
    this.size = size
    this.head = head
    if (head?.byteLength === size) this.whole = head
  }

  /** What the server said of the file's state, ETag or date, at the first answer; undefined before, or if hidden. */
  get validator(): string | undefined {
    return this.seen
  }

  /** A file whose size is known from elsewhere, in bytes: nothing is asked for before the first read. */
  static known(
    url: string,
    size: number,
    options: {
      fetch?: Fetch
      name?: string
      retryMs?: readonly number[] | undefined
      stallMs?: number | undefined
    } = {},
  ): UrlSource {
    const ask = options.fetch ?? ((u, init) => fetch(u, init))
    const head = size === 0 ? new Uint8Array(0) : undefined
    const source = new UrlSource(url, ask, size, head, options.name)
    if (options.retryMs) source.retryMs = options.retryMs
    if (options.stallMs) source.stallMs = options.stallMs
    return source
  }

  /**
   * Asks the server for size and first bytes. Rejects `file-missing` with the status when it is not there
   * (a web page in its place included), `file-malformed` when the answer contradicts itself.
   */
  static async open(url: string, options: UrlOptions = {}): Promise<UrlSource> {
    const ask = options.fetch ?? ((u, init) => fetch(u, init))
    const { signal } = options
    const place = { file: fileName(url), offset: 0 }
    const response = await request(ask, url, place, 0, HEAD_BYTES, signal)
    if (response.status === 416) return new UrlSource(url, ask, 0, new Uint8Array(0))
    // Development servers answer an unknown path with their start page and status 200.
    if (response.headers.get('content-type')?.startsWith('text/html')) {
      await response.body?.cancel()
      throw new AbsentError(`${url} answered with a web page`, place.file)
    }
    const range = contentRange(response)
    if (response.status === 206 && range) {
      const head = await body(response, place, signal)
      const expected = Math.min(HEAD_BYTES, range.size)
      if (range.start !== 0 || head.byteLength !== expected)
        throw new EngineError(
          'file-malformed',
          `asked for ${expected} bytes from 0, got ${head.byteLength} from ${range.start}`,
          place,
        )
      const source = new UrlSource(url, ask, range.size, head)
      source.seen = validatorOf(response)
      return source
    }
    if (response.status === 206) {
      await response.body?.cancel()
      const again = await request(ask, url, place, 0, undefined, signal)
      return UrlSource.fromWhole(url, ask, again, place, signal)
    }
    return UrlSource.fromWhole(url, ask, response, place, signal)
  }

  private static async fromWhole(
    url: string,
    fetch: Fetch,
    response: Response,
    place: ErrorPlace,
    signal: AbortSignal | undefined,
  ): Promise<UrlSource> {
    const length = response.headers.get('content-length')
    if (Number(length) > MEMORY_BYTES) await refuseWhole(response, Number(length), place)
    const bytes = await body(response, place, signal)
    // Under compression the header counts other bytes than we get, so it proves nothing.
    if (length !== null && !response.headers.get('content-encoding') && Number(length) !== bytes.byteLength)
      throw new EngineError(
        'file-malformed',
        `the server promised ${length} bytes and sent ${bytes.byteLength}`,
        place,
      )
    const source = new UrlSource(url, fetch, bytes.byteLength, bytes)
    source.seen = validatorOf(response)
    return source
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Bytes> {
    throwIfCancelled(signal)
    checkRange(this, offset, length)
    const end = offset + length
    const headBytes = Math.min(HEAD_BYTES, this.size)
    if (!this.whole && !this.head && end <= headBytes) {
      this.head = await this.fetchRange(0, headBytes, signal)
      if (this.head.byteLength === this.size) this.whole = this.head
    }
    if (!this.whole && this.head && end <= this.head.byteLength) return this.head.slice(offset, end)
    if (!this.whole && this.size <= WHOLE_BYTES) this.whole = await this.fetchRange(0, this.size, signal)
    if (this.whole) return this.whole.slice(offset, end)
    return this.fetchRange(offset, length, signal)
  }

  /** The same past all buffers but a whole file; `onBytes` counts what has arrived, anew where it broke off. */
  async readCounted(
    offset: number,
    length: number,
    onBytes: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<Bytes> {
    checkRange(this, offset, length)
    if (this.whole) {
      onBytes(length)
      return this.whole.slice(offset, offset + length)
    }
    return this.fetchRange(offset, length, signal, onBytes)
  }

  private async fetchRange(
    offset: number,
    length: number,
    signal: AbortSignal | undefined,
    onBytes?: (bytes: number) => void,
  ): Promise<Bytes> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.fetchOnce(offset, length, signal, onBytes)
      } catch (error) {
        if (!(error instanceof BrokenOffError) || attempt >= this.retryMs.length) throw error
        await pause(this.retryMs[attempt], signal)
      }
    }
  }

  private async fetchOnce(
    offset: number,
    length: number,
    signal: AbortSignal | undefined,
    onBytes: ((bytes: number) => void) | undefined,
  ): Promise<Bytes> {
    const place = { file: this.name, offset }
    const response = await request(this.fetch, this.url, place, offset, length, signal)
    const validator = validatorOf(response)
    if (this.seen !== undefined && validator !== undefined && validator !== this.seen) {
      await response.body?.cancel()
      throw new ChangedError(`it was ${this.seen}, now ${validator}`, place)
    }
    this.seen ??= validator
    if (response.status === 200 && this.size > MEMORY_BYTES) await refuseWhole(response, this.size, place)
    const bytes = await body(response, place, signal, { onBytes, stallMs: this.stallMs })
    if (response.status === 200) {
      // A cache on the way may drop the range; the answer is then the whole file.
      if (bytes.byteLength !== this.size) throw this.changed(place, bytes.byteLength)
      this.whole = bytes
      return bytes.slice(offset, offset + length)
    }
    const range = contentRange(response)
    if (range && range.size !== this.size) throw this.changed(place, range.size)
    if ((range && range.start !== offset) || bytes.byteLength !== length)
      throw new EngineError(
        'file-malformed',
        `asked for ${length} bytes, got ${bytes.byteLength} from ${range?.start ?? offset}`,
        place,
      )
    return bytes
  }

  private changed(place: ErrorPlace, size: number): EngineError {
    return new ChangedError(`${this.size} bytes, now ${size}`, place)
  }
}

async function refuseWhole(response: Response, size: number, place: ErrorPlace): Promise<never> {
  await response.body?.cancel()
  throw new EngineError(
    'file-unsupported',
    `the server gives no byte ranges, and ${(size / 1e9).toFixed(1)} GB at once would not fit into memory; download the files and open their folder`,
    place,
  )
}

async function request(
  fetch: Fetch,
  url: string,
  place: { file: string; offset: number },
  offset: number,
  length: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Response> {
  throwIfCancelled(signal)
  const init: RequestInit = {}
  if (signal) init.signal = signal
  if (length !== undefined) init.headers = { Range: `bytes=${offset}-${offset + length - 1}` }
  // Browsers let one request at a time write a file into their cache: parallel ranges would wait for each other, and
  // gigabytes would lie on the disk twice.
  if (length !== undefined && length > HEAD_BYTES) init.cache = 'no-store'
  let response: Response
  try {
    response = await fetch(url, init)
  } catch (error) {
    throwIfCancelled(signal)
    // A fetch with manners of its own has found its words.
    if (error instanceof EngineError) throw error
    throw new EngineError('file-missing', `${url} cannot be reached: ${messageOf(error)}`, place)
  }
  const isEmptyFile = response.status === 416 && /\*\/0$/.test(response.headers.get('content-range') ?? '')
  if (response.status !== 200 && response.status !== 206 && !isEmptyFile) {
    await response.body?.cancel()
    const message = `${url} answered with status ${response.status}`
    if (response.status === 404 || response.status === 410) throw new AbsentError(message, place.file)
    throw new EngineError('file-missing', message, { file: place.file })
  }
  return response
}

async function body(
  response: Response,
  place: ErrorPlace,
  signal: AbortSignal | undefined,
  options: { onBytes?: ((bytes: number) => void) | undefined; stallMs?: number } = {},
): Promise<Bytes> {
  const { onBytes, stallMs = STALL_MS } = options
  let stalled: ReturnType<typeof setTimeout> | undefined
  let isStalled = false
  try {
    if (!response.body) return new Uint8Array(await response.arrayBuffer())
    const pieces: Uint8Array[] = []
    let size = 0
    for (const reader = response.body.getReader(); ; ) {
      stalled = setTimeout(() => {
        isStalled = true
        // Ends the read below; a connection that comes back to life is not waited for.
        reader.cancel().catch(() => {})
      }, stallMs)
      const { value } = await reader.read()
      clearTimeout(stalled)
      if (isStalled) throw new Error(`nothing came for ${stallMs / 1000} s`)
      if (!value) break
      pieces.push(value)
      size += value.byteLength
      onBytes?.(size)
    }
    const bytes = new Uint8Array(size)
    let at = 0
    for (const piece of pieces) {
      bytes.set(piece, at)
      at += piece.byteLength
    }
    return bytes
  } catch (error) {
    throwIfCancelled(signal)
    throw new BrokenOffError(
      'file-missing',
      `the connection broke off, several times in a row: ${messageOf(error)}; try again later`,
      place,
    )
  } finally {
    clearTimeout(stalled)
  }
}

/** ETag without its weakness mark, else the date; undefined where other origins may see neither. */
function validatorOf(response: Response): string | undefined {
  const etag = response.headers.get('etag')?.replace(/^W\//, '')
  return etag ?? response.headers.get('last-modified') ?? undefined
}

/** `bytes 0-99/1234`; undefined when absent, hidden by CORS or of unknown total. */
function contentRange(response: Response): { start: number; size: number } | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '')
  return match ? { start: Number(match[1]), size: Number(match[2]) } : undefined
}

function fileName(url: string): string {
  const path = url.split(/[?#]/)[0]
  return path.slice(path.lastIndexOf('/') + 1) || url
}
