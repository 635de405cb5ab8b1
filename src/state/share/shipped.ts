// Results that come with the page: fetched while it is painted, and whenever the recipe turns to models that some are
// shipped of. They are no part of its script, and the page does without what is missing.

import type { Experiment } from '../../../workers/api.ts'
import { lessons } from '../../help/lessons.ts'
import { findShipped, type ShippedSet, shippedExperiment, shippedVersion } from '../../help/shipped.ts'
import { session } from '../actions/session.ts'
import { readState, update, useStudio } from '../store.ts'
import { receiveResults } from './actions.ts'

/** Sets that were asked for, whatever came of it. */
const asked = new Set<string>()

let first: Promise<boolean> = Promise.resolve(false)

/** Whether the page begins with shipped results; settles when they are shown or known not to come. */
export const beginsWithShipped = (): Promise<boolean> => first

/** Shows shipped results from now on; the returned function stops it. */
export function watchShipped(): () => void {
  asked.clear()
  const { experiment } = readState().recipe
  // Where no link asks for anything, what a visitor meets first needs no engine to be shown.
  first = experiment ? Promise.resolve(false) : showFirst().catch(() => false)
  const expected = experiment ? findShipped(experiment) && showShipped(experiment) : first
  if (expected) {
    update('runs', { isAwaiting: true })
    void expected.finally(() => update('runs', { isAwaiting: false }))
  }
  return useStudio.subscribe(({ recipe }, before) => {
    if (recipe.experiment && recipe.experiment !== before.recipe.experiment)
      void showShipped(recipe.experiment)
  })
}

async function showFirst(): Promise<boolean> {
  const isShown = await showShipped(lessons.first)
  // The models may have been read meanwhile, or a link have been opened.
  if (isShown && !readState().recipe.experiment) update('recipe', { experiment: lessons.first })
  return isShown
}

/** True when the results of an experiment are on the page, or just came. */
async function showShipped(experiment: Experiment): Promise<boolean> {
  const set = findShipped(experiment)
  if (!set) return false
  if (asked.has(set.id)) return false
  asked.add(set.id)
  // Both are under way at once: this is what the first picture waits for.
  const reader = import('../../share/results.ts')
  reader.catch(() => undefined)
  const results = await fetchShipped(set)
  if (results === undefined) return false
  const { shippedLimits } = await reader
  return receiveResults('shipped', results, shippedExperiment(set), shippedLimits)
}

/** Packed results of a set; undefined where there are none of this version. */
async function fetchShipped({ id }: ShippedSet): Promise<unknown> {
  const file = (await session.readShipped(id)) as { version?: unknown; results?: unknown } | null | undefined
  return file?.version === shippedVersion ? file.results : undefined
}
