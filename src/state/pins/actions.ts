// Pinning runs. Pins outlive the page: they lie in local storage as links, which carry a version and are checked
// field by field when they are read.

import type { Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { decodeLink, encodeLink } from '../../share/codec.ts'
import { announce } from '../actions/errors.ts'
import { openExperiment } from '../actions/recipe.ts'
import { schedule } from '../actions/runner.ts'
import { selectLinkView } from '../selectors.ts'
import { initialView } from '../slices/view.ts'
import { readState } from '../store.ts'
import { noPins, type PinSlot, type PinsState, pinSlots, usePinStore } from './store.ts'

const storageKey = 'alignmerge-pins'

/** Storage may be closed to us or full; pins then last as long as the page. */
function save(pins: PinsState): void {
  const linkOf = (experiment: Experiment | null) =>
    experiment && encodeLink({ experiment, view: selectLinkView(initialView) })
  try {
    localStorage.setItem(storageKey, JSON.stringify({ a: linkOf(pins.a), b: linkOf(pins.b) }))
  } catch {
    // A comparison that is lost with the page is not worth an error.
  }
}

/** Takes over what is pinned, e.g. from a link, and measures what is missing. */
export function setPins(pins: PinsState): void {
  usePinStore.setState(pins)
  save(pins)
  schedule()
}

/** Keeps the recipe as it is now. */
export function pinCurrent(slot: PinSlot): void {
  const { experiment } = readState().recipe
  if (!experiment) return
  setPins({ ...usePinStore.getState(), [slot]: experiment })
  announce(t('Pinned as {slot}', { slot: slot.toUpperCase() }))
}

export function unpin(slot: PinSlot): void {
  setPins({ ...usePinStore.getState(), [slot]: null })
  announce(t('{slot} is unpinned', { slot: slot.toUpperCase() }))
}

export function swapPins(): void {
  const { a, b } = usePinStore.getState()
  setPins({ a: b, b: a })
  announce(t('A and B are swapped'))
}

/** Makes a pinned run the recipe. */
export function restorePin(slot: PinSlot): void {
  const experiment = usePinStore.getState()[slot]
  if (!experiment) return
  openExperiment(experiment)
  announce(t('The recipe is that of {slot}', { slot: slot.toUpperCase() }))
}

function readPin(value: unknown): Experiment | null {
  if (typeof value !== 'string') return null
  const decoded = decodeLink(value)
  return decoded.kind === 'link' ? decoded.state.experiment : null
}

/** Pins of the last visit; anything that is none is dropped. */
export function loadPins(): void {
  let stored: unknown = null
  try {
    stored = JSON.parse(localStorage.getItem(storageKey) ?? 'null')
  } catch {
    stored = null
  }
  const values = typeof stored === 'object' && stored !== null ? (stored as Record<string, unknown>) : {}
  const pins = { ...noPins }
  for (const slot of pinSlots) pins[slot] = readPin(values[slot])
  usePinStore.setState(pins)
}
