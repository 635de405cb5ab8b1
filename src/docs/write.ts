// `npm run docs [-- FOLDER]`: the documentation as static pages, into dist/docs unless told otherwise. The build does the
// same by itself.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { docsSite } from './site.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = resolve(root, process.argv[2] ?? 'dist/docs')
const files = docsSite(root)
for (const [path, content] of files) {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), content)
}
console.log(`${files.size} files in ${folder}`)
