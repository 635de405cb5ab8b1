import { posix, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { KERNELS } from '../core/kernels/index.ts'
import { DECLARATIONS } from '../core/merge/methods/declarations.ts'
import { glossary, measures } from '../help/index.ts'
import { docsSite } from './site.ts'

const files = docsSite(resolve(import.meta.dirname, '../..'))
const page = (path: string) => files.get(path) as string

it('has a card for each method, measure and term, and a row for each kernel', () => {
  for (const { id } of DECLARATIONS) expect(page('methods.html')).toContain(`id="${id}"`)
  for (const { id } of measures) expect(page('measures.html')).toContain(`id="${id}"`)
  for (const { id } of glossary) expect(page('glossary.html')).toContain(`id="${id}"`)
  for (const { name } of KERNELS) expect(page('truth.html')).toContain(`<code>${name}</code>`)
})

it('links lead to pages, places and pictures that are there', () => {
  const broken: string[] = []
  for (const [path, content] of files) {
    if (typeof content !== 'string' || !path.endsWith('.html')) continue
    for (const [, link] of content.matchAll(/(?:href|src)="([^"]+)"/g)) {
      if (/^https?:/.test(link!)) continue
      const [target, fragment] = link!.split('#', 2) as [string, string | undefined]
      const found = target === '' ? path : posix.normalize(posix.join(posix.dirname(path), target))
      if (['../index.html', '../favicon.svg'].includes(found)) continue
      const there = files.get(found)
      if (there === undefined) broken.push(`${path}: ${link}`)
      else if (fragment && typeof there === 'string' && !there.includes(`id="${fragment}"`))
        broken.push(`${path}: ${link}`)
    }
  }
  expect(broken).toEqual([])
})

it('runs nothing and says which language it is in', () => {
  for (const [path, content] of files) {
    if (typeof content !== 'string' || !path.endsWith('.html')) continue
    expect(content, path).not.toMatch(/<script|="javascript:|<[^>]*\son\w+=/i)
    expect(content, path).toContain('<html lang="en">')
    expect(content.match(/<h1/g)?.length, path).toBe(1)
  }
})
