import { describe, expect, it } from 'vitest'
import { tableLines, withSection } from './benchPage.ts'

const page = '# Speed\n\nWritten by hand.\n\n## First\n\nold\n\n## First of all\n\nkept\n'
const text = '## First\n\nnew\n'

describe('a section of the page', () => {
  it('takes the place of the one with its title', () => {
    expect(withSection(page, 'First', text)).toBe(page.replace('old', 'new'))
  })

  it('is put at the end where there is none', () => {
    expect(withSection(page, 'Last', '## Last\n\nnew\n')).toBe(`${page}\n## Last\n\nnew\n`)
  })

  it('may be renewed again and again', () => {
    const once = withSection(page, 'Last', '## Last\n\nnew\n')
    expect(withSection(once, 'Last', '## Last\n\nnew\n')).toBe(once)
  })
})

it('tables have a line under their header', () => {
  expect(tableLines(['a', 'b'], [['1', '2']])).toEqual(['| a | b |', '| --- | --- |', '| 1 | 2 |'])
})
