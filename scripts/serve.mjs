// A static server for the built page: its policy and isolation, byte ranges, right media types, no fallback page.
// It listens on the loopback address alone.
import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import { pipeline } from 'node:stream'
import { siteHeaders } from './site/headers.mjs'

const mediaTypes = {
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jinja': 'text/plain; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.jsonl': 'application/x-ndjson',
  '.map': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
}

/** The file that `url` names below `folder`, or undefined. */
function locate(folder, url) {
  let path
  try {
    path = decodeURIComponent(url.split(/[?#]/, 1)[0])
  } catch {
    return undefined
  }
  if (path.includes('\0')) return undefined
  let file = normalize(join(folder, path))
  if (file !== folder && !file.startsWith(folder + sep)) return undefined
  if (path.endsWith('/')) file = join(file, 'index.html')
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats?.isFile() ? { file, stats } : undefined
}

/** First and last byte of a single `bytes=` range, 'whole' without one, undefined when it cannot be satisfied. */
export function parseRange(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return 'whole'
  const first = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1])
  const last = match[1] === '' || match[2] === '' ? size - 1 : Math.min(size - 1, Number(match[2]))
  return first <= last && first < size ? { first, last } : undefined
}

function answer(folder, request, response) {
  const send = (status, headers, text) => {
    response.writeHead(status, { ...siteHeaders, ...headers })
    response.end(request.method === 'HEAD' ? undefined : text)
  }
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return send(405, { Allow: 'GET, HEAD' }, 'GET or HEAD\n')
  const found = locate(folder, request.url ?? '/')
  if (!found) return send(404, { 'Content-Type': 'text/plain; charset=utf-8' }, 'not found\n')
  const { file, stats } = found
  const tag = `"${stats.size.toString(36)}-${Math.trunc(stats.mtimeMs).toString(36)}"`
  const headers = {
    'Content-Type': mediaTypes[extname(file).toLowerCase()] ?? 'application/octet-stream',
    'Accept-Ranges': 'bytes',
    ETag: tag,
    // Vite puts a hash of the content into the name of everything below assets/.
    'Cache-Control': file.startsWith(join(folder, 'assets') + sep)
      ? 'public, max-age=31536000, immutable'
      : 'no-cache',
  }
  if (request.headers['if-none-match'] === tag) return send(304, headers)
  const range = parseRange(request.headers.range, stats.size)
  if (!range) return send(416, { ...headers, 'Content-Range': `bytes */${stats.size}` })
  const { first, last } = range === 'whole' ? { first: 0, last: stats.size - 1 } : range
  headers['Content-Length'] = last - first + 1
  if (range !== 'whole') headers['Content-Range'] = `bytes ${first}-${last}/${stats.size}`
  response.writeHead(range === 'whole' ? 200 : 206, { ...siteHeaders, ...headers })
  if (request.method === 'HEAD' || stats.size === 0) return response.end()
  pipeline(createReadStream(file, { start: first, end: last }), response, () => {})
}

/** Serves `folder` at `port`, or at the next free one when `isPortFixed` is false; { server, url }. */
export async function serve(folder, { port = 4173, isPortFixed = false } = {}) {
  const server = createServer((request, response) => answer(normalize(folder), request, response))
  for (let candidate = port; ; candidate++) {
    try {
      await new Promise((done, failed) => {
        server.once('error', failed)
        server.listen(candidate, '127.0.0.1', () => done(server.off('error', failed)))
      })
      return { server, url: `http://localhost:${server.address().port}/` }
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || isPortFixed || candidate >= port + 50) throw error
    }
  }
}
