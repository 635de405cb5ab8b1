// How this machine likes the page: its colours and its language. Neither travels in a link. Storage may be closed to
// us (private windows): a choice then lasts as long as the page.

import { create } from 'zustand'
import { chooseLanguage, languages } from '../language/translate.ts'

const languageKey = 'alignmerge-language'

export const useLanguage = create<{ id: string }>()(() => ({ id: 'en' }))

/** Changes the words of the whole page. */
export async function setLanguage(id: string): Promise<void> {
  const chosen = await chooseLanguage(id)
  document.documentElement.lang = chosen
  useLanguage.setState({ id: chosen })
  try {
    localStorage.setItem(languageKey, chosen)
  } catch {
    // The choice is not worth an error.
  }
}

/** The language that was chosen before, or else the browser's own where we have it. */
export function preferredLanguage(): string {
  let kept: string | null = null
  try {
    kept = localStorage.getItem(languageKey)
  } catch {
    kept = null
  }
  const wanted = kept ? [kept] : (globalThis.navigator?.languages ?? [])
  const base = (tag: string) => tag.split('-', 1)[0]
  for (const tag of wanted) {
    const found = languages.find(({ id }) => id === tag) ?? languages.find(({ id }) => base(id) === base(tag))
    if (found) return found.id
  }
  return 'en'
}
