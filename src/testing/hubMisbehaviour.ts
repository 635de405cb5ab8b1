// How a file is sent, and all the ways in which servers get it wrong.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { LoggedRequest } from './hubServer.ts'

export interface Misbehaviour {
  /** answers 200 with everything, whatever range was asked for */
  hasNoRanges?: boolean
  /** answers with this status instead of the file … */
  status?: number
  /** … but only the first so many requests; without it, always */
  times?: number
  /** the first request that it misbehaves in, counted from 1 */
  since?: number
  /** with a status: the value of Retry-After */
  retryAfter?: string
  /** from this request on the file is another one: other bytes, other ETag */
  changesAt?: number
  /** cuts the connection after so many bytes of the body, in the first `times` requests */
  cutsAfter?: number
  /** says in the listing that the SHA-256 is this one */
  promisedHash?: string
  /** says Content-Range with this size */
  claimedSize?: number
  /** pieces of 64 KiB with this many ms between them */
  slowMs?: number
  /** stops after so many bytes and holds the connection open */
  hangsAfter?: number
}

export interface Sending {
  request: IncomingMessage
  response: ServerResponse
  bytes: Uint8Array
  etag: string
  /** how many requests of this file there were, this one included */
  count: number
  entry: LoggedRequest
}

/** A file or a range of it, as it should be. */
export function send(sending: Sending, claimedSize = sending.bytes.length): void {
  const { response } = sending
  const { from, to } = head(sending, claimedSize)
  sending.entry.sent = to - from
  response.end(sending.request.method === 'HEAD' ? undefined : sending.bytes.subarray(from, to))
}

function head({ request, response, bytes, etag }: Sending, claimedSize: number) {
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  response.setHeader('ETag', etag)
  response.setHeader('Accept-Ranges', 'bytes')
  response.setHeader('Content-Type', 'application/octet-stream')
  if (!range) {
    response.writeHead(200, { 'Content-Length': bytes.length })
    return { from: 0, to: bytes.length }
  }
  const from = Number(range[1])
  const to = Math.min(bytes.length, Number(range[2]) + 1)
  if (from >= to) {
    response.writeHead(416, { 'Content-Range': `bytes */${claimedSize}` })
    return { from: 0, to: 0 }
  }
  response.writeHead(206, {
    'Content-Range': `bytes ${from}-${to - 1}/${claimedSize}`,
    'Content-Length': to - from,
  })
  return { from, to }
}

const STEP = 65536
const soon = (ms: number) => new Promise((done) => setTimeout(done, ms))

export function misbehave(misdeed: Misbehaviour, sending: Sending): void {
  const { request, response, count } = sending
  if (misdeed.since !== undefined && count < misdeed.since) {
    send(sending)
    return
  }
  const isNow = misdeed.times === undefined || count <= misdeed.times
  if (misdeed.status !== undefined && isNow) {
    if (misdeed.retryAfter !== undefined) response.setHeader('Retry-After', misdeed.retryAfter)
    response.writeHead(misdeed.status, { 'Content-Length': 0 }).end()
    return
  }
  if (misdeed.hasNoRanges) delete request.headers.range
  const isOther = misdeed.changesAt !== undefined && count >= misdeed.changesAt
  const now = isOther
    ? { ...sending, bytes: sending.bytes.map((byte) => byte ^ 1), etag: `"${'f'.repeat(64)}"` }
    : sending
  const limit = isNow ? (misdeed.cutsAfter ?? misdeed.hangsAfter) : undefined
  if (limit === undefined && misdeed.slowMs === undefined) {
    send(now, misdeed.claimedSize)
    return
  }
  const { from, to } = head(now, misdeed.claimedSize ?? now.bytes.length)
  const end = Math.min(to, from + (limit ?? Number.POSITIVE_INFINITY))
  void drip(now, from, end, misdeed.slowMs ?? 0).then(() => {
    if (end === to) response.end()
    else if (misdeed.cutsAfter !== undefined) response.destroy()
  })
}

async function drip({ response, bytes, entry }: Sending, from: number, to: number, pauseMs: number) {
  for (let at = from; at < to && !response.destroyed; at += STEP) {
    const piece = bytes.subarray(at, Math.min(to, at + STEP))
    await new Promise((done) => response.write(piece, done))
    entry.sent += piece.length
    await soon(pauseMs)
  }
}
