// What turns the built page into a site: the policy in its head, `_headers`, and the service worker with the list of
// all files and the hashes of their contents.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { build, type Plugin } from 'vite'
import type { SiteFile } from '../../workers/offline/files.ts'
import { headersFile, metaPolicy, siteHeaders } from './headers.mjs'

const charset = '<meta charset="utf-8" />'

/** Puts the policy right after the character set: it governs only what follows it. */
function withPolicy(html: string): string {
  if (!html.includes(charset)) throw new Error(`index.html has no ${charset} for the policy to follow`)
  return html.replace(
    charset,
    `${charset}\n    <meta http-equiv="Content-Security-Policy" content="${metaPolicy}" />`,
  )
}

const icon = '<link rel="icon" href="./favicon.svg" type="image/svg+xml" />'

/** Chromium asks for the icon again whenever the address changes, and here it changes with every move of a slider. */
function withIcon(html: string, svg: string): string {
  if (!html.includes(icon)) throw new Error(`index.html has no ${icon} to put the picture into`)
  const url = `data:image/svg+xml,${encodeURIComponent(svg.replace(/\s+/g, ' ').trim())}`
  return html.replace(icon, () => icon.replace('./favicon.svg', url))
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 32)

/** Hosts read these; pages never ask for them. */
const isOfHost = (path: string) => ['_headers', 'sw.js', '.nojekyll'].includes(path)

/** The page and every script and style: a version is kept whole or not at all. What is large comes later. */
const isShell = (path: string) =>
  ['index.html', 'favicon.svg'].includes(path) || /^assets\/(?!ort[.-])[^/]+\.(js|css)$/.test(path)

/** What only a browser without WebGPU loads: shipped geometry and the runtime's build for the processor. */
const isOnUse = (path: string) =>
  path.startsWith('geometry/') || /^assets\/ort-wasm-simd-threaded-[\w-]+\.(wasm|mjs)$/.test(path)

/** Every file of a built site, in the order of their names. */
export function listSite(folder: string): SiteFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !isOfHost(path))
    .sort()
    .map((path) => {
      const bytes = readFileSync(join(folder, path))
      return {
        path,
        bytes: bytes.length,
        hash: hashOf(bytes),
        isShell: isShell(path),
        ...(isOnUse(path) && { isOnUse: true }),
      }
    })
}

async function buildServiceWorker(root: string, folder: string): Promise<void> {
  const files = listSite(folder)
  const version = hashOf(
    new TextEncoder().encode(files.map(({ path, hash }) => `${path} ${hash}`).join('\n')),
  )
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    define: {
      SITE_FILES: JSON.stringify(files),
      SITE_VERSION: JSON.stringify(version.slice(0, 12)),
      SITE_HEADERS: JSON.stringify(siteHeaders),
    },
    build: {
      target: 'esnext',
      outDir: folder,
      emptyOutDir: false,
      // A classic script: modules in service workers are younger than WebGPU in some browsers.
      lib: {
        entry: resolve(root, 'workers/service.worker.ts'),
        name: 'service',
        formats: ['iife'],
        fileName: () => 'sw.js',
      },
    },
  })
}

export function sitePlugin(): Plugin {
  let root = ''
  let folder = ''
  let hasFailed = false
  return {
    name: 'alignmerge:site',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      root = config.root
      folder = resolve(config.root, config.build.outDir)
    },
    transformIndexHtml: {
      order: 'post',
      handler: (html) => withIcon(withPolicy(html), readFileSync(join(root, 'public/favicon.svg'), 'utf8')),
    },
    buildEnd(error) {
      hasFailed = error !== undefined
    },
    async closeBundle() {
      if (hasFailed) return
      writeFileSync(join(folder, '_headers'), headersFile())
      // GitHub Pages would otherwise leave out names that begin with an underscore.
      writeFileSync(join(folder, '.nojekyll'), '')
      await buildServiceWorker(root, folder)
    },
  }
}
