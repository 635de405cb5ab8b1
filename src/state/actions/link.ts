// The address bar: read at the start and whenever somebody edits it, written shortly after each change, without
// filling the history.

import { EngineError } from '../../core/errors.ts'
import { t } from '../../language/translate.ts'
import { decodeLink, encodeLink } from '../../share/codec.ts'
import type { LinkState, LinkView } from '../../share/experiment.ts'
import { setPins } from '../pins/actions.ts'
import { selectLinkView } from '../selectors.ts'
import { dropLinkResults, receiveResults } from '../share/actions.ts'
import { askAboutForeign } from '../share/foreign.ts'
import { present, readEmbed, readHide, usePresentation } from '../share/presentation.ts'
import type { ViewSlice } from '../slices/view.ts'
import { readState, update, useStudio } from '../store.ts'
import { setPicture, setSweep } from '../sweeps/actions.ts'
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

/** What the link names of the view, where it names it; everything else stays as the reader has it. */
function openView({ page, aqiView, prompt, labeller, tables, sweep, picture, pins }: LinkView): void {
  update('view', ({ asTable }) => ({
    ...{ page, aqiView, labeller: labeller ?? null },
    // Links carry no prompt that somebody has typed, so one without any takes none away.
    ...(prompt !== '' && { prompt }),
    ...(tables && { asTable: tablesOf(asTable, tables) }),
  }))
  if (sweep) setSweep(sweep)
  if (picture) setPicture(picture)
  if (pins) setPins({ a: pins.a ?? null, b: pins.b ?? null })
}

const tablesOf = (
  asTable: ViewSlice['asTable'],
  tables: readonly (keyof ViewSlice['asTable'])[],
): ViewSlice['asTable'] =>
  Object.fromEntries(
    Object.keys(asTable).map((name) => [name, tables.some((one) => one === name)]),
  ) as ViewSlice['asTable']

let taken: Promise<boolean> | null = null

/** True once the results of the link that was opened last are on the page; false where it has none that can be shown. */
export const linkResults = async (): Promise<boolean> => (await taken) ?? false

/** Opens a link's state: the experiment, how it is looked at, and its results, as soon as they are checked. */
function openLink({ experiment, view, weights, results }: LinkState): void {
  update('recipe', { experiment })
  openView(view)
  present(location.search, view)
  update('runs', { linkWeights: weights ?? null })
  dropLinkResults()
  taken = results === undefined ? null : receiveResults('link', results, experiment)
  askAboutForeign(experiment)
}

/** Takes over what the address says. A link that cannot be read changes nothing and is explained. */
export function readLink(hash: string): boolean {
  const decoded = decodeLink(hash)
  if (decoded.kind !== 'link') present(location.search)
  switch (decoded.kind) {
    case 'none':
      return false
    case 'invalid':
      reportError(
        t('Opening the link'),
        new EngineError('link-invalid', t('This link cannot be read: {reason}.', { reason: decoded.reason })),
      )
      return false
    case 'link': {
      openLink(decoded.state)
      if (decoded.adjusted.length > 0) {
        const fields = decoded.adjusted.join(', ')
        const message = t('Numbers outside their range were moved to its edge: {fields}.', { fields })
        reportError(t('Opening the link'), new EngineError('link-invalid', message))
      }
      return true
    }
  }
}

/**
 * The state as a hash; empty while there is no experiment. Results that came with a link stay in the address as long
 * as the experiment is theirs, so that a reload shows them again.
 */
export function currentHash(): string {
  const { recipe, view, runs } = readState()
  const { experiment } = recipe
  if (!experiment) return ''
  const { isEmbed, hidden } = usePresentation.getState()
  const link = runs.received.find(({ source }) => source === 'link')
  const isTheirs = link !== undefined && JSON.stringify(link.experiment) === JSON.stringify(experiment)
  const inSearch = readHide(location.search)
  const hide = [...hidden].filter((part) => !inSearch.includes(part))
  return encodeLink({
    experiment,
    view: {
      ...selectLinkView(view),
      ...(isEmbed && !readEmbed(location.search) && { isEmbed: true as const }),
      ...(hide.length > 0 && { hide }),
    },
    ...(isTheirs && { results: link.packed }),
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
    announce(t('Link copied'))
    return true
  } catch {
    return false
  }
}
