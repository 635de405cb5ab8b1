import { afterEach, describe, expect, it } from 'vitest'
import { chooseLanguage, t } from '../../language/translate.ts'
import { englishBy, pageInEnglish } from './english.ts'

afterEach(() => chooseLanguage('en'))

describe('what the page says in Chinese, in English for the report', () => {
  it('whole, with values, and with values that are sentences themselves', async () => {
    const label = () =>
      t('{part} of {whom}', { part: t('Behaviour'), whom: t('the merge at {place}', { place: 'λ 3' }) })
    const said = () => [
      t('Opening the link'),
      t('Opening {name}', { name: 'org/model@main' }),
      t('{label}: done', { label: label() }),
      t('The self-test failed in {failed} of {count} rows; merging is off', { failed: 2, count: 120 }),
      `${t('line {line}: expected JSON, found {found}', { line: 3, found: 'x y' })} (file a.jsonl)`,
    ]
    const english = said()
    await chooseLanguage('zh-Hans')
    const chinese = said()
    expect(chinese.every((text, i) => text !== english[i])).toBe(true)
    expect(chinese.map(await pageInEnglish())).toEqual(english)
  })

  it('and leaves everything else as it is', async () => {
    const texts = ['a / b', 'TypeError: x is not a function', 'GPU lost: reset (file a.safetensors)', '']
    await chooseLanguage('zh-Hans')
    expect(texts.map(await pageInEnglish())).toEqual(texts)
    expect(texts.map(englishBy({}))).toEqual(texts)
  })
})
