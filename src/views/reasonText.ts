// Why there is no number, in the language of the page. The core says it in English, as its results are kept and sent;
// what it says is listed here, and a test holds the list against the core.

import { t } from '../language/translate.ts'

const reasons: readonly [pattern: RegExp, words: (found: string[]) => string][] = [
  [/^no samples$/, () => t('no samples')],
  [/^one sample only$/, () => t('one sample only')],
  [/^one class only$/, () => t('one class only')],
  [/^the class means coincide$/, () => t('the class means coincide')],
  [/^no spread beside the class means$/, () => t('no spread beside the class means')],
  [/^no spread within the classes$/, () => t('no spread within the classes')],
  [/^not separable$/, () => t('not separable')],
  [/^answers have no budget$/, () => t('answers have no budget')],
  [/^all values of one side are equal$/, () => t('all values of one side are equal')],
  [/^(\d+) pairs$/, ([count]) => t('{count} pairs', { count: count! })],
  [
    /^(\d+) of each class are needed, found (\d+) safe and (\d+) unsafe$/,
    ([needed, safe, unsafe]) =>
      t('{needed} of each class are needed, found {safe} safe and {unsafe} unsafe', {
        needed: needed!,
        safe: safe!,
        unsafe: unsafe!,
      }),
  ],
  [
    /^not separable in (\d+) of (\d+) resamples$/,
    ([missing, count]) =>
      t('not separable in {missing} of {count} resamples', { missing: missing!, count: count! }),
  ],
  [
    /^the anchor fixes no scale: (.+)$/,
    ([reason]) => t('the anchor fixes no scale: {reason}', { reason: reasonText(reason!) }),
  ],
]

/** A reason as the page says it; one that is not known here stays as it is. */
export function reasonText(reason: string): string {
  for (const [pattern, words] of reasons) {
    const found = pattern.exec(reason)
    if (found) return words(found.slice(1))
  }
  return reason
}
