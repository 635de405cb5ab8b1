import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NOT_SEPARABLE } from '../core/evaluate/aqi.ts'
import { chooseLanguage } from '../language/translate.ts'
import { reasonText } from './reasonText.ts'

const folder = 'src/core/evaluate'

/** Every reason that stands in the core's source, with numbers where it puts values. */
const reasons = [
  ...new Set(
    readdirSync(folder)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .flatMap((name) => [
        ...readFileSync(`${folder}/${name}`, 'utf8').matchAll(
          /unavailable:\s[^'`\n]*(?:'[^']+'|`[^`]+`)[^\n]*/g,
        ),
      ])
      .flatMap(([line]) => [...line.matchAll(/'([^']+)'|`([^`]+)`/g)])
      .map(([, plain, template]) => plain ?? template!)
      .map((text) =>
        text
          .replace(/\$\{NOT_SEPARABLE\}/, NOT_SEPARABLE)
          .replace(/\$\{anchor\.unavailable\}/, 'one class only')
          .replaceAll(/\$\{[^}]+\}/g, '64'),
      ),
  ),
]

describe('reasons why there is no number', () => {
  it('stay as they are in English', () => {
    expect(reasons.length).toBeGreaterThan(10)
    for (const reason of [...reasons, NOT_SEPARABLE, 'anything else']) expect(reasonText(reason)).toBe(reason)
  })

  describe('in another language', () => {
    beforeAll(() => chooseLanguage('zh-Hans'))
    afterAll(() => chooseLanguage('en'))

    it.each([...reasons, NOT_SEPARABLE])('“%s” has words of its own', (reason) => {
      expect(reasonText(reason)).not.toMatch(/[a-z]{2,}/)
    })
  })
})
