import { afterEach, describe, expect, it } from 'vitest'
import { chooseLanguage, currentLanguage, languages, plural, t } from './translate.ts'

afterEach(async () => {
  await chooseLanguage('en')
})

describe('translating', () => {
  it('gives the English text itself, with its values', () => {
    expect(t('Compare')).toBe('Compare')
    expect(t('{done} of {total}', { done: 1, total: 3 })).toBe('1 of 3')
    expect(t('{missing} stays', { other: 1 })).toBe('{missing} stays')
  })

  it('tells one from many', () => {
    expect(plural(1, '{count} prompt', '{count} prompts')).toBe('1 prompt')
    expect(plural(0, '{count} prompt', '{count} prompts')).toBe('0 prompts')
  })

  it.each(languages.map(({ id }) => id))(
    '%s can be chosen, and falls back to English by text',
    async (id) => {
      expect(await chooseLanguage(id)).toBe(id)
      expect(currentLanguage()).toBe(id)
      expect(t('a text that no catalogue holds')).toBe('a text that no catalogue holds')
    },
  )

  it('takes English for a language it does not know', async () => {
    expect(await chooseLanguage('xx')).toBe('en')
  })
})
