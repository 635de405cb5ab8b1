// The table of all numbers, as data: one row per quantity, one cell per model. A cell is an estimate, an exact
// number, words, or honestly empty.

import type {
  AqiView,
  Behaviour,
  Budget,
  Estimate,
  Experiment,
  GeometrySummary,
  LabellerSummary,
} from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { isClosedForm } from '../../share/experimentKey.ts'
import { choiceParameters } from '../../share/parameters.ts'
import { expertDrift, shieldedDrift, type UnshieldedDrift, unshieldedDrift } from '../../state/algebra.ts'
import type { Measurement } from '../../state/slices/runs.ts'
import type { NumberForm } from '../format.ts'
import { reasonText } from '../reasonText.ts'

export type Cell =
  | { kind: 'pending' }
  | { kind: 'estimate'; form: NumberForm; estimate: Estimate }
  | { kind: 'exact'; form: NumberForm; value: number }
  | { kind: 'words'; text: string }
  | { kind: 'budget'; budget: Budget }

export interface NumberColumn {
  id: string
  label: string
  role: 'anchor' | 'expert' | 'average' | 'pin' | 'merge'
  measurement: Measurement | undefined
  /** Drift by algebra, where it is exact. */
  drift: Partial<UnshieldedDrift>
}

export interface NumberRow {
  id: string
  label: string
  title: string
  cells: Cell[]
}

export interface NumberGroup {
  title: string
  note: string
  rows: NumberRow[]
}

export interface ColumnInput {
  experiment: Experiment
  weights: readonly number[]
  geometry: GeometrySummary | undefined
  lambdaAlign: number
  anchor: { label: string; measurement: Measurement | undefined }
  experts: { label: string; measurement: Measurement | undefined }[]
  average: Measurement | undefined
  /** pinned runs; drift only where their metric is this experiment's */
  pins: { slot: string; label: string; measurement: Measurement | undefined; hasSameMetric: boolean }[]
  merge: Measurement | undefined
  mergeLabel: string
}

const noDrift: UnshieldedDrift = { own: 0, heldOut: 0, otherSource: 0, total: 0 }

/** Anchor, experts, the plain average (also where the merge is that average: columns stay where they are), pinned
    runs, merge. */
export function columnsOf(input: ColumnInput): NumberColumn[] {
  const { geometry, weights, experiment, lambdaAlign } = input
  const { rank } = experiment
  const isExact = isClosedForm(experiment)
  const isAverage = isExact && lambdaAlign === 0
  const plain = geometry ? unshieldedDrift(geometry, weights, rank) : {}
  const shielded = geometry && isExact ? shieldedDrift(geometry, weights, lambdaAlign, rank) : undefined
  const measured = input.merge?.drift
  const columns: NumberColumn[] = [
    {
      id: 'anchor',
      label: input.anchor.label,
      role: 'anchor',
      measurement: input.anchor.measurement,
      drift: noDrift,
    },
    ...input.experts.map(
      (expert, index): NumberColumn => ({
        id: `expert ${index}`,
        label: expert.label,
        role: 'expert',
        measurement: expert.measurement,
        drift: geometry ? expertDrift(geometry, index, rank) : {},
      }),
    ),
  ]
  columns.push({
    id: 'average',
    label: t('Plain average'),
    role: 'average',
    measurement: input.average,
    drift: plain,
  })
  for (const { slot, label, measurement, hasSameMetric } of input.pins)
    columns.push({
      id: `pin ${slot}`,
      label,
      role: 'pin',
      measurement,
      drift: hasSameMetric && measurement?.drift ? driftNorms(measurement.drift) : {},
    })
  columns.push({
    id: 'merge',
    label: input.mergeLabel,
    role: 'merge',
    measurement: input.merge,
    drift: isAverage
      ? plain
      : {
          ...(measured && driftNorms(measured)),
          ...(shielded && { own: shielded.own, total: shielded.total }),
        },
  })
  return columns
}

const driftNorms = ({ own, heldOut, otherSource, total }: UnshieldedDrift): UnshieldedDrift => ({
  own,
  heldOut,
  otherSource,
  total,
})

const pending: Cell = { kind: 'pending' }

function estimateCell(form: NumberForm, estimate: Estimate | undefined): Cell {
  return estimate ? { kind: 'estimate', form, estimate } : pending
}

function aqiRows(columns: readonly NumberColumn[], views: readonly AqiView[]): NumberRow[] {
  return views.map((view) => {
    const option = choiceParameters.aqiView.options.find((candidate) => candidate.value === view)
    return {
      id: view,
      label: option?.label ?? view,
      title: option?.brief ?? '',
      cells: columns.map(({ measurement }) => estimateCell('aqi', measurement?.aqi[view]?.normalised)),
    }
  })
}

const behaviourRows: readonly {
  id: keyof Omit<Behaviour, 'skills'>
  label: string
  title: string
  form: NumberForm
}[] = [
  { id: 'refusal', label: 'Harmful refused', title: 'Share of harmful prompts refused', form: 'share' },
  {
    id: 'attackRefusal',
    label: 'Attacks refused',
    title: 'Share of harmful prompts in attack wordings refused',
    form: 'share',
  },
  {
    id: 'compliance',
    label: 'Harmful complied',
    title: 'Share of harmful prompts complied with',
    form: 'share',
  },
  {
    id: 'overRefusal',
    label: 'Harmless refused',
    title: 'Share of harmless prompts refused: over-refusal',
    form: 'share',
  },
  {
    id: 'gibberish',
    label: 'Gibberish',
    title: 'Share of all answers that are not well-formed',
    form: 'share',
  },
]

const driftRows: readonly { id: keyof UnshieldedDrift; label: string; title: string }[] = [
  {
    id: 'own',
    label: 'Own directions',
    title:
      'D = ‖P_A δ‖_G along the directions that the shield uses; closed form, before weights are rounded to be stored',
  },
  {
    id: 'heldOut',
    label: 'Held-out directions',
    title: 'D along directions from probes that the shield has not seen',
  },
  {
    id: 'otherSource',
    label: 'Other gradients',
    title: 'D along directions from another gradient source, held-out probes',
  },
  { id: 'total', label: 'Whole displacement', title: '‖δ‖_G, distance from the anchor in the metric' },
]

function driftCell(column: NumberColumn, id: keyof UnshieldedDrift): Cell {
  const value = column.drift[id]
  return value === undefined ? pending : { kind: 'exact', form: 'norm', value }
}

const labelNames = { toxicity: () => t('Toxicity'), judge: () => t('Judge') } as const

/** Mean scores by the labeller that is plugged in. */
function labelGroups(columns: readonly NumberColumn[], labeller: LabellerSummary | null): NumberGroup[] {
  if (!labeller || labeller.gives.length === 0) return []
  const { name, digest, gives } = labeller
  const rows = gives.map((id) => ({
    id,
    label: labelNames[id](),
    title: t('Mean score of all held-out answers, 0 … 1, by “{name}”', { name }),
    cells: columns.map(({ measurement }) => estimateCell('score', measurement?.labels[digest]?.[id])),
  }))
  return [{ title: 'Labeller', note: t('{name}, mean score 0 … 1', { name }), rows }]
}

/** `view` is the AQI view whose budget is shown. */
export function groupsOf(
  columns: readonly NumberColumn[],
  skills: readonly string[],
  view: AqiView,
  labeller: LabellerSummary | null,
): NumberGroup[] {
  const behaviour = behaviourRows.map(({ id, label, title, form }) => ({
    id,
    label,
    title,
    cells: columns.map(({ measurement }) => estimateCell(form, measurement?.behaviour[id])),
  }))
  const viewLabel = choiceParameters.aqiView.options
    .find((option) => option.value === view)
    ?.label.toLowerCase()
  return [
    {
      title: 'AQI',
      note: 'normalised, anchor = 50',
      rows: [
        ...aqiRows(columns, ['prompts', 'completions', 'answers']),
        {
          id: 'budget',
          label: 'Budget, nats',
          title: t(
            'Of the view “{view}”: log S against τ = log S of the anchor − 1 bootstrap standard error; our form',
            { view: t(viewLabel ?? '') },
          ),
          cells: columns.map(({ measurement, role }): Cell => {
            if (role === 'anchor') return { kind: 'words', text: t('sets it') }
            const budget = measurement?.budget[view]
            const estimate = measurement?.aqi[view]?.logSeparation
            if (estimate && 'unavailable' in estimate)
              return { kind: 'words', text: reasonText(estimate.unavailable) }
            return budget ? { kind: 'budget', budget } : pending
          }),
        },
      ],
    },
    { title: 'Behaviour', note: '% of prompts', rows: behaviour },
    {
      title: 'Skills',
      note: '% exactly right',
      rows: [
        ...skills.map((skill) => ({
          id: skill,
          label: skill,
          title: t('Exact match on “{skill}”', { skill }),
          cells: columns.map(({ measurement }) =>
            estimateCell('share', measurement?.behaviour.skills?.[skill]),
          ),
        })),
        {
          id: 'answerLoss',
          label: 'Loss of answers',
          title: 'Mean cross-entropy of the expected answers, nats per token',
          cells: columns.map(({ measurement }) => estimateCell('nats', measurement?.behaviour.answerLoss)),
        },
      ],
    },
    ...labelGroups(columns, labeller),
    {
      title: 'Drift',
      note: 'norm in the metric G',
      rows: driftRows.map(({ id, label, title }) => ({
        id,
        label,
        title,
        cells: columns.map((column) => driftCell(column, id)),
      })),
    },
  ]
}
