// What the share dialog hands out: the link with what fits into it, and where it would be opened.

import { t } from '../../language/translate.ts'
import { encodeLink } from '../../share/encode.ts'
import { type FittedLink, fitResults } from '../../share/results.ts'
import { announce } from '../actions/errors.ts'
import { type SharedView, sharedState, shownResults } from './collect.ts'

export interface LinkChoice extends SharedView {
  hasResults?: boolean
}

/** The whole address and what of the results is in it; undefined while there is no experiment. */
export function makeLink({
  hasResults = true,
  ...view
}: LinkChoice): (FittedLink & { address: string }) | undefined {
  const state = sharedState(view)
  if (!state) return undefined
  const results = hasResults ? shownResults() : undefined
  const fitted: FittedLink = results
    ? fitResults(state, results)
    : { hash: encodeLink(state), kept: 'nothing' }
  // What the reader's page hides or embeds stands in the link itself.
  return { ...fitted, address: `${location.origin}${location.pathname}${fitted.hash}` }
}

/** The snippet for a lesson or a blog. */
export function embedSnippet(address: string): string {
  const source = address.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
  const title = t('AlignMerge Studio: a merge and what it does to alignment')
  return `<iframe src="${source}" title="${title}" width="100%" height="760" style="border:0" loading="lazy"></iframe>`
}

/** False where the clipboard is closed to us, so that the page can show the text instead. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    announce(t('Copied'))
    return true
  } catch {
    return false
  }
}

/** Hands text or a picture to the browser's downloads. */
export function saveFile(name: string, content: Blob | string, type = 'text/plain'): void {
  const blob = typeof content === 'string' ? new Blob([content], { type: `${type};charset=utf-8` }) : content
  const address = URL.createObjectURL(blob)
  const anchor = document.createElement('a')
  anchor.href = address
  anchor.download = name
  anchor.click()
  // The download has its own reference to the bytes once it has begun.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
  announce(t('{name} was saved', { name }))
}
