// @vitest-environment happy-dom
import { expect, it } from 'vitest'
import { t } from '../language/translate.ts'
import { setLanguage, useLanguage } from './preferences.ts'

it('the language that was chosen last stays, however long another takes to load', async () => {
  const first = setLanguage('zh-Hans')
  await setLanguage('en')
  await first
  expect(useLanguage.getState().id).toBe('en')
  expect(t('Close')).toBe('Close')
  expect(localStorage.getItem('alignmerge-language')).toBe('en')
  await setLanguage('zh-Hans')
  expect(t('Close')).not.toBe('Close')
})
