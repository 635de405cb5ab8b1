// `npm run docs [-- FOLDER]`: the documentation as static pages, into dist/docs unless told otherwise. The build does the
// same by itself.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { docsSite } from './site.ts'

export function main(args: string[]): number {
  const { positionals } = parseArgs({ args, allowPositionals: true })
  const root = resolve(import.meta.dirname, '../..')
  const folder = resolve(root, positionals[0] ?? 'dist/docs')
  const files = docsSite(root)
  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  console.log(`${files.size} files in ${folder}`)
  return 0
}
