// Weights chosen by data, and the antidote after the merge: asked for once, shown as they come.

import type { WeightSearch } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { geometryKey, mergeKey } from '../../share/experimentKey.ts'
import { readState, update } from '../store.ts'
import { announce } from './errors.ts'
import { setNumber, setWeights } from './recipe.ts'
import { runForeground } from './runner.ts'

let nextSearch = 1

/** Least J so far. */
export function bestPoint() {
  const points = readState().runs.search?.points ?? []
  return points.reduce<(typeof points)[number] | undefined>(
    (best, point) => (best && best.objective <= point.objective ? best : point),
    undefined,
  )
}

/** Searches weights on pairs that the models write; a search that is stopped leaves its best. */
export async function searchWeights(request: Omit<WeightSearch, 'searchId'>): Promise<void> {
  const { experiment } = readState().recipe
  if (!experiment) return
  const id = nextSearch++
  const key = geometryKey(experiment)
  update('runs', { search: { id, key, points: [], isRunning: true, pairs: null } })
  const result = await runForeground(
    t('Choosing weights by data'),
    (port, jobId) => port.searchWeights(jobId, experiment, { ...request, searchId: id }),
    { needsGeometry: false },
  )
  const { search } = readState().runs
  if (search?.id !== id) return
  update('runs', { search: { ...search, isRunning: false, pairs: result?.pairs ?? null } })
  const best = bestPoint()
  if (!best) return
  const values = { count: search.points.length, value: best.objective.toFixed(3) }
  announce(t('Best of {count} evaluations: J {value}', values))
}

/** Takes over the best weights found. */
export function applyBestWeights(): void {
  const best = bestPoint()
  if (best) setWeights(best.weights)
}

/** How the antidote's search ended, in words. The stages are those of core/repair/rhoSearch.ts. */
export function searchEnd(stage: string): string {
  const words: Record<string, string> = {
    'already met': t('already met'),
    met: t('met'),
    'spared first': t('spared first'),
    'out of reach': t('out of reach'),
  }
  return words[stage] ?? stage
}

/** The antidote's map at its present length, or with the length that the budget search finds. */
export async function askAntidote(isSearch: boolean): Promise<void> {
  const { experiment } = readState().recipe
  if (!experiment) return
  const label = isSearch ? t('Searching the antidote') : t('Antidote by layer')
  const report = await runForeground(label, (port, id) => port.antidote(id, experiment, isSearch))
  if (!report) return
  const length = Number(report.length.toFixed(2))
  const now = readState().recipe.experiment
  // A recipe that came meanwhile was not searched for.
  if (isSearch && now && mergeKey(now) === mergeKey(experiment)) setNumber('antidote', length)
  const found = isSearch ? { ...experiment, antidote: length } : experiment
  update('runs', { antidote: { mergeKey: mergeKey(found), report } })
  announce(
    report.stage
      ? t('Antidote: {stage}', { stage: searchEnd(report.stage) })
      : t('Antidote by layer has arrived'),
  )
}
