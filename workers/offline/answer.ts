// Answers made of stored files: whole or a byte range, with the site's headers.

/** First and last byte of a single `bytes=` range; 'whole' without one, 'none' when it cannot be satisfied. */
export function parseRange(
  header: string | null,
  size: number,
): { first: number; last: number } | 'whole' | 'none' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return 'whole'
  const first = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1])
  const last = match[1] === '' || match[2] === '' ? size - 1 : Math.min(size - 1, Number(match[2]))
  return first <= last && first < size ? { first, last } : 'none'
}

/** The stored file as the server would have sent it for this `Range` header. */
export async function cutRange(stored: Response, range: string | null): Promise<Response> {
  if (range === null) return stored
  const blob = await stored.blob()
  const wanted = parseRange(range, blob.size)
  const headers = new Headers(stored.headers)
  if (wanted === 'whole') return new Response(blob, { headers })
  if (wanted === 'none') {
    headers.set('Content-Range', `bytes */${blob.size}`)
    return new Response(null, { status: 416, headers })
  }
  const { first, last } = wanted
  headers.set('Content-Range', `bytes ${first}-${last}/${blob.size}`)
  headers.set('Content-Length', String(last - first + 1))
  return new Response(blob.slice(first, last + 1, headers.get('Content-Type') ?? ''), {
    status: 206,
    headers,
  })
}

/** The same answer with the site's headers; those that the host sends itself are replaced. */
export function withHeaders(response: Response, added: Readonly<Record<string, string>>): Response {
  // An answer that scripts may not look into cannot be rebuilt either.
  if (response.status === 0) return response
  const headers = new Headers(response.headers)
  for (const [name, value] of Object.entries(added)) headers.set(name, value)
  const hasBody = ![101, 204, 205, 304].includes(response.status)
  return new Response(hasBody ? response.body : null, {
    status: response.status,
    statusText: response.statusText,
    headers,
  })
}
