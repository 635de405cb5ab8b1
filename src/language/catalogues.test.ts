// Catalogues against what the page shows: complete, without leftovers, with the same values in the same places; and no
// words on the page that bypass them.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bareTextsOf, exemptions } from '../cli/bareTexts.ts'
import { pageTexts, parsed, textsOf } from '../cli/pageTexts.ts'
import { languages } from './translate.ts'

const { keys, bare } = pageTexts()

/** Names and flags that are the same in every language. */
const sameEverywhere = [/ AlignMerge$/, / CSV$/, / --enable-/, / (chrome|about):/]

/** `{values}` of a text; braces of a formula hold more than a name. */
const valuesOf = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort()
const anchorsOf = (text: string): string[] => (text.match(/\]\(#[\w-]+\)/g) ?? []).sort()

describe('words on the page', () => {
  it('go through a catalogue', () => {
    expect(bare.filter((line) => !sameEverywhere.some((pattern) => pattern.test(line)))).toEqual([])
  })

  it('are found in calls, attributes and text', () => {
    const found = textsOf(
      'a.tsx',
      "const a = t(x ? 'one way' : 'other way'); plural(2, '{count} thing', '{count} things');" +
        'const b = <p title="Bare title">Bare words <b aria-label={t(\'Wrapped\')}>{t(`Cooked`)}</b></p>',
    )
    expect([...found.keys].sort()).toEqual(
      ['Cooked', 'Wrapped', 'one way', 'other way', '{count} thing', '{count} things'].sort(),
    )
    expect(found.bare).toEqual(['a.tsx:1 Bare title', 'a.tsx:1 Bare words'])
  })

  it('are found in constants and templates, and not in code', () => {
    const { keys: named, bare: found } = textsOf(
      'a.tsx',
      `const words = { done: 'All is done', waiting: () => t('waits') }
      const row = { id: \`model \${n}\`, title: 'A whole title', note: \`Mean of \${n} prompts\` }
      const shown = [announce(\`\${n} saved\`), kind === 'two words', \`color-mix(in oklab, \${n})\`, \`\${n} min\`]
      const b = (
        <p className={\`quiet is\${x}\`} summary={x ? 'none' : t('one')}>
          {x ? 'bare' : t('wrapped')} {label as 'All'}
        </p>
      )`,
    )
    expect([...named].sort()).toEqual(['A whole title', 'one', 'waits', 'wrapped'])
    expect(found).toEqual([
      'a.tsx:1 All is done',
      'a.tsx:2 Mean of',
      'a.tsx:3 saved',
      'a.tsx:5 none',
      'a.tsx:6 bare',
    ])
  })

  it('stay bare only where something still does', () => {
    const unused = exemptions.flatMap(({ file, texts }) => {
      const found = bareTextsOf(parsed(file, readFileSync(file, 'utf8'))).map(({ text }) => text)
      return texts ? texts.filter((text) => !found.includes(text)) : found.length > 0 ? [] : [file]
    })
    expect(unused).toEqual([])
  })
})

describe.each(languages.filter(({ id }) => id !== 'en'))('the catalogue of $id', ({ load }) => {
  it('has every text', async () => {
    const catalogue = await load()
    expect([...keys].filter((key) => key.trim() !== '' && !(key in catalogue))).toEqual([])
  })

  it('has no text that the page does not show', async () => {
    expect(Object.keys(await load()).filter((key) => !keys.has(key))).toEqual([])
  })

  it('keeps values and references where they belong', async () => {
    const wrong = Object.entries(await load()).filter(
      ([key, text]) =>
        text.trim() === '' ||
        (!/[=∘]/.test(key) && valuesOf(key).join() !== valuesOf(text).join()) ||
        anchorsOf(key).join() !== anchorsOf(text).join(),
    )
    expect(wrong).toEqual([])
  })
})
