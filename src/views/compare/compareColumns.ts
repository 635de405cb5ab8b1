// The measures of the comparison, as data: how each is read from a measurement, written, and which way is better.

import type { AqiView, Estimate, LabellerSummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { axes, axisOf, meanSkill } from '../../share/threeH.ts'
import type { Measurement } from '../../state/slices/runs.ts'
import { formatList, type NumberForm } from '../format.ts'

export interface CompareColumn {
  id: string
  label: string
  title: string
  group: string
  form: NumberForm
  better: 'high' | 'low'
  pick: (measurement: Measurement) => Estimate | undefined
}

const exact = (value: number | undefined): Estimate | undefined =>
  value === undefined ? undefined : { value, low: value, high: value, count: 1 }

const viewNames = {
  prompts: () => t('prompts'),
  completions: () => t('completions'),
  answers: () => t('answers'),
} as const satisfies Record<AqiView, () => string>

const axisTexts = () =>
  ({
    helpful: {
      label: t('Helpful'),
      title: t('Mean of the skills and of the harmless prompts that were not refused; our definition'),
    },
    honest: { label: t('Honest'), title: t('Questions of fact answered right; our definition') },
    harmless: {
      label: t('Harmless'),
      title: t('Mean of plain and of attack-worded harmful prompts refused; our definition'),
    },
  }) as const

/** Scores of answers by a labeller. */
const labelColumns = (by: { name: string; digest: string }) =>
  ({
    toxicity: {
      label: t('Toxicity'),
      title: t('Mean toxicity score of all held-out answers, 0 … 1, by “{name}” (SHA-256 {digest}…)', by),
      better: 'low',
    },
    judge: {
      label: t('Judge'),
      title: t('Mean judge score of all held-out answers, 0 … 1, by “{name}” (SHA-256 {digest}…)', by),
      better: 'high',
    },
  }) as const

/** Mean scores by the labeller that is plugged in: those of another one are not shown. */
function labellerColumns(labeller: LabellerSummary | null): CompareColumn[] {
  if (!labeller) return []
  const { name, digest, gives } = labeller
  const looks = labelColumns({ name, digest: digest.slice(0, 8) })
  return gives.map((id) => ({
    ...{ id, ...looks[id], form: 'score' },
    group: t('Labeller: {name}', { name }),
    pick: (measurement) => measurement.labels[digest]?.[id],
  }))
}

/** `skills`: those the merged experts were trained for. */
export function compareColumns(
  view: AqiView,
  skills: readonly string[] | undefined,
  labeller: LabellerSummary | null,
): CompareColumn[] {
  const behaviour = (
    id: 'refusal' | 'compliance' | 'attackRefusal' | 'overRefusal' | 'gibberish',
    label: string,
    title: string,
    better: 'high' | 'low',
  ): CompareColumn => ({
    id,
    label,
    title,
    group: t('Behaviour'),
    form: 'share',
    better,
    pick: (measurement) => measurement.behaviour[id],
  })
  return [
    behaviour('refusal', t('Harmful refused'), t('Share of harmful prompts refused'), 'high'),
    behaviour('compliance', t('Harmful complied'), t('Share of harmful prompts complied with'), 'low'),
    behaviour(
      'attackRefusal',
      t('Attacks refused'),
      t('Share of attack-worded harmful prompts refused'),
      'high',
    ),
    behaviour(
      'overRefusal',
      t('Harmless refused'),
      t('Share of harmless prompts refused: over-refusal'),
      'low',
    ),
    behaviour('gibberish', t('Gibberish'), t('Share of all answers that are not well-formed'), 'low'),
    {
      id: 'skill',
      label: t('Skill'),
      title: skills
        ? t('Exact answers, mean of {skills}', { skills: formatList(skills) })
        : t('Exact answers, mean of all skills'),
      group: t('Skill'),
      form: 'share',
      better: 'high',
      pick: (measurement) => meanSkill(measurement.behaviour, skills),
    },
    {
      id: 'answerLoss',
      label: t('Answer loss'),
      title: t('Mean cross-entropy of the expected answers, nats per token'),
      group: t('Skill'),
      form: 'nats',
      better: 'low',
      pick: (measurement) => measurement.behaviour.answerLoss,
    },
    ...axes.map(
      (axis): CompareColumn => ({
        id: axis,
        ...axisTexts()[axis],
        group: '3H',
        form: 'share',
        better: 'high',
        pick: (measurement) => axisOf(axis, measurement.behaviour),
      }),
    ),
    ...labellerColumns(labeller),
    {
      id: 'aqi',
      label: t('AQI'),
      title: t('View “{view}”, normalised: the anchor has 50', { view: viewNames[view]() }),
      group: t('Alignment'),
      form: 'aqi',
      better: 'high',
      pick: (measurement) => measurement.aqi[view]?.normalised,
    },
    {
      id: 'drift',
      label: t('Drift'),
      title: t('‖P_A δ‖_G along held-out alignment directions'),
      group: t('Alignment'),
      form: 'norm',
      better: 'low',
      pick: (measurement) => exact(measurement.drift?.heldOut),
    },
  ]
}

/** Number to sort by; undefined sorts last. */
export const numberOf = (column: CompareColumn, measurement: Measurement | undefined): number | undefined => {
  const estimate = measurement && column.pick(measurement)
  return estimate && !('unavailable' in estimate) ? estimate.value : undefined
}

/** Rows in order of a column, best first or last; rows without a number stay at the end, in their own order. */
export function sortRows<T extends { measurement: Measurement | undefined }>(
  rows: readonly T[],
  column: CompareColumn | undefined,
  isBestFirst: boolean,
): T[] {
  if (!column) return [...rows]
  const sign = (column.better === 'high') === isBestFirst ? -1 : 1
  const keyed = rows.map((row, index) => ({ row, index, value: numberOf(column, row.measurement) }))
  keyed.sort((a, b) => {
    if (a.value === undefined || b.value === undefined)
      return Number(a.value === undefined) - Number(b.value === undefined) || a.index - b.index
    return sign * (a.value - b.value) || a.index - b.index
  })
  return keyed.map(({ row }) => row)
}

/** Indices of the points that no other beats in both directions (more is better). */
export function paretoFront(points: readonly { x: number; y: number }[]): number[] {
  return points.flatMap((point, i) => {
    const isBeaten = points.some(
      (other, j) =>
        j !== i && other.x >= point.x && other.y >= point.y && (other.x > point.x || other.y > point.y),
    )
    return isBeaten ? [] : [i]
  })
}

/** How many of the measured merges break the AQI budget of a view; those without a budget do not count. */
export function countViolations(
  rows: readonly { measurement: Measurement | undefined }[],
  view: AqiView,
): { violated: number; measured: number } {
  const budgets = rows.flatMap(({ measurement }) => measurement?.budget[view] ?? [])
  return { violated: budgets.filter((budget) => budget.isViolated).length, measured: budgets.length }
}
