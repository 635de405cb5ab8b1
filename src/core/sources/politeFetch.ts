// A fetch with manners: what passes by itself (429, 5xx, a lost connection) is asked again after a wait that doubles or
// that the server names; what does not is answered in words. Not a cache; bodies that break off are UrlSource's concern.

import { EngineError, throwIfCancelled } from '../errors.ts'
import { pause } from '../files/pause.ts'
import { messageOf } from '../files/source.ts'
import type { Fetch } from '../files/urlSource.ts'

export interface PoliteOptions {
  fetch?: Fetch | undefined
  /** waits before each repetition, ms */
  waitsMs?: readonly number[]
  /** told before each wait */
  onWait?: ((reason: string, waitMs: number) => void) | undefined
}

const WAITS_MS: readonly number[] = [500, 1000, 2000, 4000]
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])
/** A server that does not begin to answer within this is asked again, ms. */
const ANSWER_MS = 30_000
/** A server that asks for more patience than this is not waited for, ms. */
const MAXIMUM_WAIT_MS = 60_000

/**
 * Repeats what may pass. A last answer of 429 or 5xx rejects `file-missing` with what was tried; every other answer is
 * given as it is.
 */
export function politeFetch(options: PoliteOptions = {}): Fetch {
  const ask = options.fetch ?? ((url, init) => fetch(url, init))
  const waits = options.waitsMs ?? WAITS_MS
  return async (url, init) => {
    const signal = init?.signal ?? undefined
    for (let attempt = 0; ; attempt++) {
      let reason: string
      let namedMs: number | undefined
      try {
        const response = await answerWithin(ANSWER_MS, signal, (limited) =>
          ask(url, { ...init, signal: limited }),
        )
        if (!PASSING.has(response.status)) return response
        reason = `answered with status ${response.status}`
        namedMs = retryAfterMs(response)
        await response.body?.cancel()
      } catch (error) {
        throwIfCancelled(signal)
        if (error instanceof EngineError) throw error
        reason = `cannot be reached: ${messageOf(error)}`
      }
      const host = new URL(url).host
      if (namedMs !== undefined && namedMs > MAXIMUM_WAIT_MS)
        throw new EngineError(
          'file-missing',
          `${host} asks to wait ${Math.round(namedMs / 1000)} seconds; try again then`,
        )
      if (attempt >= waits.length)
        throw new EngineError(
          'file-missing',
          `${host} ${reason}, ${attempt + 1} times in a row; try again later`,
        )
      const waitMs = Math.max(waits[attempt], namedMs ?? 0)
      options.onWait?.(`${host} ${reason}`, waitMs)
      await pause(waitMs, signal)
    }
  }
}

/** Runs a request whose headers must come in time; its body may take longer. */
async function answerWithin(
  ms: number,
  signal: AbortSignal | undefined,
  request: (limited: AbortSignal) => Promise<Response>,
): Promise<Response> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new Error(`no answer in ${ms / 1000} s`)), ms)
  try {
    return await request(signal ? AbortSignal.any([signal, late.signal]) : late.signal)
  } finally {
    clearTimeout(timer)
  }
}

/** Retry-After in ms: seconds or a date; undefined when absent, unreadable or hidden from other origins. */
function retryAfterMs(response: Response): number | undefined {
  const header = response.headers.get('retry-after')
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now())
}
