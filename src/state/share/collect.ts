// What of this page goes into a link: the results it shows, the models they are of, and where the view stands.

import type { Experiment, Subject } from '../../../workers/api.ts'
import type { ChartName, HideablePart, LinkState } from '../../share/experiment.ts'
import type { ResultRow, ResultSet } from '../../share/results.ts'
import { usePinStore } from '../pins/store.ts'
import { currentMerge, sweepExperiment } from '../plan.ts'
import {
  type Measurements,
  selectCompared,
  selectLinkView,
  selectMeasurement,
  selectMergeMeasurement,
  selectShownCast,
  selectSweep,
} from '../selectors.ts'
import { readState } from '../store.ts'
import { selectPlannedPoints } from '../sweeps/selectors.ts'
import { useSweeps } from '../sweeps/store.ts'
import { selectShown, selectShownGeometry } from './received.ts'

export interface SharedView {
  /** the prompt as it was typed */ hasPrompt?: boolean
  isEmbed?: boolean
  hide?: readonly HideablePart[]
}

/** The state that a link is made of, without results; undefined while there is no experiment. */
export function sharedState({ hasPrompt, isEmbed, hide = [] }: SharedView = {}): LinkState | undefined {
  const { recipe, view, models } = readState()
  const { experiment } = recipe
  if (!experiment) return undefined
  const { spec, picture } = useSweeps.getState()
  const { a, b } = usePinStore.getState()
  const tables = (Object.keys(view.asTable) as ChartName[]).filter((name) => view.asTable[name])
  const built = models.list.flatMap(({ origin, digest }) =>
    origin.kind === 'built-in' && digest !== undefined ? [[origin.id, digest] as const] : [],
  )
  const named = JSON.stringify(experiment)
  const weights = built.filter(([id]) => named.includes(JSON.stringify(id)))
  return {
    experiment,
    view: {
      ...selectLinkView(view),
      ...(hasPrompt && { prompt: view.prompt }),
      ...(tables.length > 0 && { tables }),
      ...{ sweep: spec, picture },
      ...((a || b) && { pins: { ...(a && { a }), ...(b && { b }) } }),
      ...(isEmbed && { isEmbed: true as const }),
      ...(hide.length > 0 && { hide: [...hide] }),
    },
    ...(weights.length > 0 && { weights: Object.fromEntries(weights) }),
  }
}

function rowOf(measurements: Measurements, experiment: Experiment, subject: Subject): ResultRow[] {
  const measurement = selectMeasurement(measurements, experiment, subject)
  return measurement ? [{ experiment, subject, measurement }] : []
}

const mergeRow = (measurements: Measurements, experiment: Experiment): ResultRow[] =>
  rowOf(measurements, experiment, currentMerge(experiment))

/** Everything shown of the experiment, in the order of its worth; undefined while there is nothing. */
export function shownResults(): ResultSet | undefined {
  const { recipe, runs, models, view } = readState()
  const { experiment } = recipe
  const cast = experiment && selectShownCast(models.list, runs.received, experiment)
  if (!experiment || !cast) return undefined
  const measurements = selectShown(runs)
  const all = [cast.anchor, ...cast.experts]
  const curve = sweepExperiment(experiment)
  const { a, b } = usePinStore.getState()
  const merges: Experiment[] = [
    experiment,
    ...selectSweep(measurements, experiment).map(({ lambdaAlign }) => ({ ...curve, lambdaAlign })),
    ...selectPlannedPoints(useSweeps.getState().spec, experiment),
    ...[a, b].filter((pinned) => pinned !== null),
    ...(view.page === 'compare' ? selectCompared(experiment).map((row) => row.experiment) : []),
  ]
  const rows = [
    ...all.flatMap(({ id }) => rowOf(measurements, experiment, { kind: 'model', id })),
    ...merges.flatMap((merge) => mergeRow(measurements, merge)),
  ]
  if (rows.length === 0) return undefined
  const geometry = selectShownGeometry(runs, experiment)?.geometry
  return { experiment, models: all, rows, ...(geometry && { geometry }) }
}

/** The merge of the page has been measured, here or elsewhere. */
export function hasResults(): boolean {
  const { recipe, runs } = readState()
  return (
    recipe.experiment !== null && selectMergeMeasurement(selectShown(runs), recipe.experiment) !== undefined
  )
}
