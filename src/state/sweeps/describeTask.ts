// What the engine is doing, in words: which part of whom. A point of a sweep is called by what is swept, as its λ_align
// says nothing where λ_align stays what it is.

import type { Experiment, ModelSummary, Subject } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { isOnCurve, mergeKey } from '../../share/experimentKey.ts'
import { findMethod } from '../../share/methods.ts'
import { type SweepParameter, sweepParameters } from '../../share/sweeps/parameters.ts'
import type { SweepPoint, SweepSheet } from '../../share/sweeps/points.ts'
import type { Task } from '../plan.ts'
import { describeSubject } from '../selectors.ts'

/** What the page shows while the task is done. */
export interface Shown {
  /** the recipe */ experiment: Experiment
  sheet: SweepSheet
}

const short = (value: number): string => String(Number(value.toPrecision(4)))

/** Damping and the antidote are both ρ: a symbol that two of them share says nothing. */
function nameOf({ symbol, label }: SweepParameter, all: readonly SweepParameter[]): string {
  const isOwn = symbol !== '' && all.filter((other) => other.symbol === symbol).length === 1
  return isOwn ? symbol : t(label)
}

/** Where a point stands: `m 5`, `λ_align 4, λ_bud 16`, `λ₁ 0.25, λ₂ 0.25, λ₃ 0.5`. */
function placeOf({ values, experiment }: SweepPoint, { spec, parameters }: SweepSheet): string {
  const all = sweepParameters(experiment)
  const swept = spec.kind === 'weights' ? all.filter(({ id }) => id.startsWith('weight.')) : parameters
  return swept.map((parameter, index) => `${nameOf(parameter, all)} ${short(values[index] ?? 0)}`).join(', ')
}

/** The sweep's point that a merge is; none for the recipe's own merge, which is on the page with or without a sweep. */
function pointOf(asked: Experiment, { experiment, sheet }: Shown): SweepPoint | undefined {
  const key = mergeKey(asked)
  return key === mergeKey(experiment)
    ? undefined
    : sheet.points.find((point) => mergeKey(point.experiment) === key)
}

function describeMerge(list: readonly ModelSummary[], asked: Experiment, subject: Subject, shown?: Shown) {
  const point = shown && pointOf(asked, shown)
  const place = point && shown && placeOf(point, shown.sheet)
  if (isOnCurve(asked))
    return place === undefined ? describeSubject(list, subject) : t('the merge at {place}', { place })
  const method = t(findMethod(asked.method)?.label ?? asked.method)
  return place === undefined ? method : t('{method} at {place}', { method, place })
}

/** What a task does, in words. */
export function describeTask(list: readonly ModelSummary[], task: Task, shown?: Shown): string {
  if (task.kind === 'prepare') return t('Fisher information and alignment directions')
  const kind = task.kind === 'label' ? 'labels' : task.part
  const part = t({ aqi: 'AQI', behaviour: 'Behaviour', drift: 'Drift', labels: 'Labels' }[kind])
  const { experiment, subject } = task
  const whom =
    subject.kind === 'merge'
      ? describeMerge(list, experiment, subject, shown)
      : describeSubject(list, subject)
  return t('{part} of {whom}', { part, whom })
}
