// Results that come with the page: looked for as soon as the page has been painted, and whenever the recipe turns to
// models that some are shipped of. They are no part of the first load, and the page does without what is missing.

import type { Experiment } from '../../../workers/api.ts'
import { lessons } from '../../help/lessons.ts'
import { findShipped, type ShippedSet, shippedExperiment, shippedVersion } from '../../help/shipped.ts'
import { session } from '../actions/session.ts'
import { readState, update, useStudio } from '../store.ts'

/** Sets that were asked for, whatever came of it. */
const asked = new Set<string>()

/** Shows shipped results from now on; the returned function stops it. */
export function watchShipped(): () => void {
  asked.clear()
  const look = () => {
    const { experiment } = readState().recipe
    if (experiment) void showShipped(experiment)
  }
  const timer = setTimeout(() => {
    look()
    // Nothing is asked for by a link: what a visitor meets first needs no engine to be shown.
    if (!readState().recipe.experiment) void showFirst()
  }, 0)
  const unsubscribe = useStudio.subscribe(({ recipe }, before) => {
    if (recipe.experiment !== before.recipe.experiment) look()
  })
  return () => {
    clearTimeout(timer)
    unsubscribe()
  }
}

async function showFirst(): Promise<void> {
  const isShown = await showShipped(lessons.first)
  // The models may have been read meanwhile, or a link have been opened.
  if (isShown && !readState().recipe.experiment) update('recipe', { experiment: lessons.first })
}

/** True when the results of an experiment are on the page, or just came. */
async function showShipped(experiment: Experiment): Promise<boolean> {
  const set = findShipped(experiment)
  if (!set) return false
  if (asked.has(set.id)) return false
  asked.add(set.id)
  const results = await fetchShipped(set)
  if (results === undefined) return false
  const [{ receiveResults }, { shippedLimits }] = await Promise.all([
    import('./actions.ts'),
    import('../../share/results.ts'),
  ])
  return receiveResults('shipped', results, shippedExperiment(set), shippedLimits)
}

/** Packed results of a set; undefined where there are none of this version. */
async function fetchShipped({ id }: ShippedSet): Promise<unknown> {
  const file = (await session.readShipped(id)) as { version?: unknown; results?: unknown } | null | undefined
  return file?.version === shippedVersion ? file.results : undefined
}
