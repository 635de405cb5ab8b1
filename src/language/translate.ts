// Words on the page. The key of a text is the English text itself, so English needs no catalogue and a text that a
// catalogue lacks is shown in English. Catalogues of other languages are loaded when they are chosen.

/** English text to its translation. */
export type Catalogue = Readonly<Record<string, string>>

export interface LanguageChoice {
  /** BCP 47 */
  id: string
  /** in itself */
  name: string
  load: () => Promise<Catalogue>
}

export const languages: readonly LanguageChoice[] = [
  { id: 'en', name: 'English', load: async () => ({}) },
  { id: 'zh-Hans', name: '中文', load: async () => (await import('./zh-Hans.json')).default },
]

let catalogue: Catalogue = {}
let current = 'en'

/** BCP 47 tag of the language on the page. */
export const currentLanguage = (): string => current

/**
 * The text in the page's language, with `{name}` replaced by values. Numbers are formatted by the caller.
 * Call it while rendering, never in a module's own scope: the language may change.
 */
export function t(text: string, values?: Readonly<Record<string, string | number>>): string {
  const found = catalogue[text] ?? text
  if (!values) return found
  return found.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole))
}

/** `one` for 1, else `other`, both with `{count}`; languages without a plural translate both alike. */
export function plural(count: number, one: string, other: string): string {
  return t(count === 1 ? one : other, { count })
}

/** Languages chosen so far: one that was given up while it was loaded is not put on the page. */
let choices = 0

/** Loads a language and makes it that of the page, which is returned; unknown ids are English. */
export async function chooseLanguage(id: string): Promise<string> {
  const mine = ++choices
  const choice = languages.find((language) => language.id === id) ?? languages[0]!
  const loaded = await choice.load()
  if (mine === choices) {
    catalogue = loaded
    current = choice.id
  }
  return current
}
