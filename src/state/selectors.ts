// Reading the store: which models the experiment means, and which results answer it. Every function takes the state
// (or parts of it) and invents nothing: no result under the experiment's own key, no number.

import type { Experiment, LabellerSummary, ModelOrigin, ModelSummary, Subject } from '../../workers/api.ts'
import { t } from '../language/translate.ts'
import { type ComparedMethod, comparedExperiment, comparedMethods } from '../share/comparison.ts'
import { isExamplePrompt } from '../share/examplePrompts.ts'
import type { LinkView } from '../share/experiment.ts'
import {
  geometryKey,
  measurementKey,
  mergeKey,
  mergeLambda,
  normaliseWeights,
  originKey,
} from '../share/experimentKey.ts'
import { neededReferences } from '../share/methods.ts'
import type { Failure } from './failure.ts'
import {
  currentMerge,
  measureTask,
  type PlanInput,
  type PlanWishes,
  remainingTasks,
  sweepExperiment,
  type Task,
} from './plan.ts'
import { receivedModel, standingResults } from './share/received.ts'
import { type Measurement, measurementId, type ReceivedSet, type RunsSlice } from './slices/runs.ts'
import type { PageName, ViewSlice } from './slices/view.ts'
import type { StudioState } from './store.ts'
import { trainedName } from './training/names.ts'

export function findModel(list: readonly ModelSummary[], origin: ModelOrigin): ModelSummary | undefined {
  const key = originKey(origin)
  return list.find((model) => originKey(model.origin) === key)
}

/** Short name of an origin, loaded or not. */
export function originName(list: readonly ModelSummary[], origin: ModelOrigin): string {
  const model = findModel(list, origin)
  if (model) return model.name
  switch (origin.kind) {
    case 'built-in':
      return origin.id
    case 'url':
      return origin.url.replace(/\/+$/, '').split('/').slice(-2).join('/')
    case 'hub':
      return origin.part?.split('/').at(-1) ?? origin.repo
    case 'files':
    case 'stored':
      return origin.name
    case 'trained':
      return trainedName(origin)
  }
}

/** Models that the experiment names and nobody has loaded. */
export function missingOrigins(list: readonly ModelSummary[], experiment: Experiment): ModelOrigin[] {
  const references = neededReferences(experiment.method).flatMap((role) => experiment.references[role] ?? [])
  return [experiment.anchor, ...experiment.experts.map((expert) => expert.origin), ...references].filter(
    (origin) => !findModel(list, origin),
  )
}

export function selectWeights(experiment: Experiment): number[] {
  return normaliseWeights(experiment.experts.map((expert) => expert.weight))
}

/** The models of the experiment, or undefined while one is missing. */
export function selectCast(
  list: readonly ModelSummary[],
  experiment: Experiment | null,
): { anchor: ModelSummary; experts: ModelSummary[] } | undefined {
  if (!experiment) return undefined
  const anchor = findModel(list, experiment.anchor)
  const experts = experiment.experts.map((expert) => findModel(list, expert.origin))
  if (!anchor || experts.some((expert) => !expert)) return undefined
  return { anchor, experts: experts.filter((expert) => expert !== undefined) }
}

/** The same for what is only shown: models that results were received of need not be open. */
export function selectShownCast(
  list: readonly ModelSummary[],
  received: readonly ReceivedSet[],
  experiment: Experiment,
): ReturnType<typeof selectCast> {
  const shown = (origin: ModelOrigin) => findModel(list, origin) ?? receivedModel(received, origin)
  const anchor = shown(experiment.anchor)
  const experts = experiment.experts.map((expert) => shown(expert.origin))
  if (!anchor || experts.some((expert) => !expert)) return undefined
  return { anchor, experts: experts.filter((expert) => expert !== undefined) }
}

/** A row of the comparison page: the method and the experiment that opens its merge. */
export interface ComparedRow extends ComparedMethod {
  experiment: Experiment
}

export function selectCompared(experiment: Experiment): ComparedRow[] {
  return comparedMethods(experiment.experts.length).map((row) => ({
    ...row,
    experiment: comparedExperiment(experiment, row),
  }))
}

/** Why a merge of the comparison could not be measured. */
export function selectFailure(
  failed: Readonly<Record<string, Failure>>,
  experiment: Experiment,
): string | undefined {
  const tasks = ['behaviour', 'aqi', 'drift'] as const
  return tasks
    .map((part) => failed[measureTask(experiment, currentMerge(experiment), part).id]?.message)
    .find((message) => message !== undefined)
}

/** What of the runs decides what is left to do. */
export type PlanResults = Pick<
  RunsSlice,
  'preparedKey' | 'geometries' | 'measurements' | 'received' | 'failed'
>

export function selectPlanInput(
  list: readonly ModelSummary[],
  experiment: Experiment | null,
  runs: PlanResults,
  page: PageName,
  labeller: LabellerSummary | null,
  wishes?: PlanWishes,
): PlanInput | undefined {
  const cast = selectCast(list, experiment)
  if (!experiment || !cast) return undefined
  const standing = standingResults(runs.received)
  return {
    experiment,
    standing: standing.measurements,
    hasStandingGeometry: geometryKey(experiment) in standing.geometries,
    anchorId: cast.anchor.id,
    expertIds: cast.experts.map((expert) => expert.id),
    preparedKey: runs.preparedKey,
    hasGeometry: geometryKey(experiment) in runs.geometries,
    measurements: runs.measurements,
    failed: runs.failed,
    compared: page === 'compare' ? selectCompared(experiment).map((row) => row.experiment) : [],
    labeller: labeller?.digest ?? null,
    wishes: wishes && {
      ...wishes,
      // A run of models that are closed waits for them.
      pinned: wishes.pinned.filter((pinned) => missingOrigins(list, pinned).length === 0),
    },
  }
}

/** What of the view every link carries; a prompt that somebody typed is theirs and stays here. */
export function selectLinkView({
  page,
  aqiView,
  prompt,
  labeller,
}: Pick<ViewSlice, 'page' | 'aqiView' | 'prompt' | 'labeller'>): LinkView {
  return { page, aqiView, prompt: isExamplePrompt(prompt) ? prompt : '', ...(labeller && { labeller }) }
}

export function selectRemaining({ models, recipe, runs, view }: StudioState, wishes?: PlanWishes): Task[] {
  const input = selectPlanInput(models.list, recipe.experiment, runs, view.page, models.labeller, wishes)
  return input ? remainingTasks(input) : []
}

export function selectGeometry(runs: RunsSlice, experiment: Experiment | null) {
  return experiment ? runs.geometries[geometryKey(experiment)] : undefined
}

export type Measurements = Readonly<Record<string, Measurement>>

export function selectMeasurement(
  measurements: Measurements,
  experiment: Experiment,
  subject: Subject,
): Measurement | undefined {
  return measurements[measurementId(measurementKey(experiment, subject), subject)]
}

/** What is measured of the merge that the experiment asks for. */
export function selectMergeMeasurement(
  measurements: Measurements,
  experiment: Experiment,
): Measurement | undefined {
  return selectMeasurement(measurements, experiment, currentMerge(experiment))
}

export interface SweepPoint {
  lambdaAlign: number
  measurement: Measurement
}

/** Everything measured along λ_align with the experiment's weights and rank, by λ. */
export function selectSweep(measurements: Measurements, experiment: Experiment): SweepPoint[] {
  const key = measurementKey(sweepExperiment(experiment), { kind: 'merge', lambdaAlign: 0 })
  const points: SweepPoint[] = []
  for (const measurement of Object.values(measurements)) {
    if (measurement.key === key && measurement.subject.kind === 'merge')
      points.push({ lambdaAlign: measurement.subject.lambdaAlign, measurement })
  }
  return points.sort((a, b) => a.lambdaAlign - b.lambdaAlign)
}

/** True when the engine's merge slot holds the merge on the page. */
export function isMergeWritten(runs: RunsSlice, experiment: Experiment | null): boolean {
  return experiment !== null && runs.written?.key === mergeKey(experiment)
}

export function describeSubject(list: readonly ModelSummary[], subject: Subject): string {
  if (subject.kind === 'merge') return t('the merge at {place}', { place: `λ_align ${subject.lambdaAlign}` })
  return list.find((model) => model.id === subject.id)?.name ?? subject.id
}

/** λ that the page shows: the slider’s under AlignMerge, 0 under a method without shield. */
export const selectLambda = mergeLambda
