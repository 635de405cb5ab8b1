// Search in short texts: every word of the query must begin some word of them, whatever its case and accents.

const plain = (text: string): string => text.toLowerCase().normalize('NFD').replaceAll(/\p{M}/gu, '')

/** True when all words of the query are found; an empty query finds everything. */
export function matches(query: string, texts: readonly string[]): boolean {
  const words = plain(query).split(/\s+/).filter(Boolean)
  const all = texts.map(plain)
  return words.every((word) =>
    all.some((text) => {
      const at = text.indexOf(word)
      if (at < 0) return false
      // Chinese has no spaces, symbols no beginnings: a hit anywhere will do for them.
      if (!/^[a-z]/.test(word)) return true
      return new RegExp(`(?<![a-z])${word.replaceAll(/[^\w]/g, '\\$&')}`, 'u').test(text)
    }),
  )
}
