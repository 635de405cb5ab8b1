import { memo, useMemo } from 'react'
import type { AqiView, Experiment, GeometrySummary, ModelSummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { geometryKey } from '../../share/experimentKey.ts'
import { findMethod } from '../../share/methods.ts'
import { pinSlots, usePins } from '../../state/pins/store.ts'
import { currentMerge, sweepExperiment } from '../../state/plan.ts'
import {
  type Measurements,
  selectLambda,
  selectMeasurement,
  selectMergeMeasurement,
  selectWeights,
} from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { describeEstimate, formatInterval, formatParameter, formatValue, forms } from '../format.ts'
import { reasonText } from '../reasonText.ts'
import { PanelTools } from '../share/PanelTools.tsx'
import { skillNames } from '../sweep/sweepSeries.ts'
import { BudgetBadge } from './BudgetBadge.tsx'
import { type Cell, columnsOf, groupsOf } from './numberRows.ts'

export interface NumbersViewProps {
  experiment: Experiment
  cast: { anchor: ModelSummary; experts: ModelSummary[] } | undefined
  geometry: GeometrySummary | undefined
  measurements: Measurements
  view: AqiView
}

function mergeLabelOf(experiment: Experiment): string {
  switch (experiment.method) {
    case 'alignmerge':
      return t('Merge, λ {value}', { value: formatParameter(selectLambda(experiment)) })
    default:
      return t('Merge: {method}', { method: t(findMethod(experiment.method)?.label ?? experiment.method) })
  }
}

/** Every number of the page beside every other. */
export function NumbersView({ experiment, cast, geometry, measurements, view }: NumbersViewProps) {
  const labeller = useStudio((state) => state.models.labeller)
  const pins = usePins()
  const columns = useMemo(() => {
    const ofModel = (model: ModelSummary | undefined) =>
      model && selectMeasurement(measurements, experiment, { kind: 'model', id: model.id })
    return columnsOf({
      experiment,
      weights: selectWeights(experiment),
      geometry,
      lambdaAlign: selectLambda(experiment),
      anchor: { label: cast?.anchor.name ?? t('Anchor'), measurement: ofModel(cast?.anchor) },
      experts: experiment.experts.map((_, index) => ({
        label: cast?.experts[index]?.name ?? t('Expert {number}', { number: index + 1 }),
        measurement: ofModel(cast?.experts[index]),
      })),
      average: selectMeasurement(measurements, sweepExperiment(experiment), {
        kind: 'merge',
        lambdaAlign: 0,
      }),
      pins: pinSlots.flatMap((slot) => {
        const run = pins[slot]
        if (!run) return []
        const hasSameMetric = geometryKey(run.experiment) === geometryKey(experiment)
        const label = `${slot.toUpperCase()}: ${run.label}`
        return [{ slot, label, measurement: run.measurement, hasSameMetric }]
      }),
      merge: selectMergeMeasurement(measurements, experiment),
      mergeLabel: mergeLabelOf(experiment),
    })
  }, [experiment, cast, geometry, measurements, pins])
  const groups = useMemo(
    () => groupsOf(columns, skillNames(columns.map((column) => column.measurement)), view, labeller),
    [columns, view, labeller],
  )
  const shown = useMemo(() => {
    const parts = ['aqi', 'behaviour'] as const
    const models = cast ? [cast.anchor, ...cast.experts] : []
    return [...models.map(({ id }) => ({ kind: 'model', id }) as const), currentMerge(experiment)].flatMap(
      (subject) => parts.map((part) => ({ experiment, subject, part })),
    )
  }, [cast, experiment])
  return (
    <section className="panel numbers" aria-labelledby="numbers-title">
      <header className="panel-head">
        <h2 id="numbers-title">{t('Numbers')}</h2>
        <p className="muted">{t('value, 95 % interval, n')}</p>
        <PanelTools name="numbers" label={t('the numbers')} shown={shown} hasPicture={false} />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section className="table-scroll" aria-label={t('Table of all measures')} tabIndex={0}>
        <table className="numbers-table" style={{ minWidth: 152 + 168 * columns.length }}>
          <caption className="visually-hidden">
            {t('AQI, behaviour, skills and drift of every model')}
          </caption>
          <thead>
            <tr>
              <th scope="col">
                <span className="visually-hidden">{t('Quantity')}</span>
              </th>
              {columns.map((column) => (
                <th key={column.id} scope="col" data-role={column.role}>
                  {column.label}
                </th>
              ))}
            </tr>
          </thead>
          {groups.map((group) => (
            <tbody key={group.title}>
              <tr className="group-row">
                <th scope="rowgroup" colSpan={columns.length + 1}>
                  {t(group.title)} <small>{group.note && t(group.note)}</small>
                </th>
              </tr>
              {group.rows.map((row) => (
                <tr key={row.id}>
                  <th scope="row" title={row.title && t(row.title)}>
                    {t(row.label)}
                  </th>
                  {row.cells.map((cell, index) => (
                    <td key={columns[index]?.id} data-role={columns[index]?.role}>
                      <NumberCell cell={cell} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      </section>
    </section>
  )
}

const NumberCell = memo(function NumberCell({ cell }: { cell: Cell }) {
  switch (cell.kind) {
    case 'pending':
      return (
        <span className="is-pending" title={t('not measured yet')}>
          ·
        </span>
      )
    case 'words':
      return <span className="words">{cell.text}</span>
    case 'budget':
      return <BudgetBadge budget={cell.budget} isShort />
    case 'exact':
      return (
        <span className="number">
          <b>{formatValue(cell.form, cell.value)}</b>
        </span>
      )
    case 'estimate': {
      const { estimate, form } = cell
      if ('unavailable' in estimate) return <span className="words">{reasonText(estimate.unavailable)}</span>
      return (
        <span className="number" title={describeEstimate(form, estimate)}>
          <b>{forms[form].digits(estimate.value)}</b>
          <span className="interval">{formatInterval(form, estimate.low, estimate.high)}</span>
          <span className="count">{estimate.count}</span>
        </span>
      )
    }
  }
})
