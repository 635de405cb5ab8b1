// Answers quote measurements: each stands, with its interval, in the tables that `npm run results` writes.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { exercises } from './exercises.ts'

const results = readFileSync(resolve(import.meta.dirname, '../../docs/results.md'), 'utf8')

const quoted = exercises.flatMap(({ id, solution }) =>
  [...solution.join(' ').matchAll(/(\d+(?:\.\d+)?)(?: %)? \((\d[\d.]*–\d[\d.]*)\)/g)].map(
    ([, value, interval]) => [id, `${value} (${interval})`] as const,
  ),
)

describe('numbers with intervals in answers', () => {
  it('are there', () => {
    expect(quoted.length).toBeGreaterThan(10)
  })

  it.each(quoted)('of %s: %s is a measured one', (_id, cell) => {
    expect(results).toContain(`| ${cell} |`)
  })
})
