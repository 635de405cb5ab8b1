// A host of static files and nothing more: the built site below a path, no header of its own choosing, not even a
// redirect. It can be switched off, and its files can be changed, as a new deployment would.

import { createReadStream, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { extname, join } from 'node:path'

const types: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
}

export interface PlainHost {
  /** of the site, ending with a slash; its name is not one of the developer's own machine */
  url: string
  stop(): Promise<void>
}

/** Serves `folder` below `path` (`/a/b/`) at a free port, or at the one given. */
export async function startPlainHost(folder: string, path: string, port = 0): Promise<PlainHost> {
  const server: Server = createServer((request, response) => {
    const asked = decodeURIComponent((request.url ?? '/').split('?', 1)[0]!)
    const name = asked.startsWith(path) ? asked.slice(path.length) : undefined
    const file = join(
      folder,
      name === undefined ? '..' : name === '' || name.endsWith('/') ? `${name}index.html` : name,
    )
    if (name === undefined || name.includes('..') || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404, { 'Content-Type': 'text/plain' })
      return response.end('not found')
    }
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' })
    createReadStream(file).pipe(response)
  })
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  const address = server.address()
  const taken = typeof address === 'object' && address ? address.port : port
  return {
    url: `http://studio.localhost:${taken}${path}`,
    stop: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
