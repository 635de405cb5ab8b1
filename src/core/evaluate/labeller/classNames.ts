// Which class of a classifier means "toxic" or "good", by its name: as published classifiers call them. A guess that
// the page shows and the user can change.

export const TOXIC_NAMES = [
  'toxic',
  'toxicity',
  'unsafe',
  'harmful',
  'hate',
  'offensive',
  'abusive',
  'jailbreak',
]
export const GOOD_NAMES = ['good', 'helpful', 'aligned', 'acceptable', 'correct', 'chosen']

const words = (name: string) =>
  name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)

const NEGATIONS = ['non', 'not', 'no', 'un', 'never']

/**
 * The class that is called by the first of `names` that any class is called by: by its whole name before a word of it;
 * "not toxic" and "non-toxic" are not "toxic". Undefined where none is.
 */
export function findClass(classes: readonly string[], names: readonly string[]): string | undefined {
  const split = classes.map(words)
  for (const isWhole of [true, false])
    for (const name of names) {
      const wanted = words(name).join(' ')
      const found = split.findIndex((own) =>
        isWhole
          ? own.join(' ') === wanted
          : ` ${own.join(' ')} `.includes(` ${wanted} `) && !own.some((word) => NEGATIONS.includes(word)),
      )
      if (found >= 0) return classes[found]
    }
  return undefined
}
