// Runs a TypeScript entry in Node through Vite's module runner, so that the command line shares the
// browser's source as it is (`.wgsl?raw` imports, `.ts` paths). Usage: node scripts/run.mjs FILE [arguments]
// ALIGNMERGE_LIFTOFF=1 compiles wasm with the baseline compiler: Node 20 spends most of a minute optimising
// onnxruntime-web's module otherwise.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { createServer } from 'vite'
import { gpuEnvironment } from './setup.mjs'

const root = resolve(fileURLToPath(import.meta.url), '../..')
const [entry, ...rest] = process.argv.slice(2)
if (!entry) {
  console.error('usage: node scripts/run.mjs FILE.ts [arguments]')
  process.exit(2)
}

const environment = gpuEnvironment()
Object.assign(process.env, environment)
if (environment.LD_LIBRARY_PATH && process.env.ALIGNMERGE_ENV !== '1') {
  // The dynamic linker reads its path once, before we run; so start over, once.
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, ALIGNMERGE_ENV: '1' },
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
  })
} else {
  if (process.env.ALIGNMERGE_LIFTOFF === '1') setFlagsFromString('--liftoff-only')
  await run()
}

/** The comment that a file begins with: it says how the command is used. */
function headOf(path) {
  const lines = readFileSync(path, 'utf8').split('\n')
  const end = lines.findIndex((line) => !line.startsWith('//'))
  return lines
    .slice(0, end)
    .map((line) => line.slice(3))
    .join('\n')
}

async function run() {
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
    const isMisused = String(error?.code).startsWith('ERR_PARSE_ARGS')
    if (isMisused) console.error(`${error.message}\n${headOf(resolve(root, entry))}`)
    else console.error(error instanceof Error ? (error.stack ?? error.message) : error)
    process.exitCode = isMisused ? 2 : 1
  } finally {
    await server.close()
  }
}
