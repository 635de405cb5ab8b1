import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { isAllowed, listLicences } from './licences.ts'

const root = resolve(import.meta.dirname, '../..')
const { packages, texts } = listLicences(root)

it('lists each package that the page may hold, those of packages included', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const names = packages.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(Object.keys(dependencies)))
  // Found by following what each package asks for, not by the lock file's own marks.
  const reached = new Set<string>()
  const follow = (name: string) => {
    if (reached.has(name) || name.startsWith('@types/')) return
    reached.add(name)
    const about = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>
    }
    for (const next of Object.keys(about.dependencies ?? {})) follow(next)
  }
  for (const name of Object.keys(dependencies)) follow(name)
  expect(names).toEqual(expect.arrayContaining([...reached]))
  expect(names).not.toContain('vite')
  expect(names).not.toContain('@axe-core/playwright')
})

it('each under terms that allow passing it on, with their text', () => {
  expect(packages.filter(({ licence }) => !isAllowed(licence))).toEqual([])
  for (const { name, text } of packages) expect(texts[text]?.length, name).toBeGreaterThan(40)
  expect(texts.filter((text) => /permission is hereby granted/i.test(text)).length).toBeGreaterThan(10)
})

it.each([
  ['MIT AND ISC AND BSD-3-Clause', true],
  ['(MIT OR Apache-2.0)', true],
  ['GPL-3.0', false],
  ['MIT AND GPL-2.0', false],
  ['UNLICENSED', false],
])('%s is allowed: %s', (spdx, expected) => {
  expect(isAllowed(spdx)).toBe(expected)
})
