// The address bar: read at the start and whenever somebody edits it, written shortly after each change, without
// filling the history.

import { EngineError } from '../../core/errors.ts'
import { decodeLink, encodeLink } from '../../share/codec.ts'
import { selectLinkView } from '../selectors.ts'
import { readState, update, useStudio } from '../store.ts'
import { announce, reportError } from './errors.ts'
import { recipeChanged } from './runner.ts'

const writeDelayMs = 250

/** What we wrote last: some environments report our own writing as a change, late. */
let ownHash = ''

function writeHash(hash: string): void {
  if (hash === '' || hash === location.hash) return
  ownHash = hash
  history.replaceState(null, '', hash)
}

/** Takes over what the address says. A link that cannot be read changes nothing and is explained. */
export function readLink(hash: string): boolean {
  const decoded = decodeLink(hash)
  switch (decoded.kind) {
    case 'none':
      return false
    case 'invalid':
      reportError(
        'Opening the link',
        new EngineError('link-invalid', `This link cannot be read: ${decoded.reason}.`),
      )
      return false
    case 'link': {
      const { experiment, view } = decoded.state
      update('recipe', { experiment })
      update('view', { labeller: null, ...view })
      if (decoded.adjusted.length > 0) {
        const fields = decoded.adjusted.join(', ')
        const message = `Numbers outside their range were moved to its edge: ${fields}.`
        reportError('Opening the link', new EngineError('link-invalid', message))
      }
      return true
    }
  }
}

/** The state as a hash; empty while there is no experiment. */
export function currentHash(): string {
  const { recipe, view } = readState()
  if (!recipe.experiment) return ''
  return encodeLink({
    experiment: recipe.experiment,
    view: selectLinkView(view),
  })
}

/** Keeps address and state together until the returned function is called. */
export function watchLink(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const unsubscribe = useStudio.subscribe((state, before) => {
    if (state.recipe === before.recipe && state.view === before.view) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      timer = undefined
      writeHash(currentHash())
    }, writeDelayMs)
  })
  const onHashChange = () => {
    // Our own writing, reported late: the state has moved on and is about to be written.
    if (timer !== undefined && location.hash === ownHash) return
    if (location.hash === currentHash()) return
    if (readLink(location.hash)) recipeChanged()
  }
  addEventListener('hashchange', onHashChange)
  return () => {
    clearTimeout(timer)
    unsubscribe()
    removeEventListener('hashchange', onHashChange)
  }
}

/** Copies the link; false where the clipboard is closed to us, so that the page can show the text instead. */
export async function copyLink(): Promise<boolean> {
  writeHash(currentHash())
  try {
    await navigator.clipboard.writeText(location.href)
    announce('Link copied')
    return true
  } catch {
    return false
  }
}
