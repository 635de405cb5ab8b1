// `npm start`: builds the page when the build is missing or older than its sources, serves it on this machine
// alone, prints the address and opens the browser. Options: --port N (that port or none), --no-open, --no-build.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { serve } from './serve.mjs'

const root = resolve(fileURLToPath(import.meta.url), '../..')
const dist = join(root, 'dist')

const sources = ['src', 'workers', 'public', 'index.html', 'vite.config.ts', 'package-lock.json']

function newestChange(path) {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) return 0
  if (!stats.isDirectory()) return stats.mtimeMs
  // A folder's own time changes when a file in it goes away.
  return readdirSync(path).reduce(
    (newest, name) => Math.max(newest, newestChange(join(path, name))),
    stats.mtimeMs,
  )
}

const isStale = () => {
  const built = statSync(join(dist, 'index.html'), { throwIfNoEntry: false })
  return !built || sources.some((path) => newestChange(join(root, path)) > built.mtimeMs)
}

function runOrExit(command, args) {
  const isWindows = process.platform === 'win32'
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell: isWindows })
  if (status !== 0) process.exit(status ?? 1)
}

function openBrowser(url) {
  const hasDisplay = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY
  if (process.env.CI || !hasDisplay) return
  const [command, ...args] = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] }[process.platform] ?? [
    'xdg-open',
  ]
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true })
  child.on('error', () => {}) // no opener installed: the printed address is enough
  child.unref()
}

const { values: options } = parseArgs({
  options: { port: { type: 'string' }, 'no-open': { type: 'boolean' }, 'no-build': { type: 'boolean' } },
})
if (!options['no-build'] && isStale()) {
  if (!existsSync(join(root, 'node_modules/vite'))) runOrExit('npm', ['ci'])
  runOrExit(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'warn'])
}
const port = options.port === undefined ? 4173 : Number(options.port)
let server
try {
  const served = await serve(dist, { port, isPortFixed: options.port !== undefined })
  server = served.server
  console.log(`AlignMerge Studio is at ${served.url} (Ctrl-C stops it)`)
  if (!options['no-open']) openBrowser(served.url)
} catch (error) {
  console.error(error.code === 'EADDRINUSE' ? `port ${port} is taken` : error.message)
  process.exit(1)
}
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    server.close(() => process.exit(0))
    server.closeAllConnections()
  })
