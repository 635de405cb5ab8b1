// Puts the documentation into the build, made by the same code as `npm run docs`.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Plugin, runnerImport } from 'vite'

export function docsPlugin(): Plugin {
  let root = ''
  let folder = ''
  return {
    name: 'alignmerge:docs',
    apply: 'build',
    configResolved(config) {
      root = config.root
      folder = resolve(root, config.build.outDir, 'docs')
    },
    async writeBundle() {
      const { module } = await runnerImport<typeof import('../../src/docs/site.ts')>(
        resolve(root, 'src/docs/site.ts'),
        { root, configFile: false, logLevel: 'warn' },
      )
      for (const [path, content] of module.docsSite(root)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true })
        writeFileSync(join(folder, path), content)
      }
    },
  }
}
