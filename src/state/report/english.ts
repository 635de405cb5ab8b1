// Words of the page back into English. Labels of jobs and messages of failures are kept as the page says them; the
// report is for whoever mends the fault, whatever language the page speaks.

import { type Catalogue, currentLanguage, languages } from '../../language/translate.ts'

interface Sentence {
  /** matches the translation with anything in the places of its values */ pattern: RegExp
  /** names of its values in the translation's order */ names: string[]
  english: string
  /** letters that are no value's */ length: number
}

const placeholder = /\{(\w+)\}/g
/** What an EngineError says behind its sentence. */
const placeOf = / \((file|tensor|offset) [^()]*\)$/
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** A sentence with values; undefined where nothing in it tells its language: `{kept} / {all}` may be English. */
function sentenceOf(english: string, translation: string): Sentence[] {
  const fixed = translation.split(/\{\w+\}/)
  const own = fixed.join('')
  if (fixed.length === 1 || ![...own].some((letter) => letter > '\u007f' && !english.includes(letter)))
    return []
  const names = [...translation.matchAll(placeholder)].map(([, name]) => name!)
  const pattern = new RegExp(`^${fixed.map(escaped).join('([^]+?)')}$`)
  return [{ pattern, names, english, length: own.length }]
}

/** From texts that `catalogue` has translated to what they were; any other text stays as it is. */
export function englishBy(catalogue: Catalogue): (text: string) => string {
  const entries = Object.entries(catalogue)
  const whole = new Map(entries.map(([english, translation]) => [translation, english]))
  // The most telling first: "{label}: done" before "{part} of {whom}".
  const sentences = entries.flatMap((entry) => sentenceOf(...entry)).sort((a, b) => b.length - a.length)
  const toEnglish = (text: string): string => {
    const known = whole.get(text)
    if (known !== undefined) return known
    for (const { pattern, names, english } of sentences) {
      const found = pattern.exec(text)
      if (!found) continue
      const values = new Map(names.map((name, i) => [name, toEnglish(found[i + 1]!)]))
      return english.replace(placeholder, (all, name: string) => values.get(name) ?? all)
    }
    return text
  }
  return (text) => {
    const place = placeOf.exec(text)?.[0] ?? ''
    return toEnglish(text.slice(0, text.length - place.length)) + place
  }
}

/** From the words of the page as it is now; a catalogue that was loaded is at hand. */
export async function pageInEnglish(): Promise<(text: string) => string> {
  const language = languages.find(({ id }) => id === currentLanguage())
  return englishBy((await language?.load().catch(() => undefined)) ?? {})
}
