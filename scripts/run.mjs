// Runs a TypeScript entry in Node through Vite's module runner, so that the command line shares the
// browser's source as it is (`.wgsl?raw` imports, `.ts` paths). Usage: node scripts/run.mjs FILE [arguments]
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createServer } from 'vite'

const root = resolve(fileURLToPath(import.meta.url), '../..')
const [entry, ...rest] = process.argv.slice(2)
if (!entry) {
  console.error('usage: node scripts/run.mjs FILE.ts [arguments]')
  process.exit(2)
}
const server = await createServer({
  root,
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  optimizeDeps: { noDiscovery: true, include: [] },
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
})
// Entries read their own arguments from process.argv.slice(2), as under plain node.
process.argv = [process.argv[0], resolve(root, entry), ...rest]
try {
  const module = await server.ssrLoadModule(resolve(root, entry))
  if (typeof module.main === 'function') process.exitCode = (await module.main(rest)) ?? 0
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error)
  process.exitCode = 1
} finally {
  await server.close()
}
