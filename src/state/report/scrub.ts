// A report holds what it lists and nothing private. Most of it is private by construction (state is picked field by
// field); messages and stacks are free text, so whatever looks like a secret or was typed on the page is taken out.

/** Shorter ones are words of any sentence. */
const shortestPrivate = 4

const patterns: readonly [RegExp, string][] = [
  // Access tokens of hubs.
  [/\b(hf|api|sk|ghp|github_pat)_[\w-]{8,}/g, '[token]'],
  [/\bBearer\s+\S+/gi, '[token]'],
  // A link holds the experiment, and results with it.
  [/#v\d+\.[\w\-~.]+/g, '#[link]'],
  // Signed addresses carry their rights in the query.
  [/(\bhttps?:\/\/[^\s?#"')]+)\?[^\s"')]*/g, '$1?[…]'],
  [/(\bhttps?:\/\/)[^\s/@"']+@/g, '$1[…]@'],
]

/** The text without `typed` and without anything that looks like a secret. */
export function scrub(text: string, typed: readonly string[]): string {
  // Longest first: a short one may be part of a long one.
  const known = [...new Set(typed.map((entry) => entry.trim()))]
    .filter((entry) => entry.length >= shortestPrivate)
    .sort((a, b) => b.length - a.length)
  const withoutTyped = known.reduce((rest, entry) => rest.replaceAll(entry, '[typed]'), text)
  return patterns.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), withoutTyped)
}
