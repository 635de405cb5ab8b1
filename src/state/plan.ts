// What the engine should do next, as data: an ordered list of tasks that follows from the experiment and from what
// is known already. The runner does the first one; cancel, resume and "latest wins" need nothing more.
//
// The order serves the eye: the anchor's clusters need no geometry and come within seconds, then the drift curve,
// then anchor and merge side by side, then the pinned runs, then the sweep from coarse to fine, with the experts as
// soon as the table would be bare without them.

import type { Experiment, Subject } from '../../workers/api.ts'
import { geometryKey, isClosedForm, measurementKey, mergeLambda, subjectKey } from '../share/experimentKey.ts'
import { curveExperiment as sweepExperiment } from '../share/sweeps/parameters.ts'
import { defaultOrder as sweepOrder } from '../share/sweeps/points.ts'

import { isWhole } from './share/received.ts'
import { type Measurement, measurementId, type PartName } from './slices/runs.ts'

export type Task =
  | { kind: 'prepare'; id: string; experiment: Experiment }
  | { kind: 'measure'; id: string; experiment: Experiment; subject: Subject; part: PartName }
  /** scores of the answers by the labeller with this digest; cheap, so never stopped for anything newer */
  | { kind: 'label'; id: string; experiment: Experiment; subject: Subject; labeller: string }

export interface PlanInput {
  experiment: Experiment
  anchorId: string
  expertIds: readonly string[]
  preparedKey: string | null
  hasGeometry: boolean
  measurements: Readonly<Record<string, Measurement>>
  /** what ships with the page and need not be measured again: measurements by id */
  standing: Readonly<Record<string, Measurement>>
  /** the geometry ships, for the charts; whatever is measured still needs one here */
  hasStandingGeometry: boolean
  failed: Readonly<Record<string, unknown>>
  /** merges of the comparison page; empty on the studio's own */
  compared: readonly Experiment[]
  /** missing: the sweep that the page begins with, nothing pinned */
  wishes?: PlanWishes | undefined
  /** digest of the labeller that is plugged in */
  labeller: string | null
}

/** What is measured beyond the recipe. */
export interface PlanWishes {
  /** merges of the chosen sweep, in the order of measuring */
  points: readonly Experiment[]
  /** runs that are pinned */
  pinned: readonly Experiment[]
}

export { sweepExperiment, sweepOrder }

/** The sweep that the page begins with, and nothing pinned. */
function defaultWishes(experiment: Experiment): PlanWishes {
  const curve = sweepExperiment(experiment)
  return { points: sweepOrder.map((lambdaAlign) => ({ ...curve, lambdaAlign })), pinned: [] }
}

/** The merge as the experiment asks for it. */
export function currentMerge(experiment: Experiment): Subject {
  return { kind: 'merge', lambdaAlign: mergeLambda(experiment) }
}

export function measureTask(experiment: Experiment, subject: Subject, part: PartName): Task {
  const key = measurementKey(experiment, subject)
  return { kind: 'measure', id: `${key}/${subjectKey(subject)}/${part}`, experiment, subject, part }
}

export function labelTask(experiment: Experiment, subject: Subject, labeller: string): Task {
  const key = measurementKey(experiment, subject)
  return { kind: 'label', id: `${key}/${subjectKey(subject)}/${labeller}`, experiment, subject, labeller }
}

/** Every method beside every other: behaviour first, since the table is sorted by it. */
function comparisonTasks(
  experiment: Experiment,
  anchorId: string,
  expertIds: readonly string[],
  compared: readonly Experiment[],
): Task[] {
  const models = [anchorId, ...expertIds].map((id): Subject => ({ kind: 'model', id }))
  return [
    ...models.map((model) => measureTask(experiment, model, 'behaviour')),
    measureTask(experiment, models[0]!, 'aqi'),
    { kind: 'prepare', id: `${geometryKey(experiment)}/prepare`, experiment },
    ...compared.flatMap((row) =>
      (['behaviour', 'aqi', 'drift'] as const).map((part) => measureTask(row, currentMerge(row), part)),
    ),
    ...models.slice(1).map((model) => measureTask(experiment, model, 'aqi')),
  ]
}

/** Everything that is measured of a merge. */
const mergeParts = ['drift', 'aqi', 'behaviour'] as const

/** Every task of an experiment in order, done or not. */
export function allTasks(
  experiment: Experiment,
  anchorId: string,
  expertIds: readonly string[],
  { points, pinned }: PlanWishes = defaultWishes(experiment),
): Task[] {
  const anchor: Subject = { kind: 'model', id: anchorId }
  const merge = currentMerge(experiment)
  // All parts of one merge in a row: it is then written once.
  const wholly = (merges: readonly Experiment[]) =>
    merges.flatMap((one) => mergeParts.map((part) => measureTask(one, currentMerge(one), part)))
  const average = { ...sweepExperiment(experiment), lambdaAlign: 0 }
  const tasks: Task[] = [
    measureTask(experiment, anchor, 'aqi'),
    { kind: 'prepare', id: `${geometryKey(experiment)}/prepare`, experiment },
    measureTask(experiment, merge, 'drift'),
    measureTask(experiment, merge, 'aqi'),
    measureTask(experiment, anchor, 'behaviour'),
    measureTask(experiment, merge, 'behaviour'),
    ...wholly(pinned),
    ...wholly([average]),
    ...wholly(points.slice(0, 2)),
    ...expertIds.flatMap((id) =>
      (['aqi', 'behaviour'] as const).map((part) => measureTask(experiment, { kind: 'model', id }, part)),
    ),
    ...wholly(points.slice(2)),
  ]
  const seen = new Set<string>()
  return tasks.filter((task) => !seen.has(task.id) && seen.add(task.id))
}

/** What remains to be done, in order. */
export function remainingTasks(input: PlanInput): Task[] {
  const { experiment } = input
  const isPrepared = input.hasGeometry && input.preparedKey === geometryKey(experiment)
  const { anchorId, expertIds, compared } = input
  const all =
    compared.length > 0
      ? comparisonTasks(experiment, anchorId, expertIds, compared)
      : allTasks(experiment, anchorId, expertIds, input.wishes)
  const known = new Set<string>()
  const tasks = all.filter((task) => !known.has(task.id) && known.add(task.id))
  const idOf = ({ experiment: asked, subject }: Exclude<Task, { kind: 'prepare' }>) =>
    measurementId(measurementKey(asked, subject), subject)
  const isStanding = (task: Task) => {
    if (task.kind !== 'measure') return false
    const standing = input.standing[idOf(task)]
    return standing !== undefined && isWhole(standing, task.part)
  }
  const isMeasured = (task: Exclude<Task, { kind: 'prepare' }>) => {
    const measurement = input.measurements[idOf(task)]
    if (task.kind === 'label') return measurement?.labels[task.labeller] !== undefined
    return measurement?.complete.includes(task.part) === true
  }
  const isDone = (task: Task) => (task.kind === 'prepare' ? isPrepared : isMeasured(task) || isStanding(task))
  /** Answers that are there are scored at once, where a table shows the scores. */
  const withLabels = (task: Task): Task[] => {
    const isShown = compared.length > 0 || !isSweepOnly(input, task)
    if (input.labeller === null || task.kind !== 'measure' || task.part !== 'behaviour' || !isShown)
      return [task]
    // Scores need the answers themselves, which do not ship.
    if (isStanding(task))
      return isMeasured(task) ? [labelTask(task.experiment, task.subject, input.labeller)] : [task]
    return isDone(task) ? [labelTask(task.experiment, task.subject, input.labeller)] : [task]
  }
  const prepare = tasks.find((task) => task.kind === 'prepare')
  const refusal = prepare && input.failed[prepare.id]
  // Nothing can be measured in a space that could not be built, but what stands outside it can.
  if (refusal !== undefined && !isForWantOfGpu(refusal)) return []
  const left = tasks
    .flatMap(withLabels)
    .filter((task) => !isDone(task) && !(task.id in input.failed))
    .filter((task) => refusal === undefined || !needsGeometry(task))
  // Where all of it ships, the geometry waits for somebody to need it.
  return input.hasStandingGeometry && left.every((task) => task.kind === 'prepare') ? [] : left
}

/** The engine has no WebGPU, and no geometry is shipped for what was asked. */
const isForWantOfGpu = (failure: unknown): boolean =>
  typeof failure === 'object' && failure !== null && 'code' in failure && failure.code === 'gpu-unavailable'

/** Drift is measured in the geometry, and AlignMerge's shield is made of it; models and other merges need none. */
function needsGeometry(task: Task): boolean {
  if (task.kind === 'prepare') return true
  if (task.kind === 'measure' && task.part === 'drift') return true
  if (task.subject.kind === 'model' || task.experiment.method !== 'alignmerge') return false
  return task.subject.lambdaAlign > 0 || !isClosedForm(task.experiment)
}

/** A point of the sweep that only the charts show: neither the average, nor the merge of the page, nor pinned. */
function isSweepOnly({ experiment, wishes }: PlanInput, task: Task): boolean {
  if (task.kind !== 'measure' || task.subject.kind === 'model') return false
  const average = { ...sweepExperiment(experiment), lambdaAlign: 0 }
  return [experiment, average, ...(wishes?.pinned ?? [])].every(
    (shown) => task.id !== measureTask(shown, currentMerge(shown), task.part).id,
  )
}
