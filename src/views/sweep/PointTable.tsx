// The points of a sweep as a table: place, every measure with its interval, or why there is none.

import { t } from '../../language/translate.ts'
import type { SweepSheet } from '../../share/sweeps/points.ts'
import type { KnownPoint } from '../../state/sweeps/selectors.ts'
import { TableScroll } from '../controls/TableScroll.tsx'
import { describeEstimate, formatInterval, formatParameter, forms } from '../format.ts'
import { reasonText } from '../reasonText.ts'
import { SymbolText } from './SymbolText.tsx'
import type { SheetMeasure } from './sheetMeasures.ts'

export interface PointTableProps {
  sheet: SweepSheet
  points: readonly KnownPoint[]
  measures: readonly SheetMeasure[]
  /** index of the point that is the recipe, as text */
  selected: string | undefined
  onOpen: (id: string) => void
}

export function PointTable({ sheet, points, measures, selected, onOpen }: PointTableProps) {
  const { parameters } = sheet
  const places =
    parameters.length > 0
      ? parameters.map(({ symbol, label }) => symbol || t(label))
      : (sheet.points[0]?.values.map((_, index) => `λ${index + 1}, %`) ?? [])
  const placeText = (value: number) =>
    parameters.length > 0 ? formatParameter(value) : String(Math.round(100 * value))
  return (
    <TableScroll label={t('Points of the sweep')} className="sweep-table point-table">
      <table>
        <caption className="visually-hidden">{t('Points of the sweep')}</caption>
        <thead>
          <tr>
            {places.map((place) => (
              <th key={place} scope="col">
                <SymbolText text={place} />
              </th>
            ))}
            {measures.map(({ id, label, unit }) => (
              <th key={id} scope="col">
                {label} <small>{unit}</small>
              </th>
            ))}
            <th scope="col">
              <span className="visually-hidden">{t('Open')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {points.map((point, index) => (
            <tr key={point.values.join()} data-active={String(index) === selected || undefined}>
              {point.values.map((value, axis) => (
                <th key={places[axis]} scope="row">
                  {placeText(value)}
                </th>
              ))}
              {point.failure !== undefined ? (
                <td colSpan={measures.length} className="words is-failed">
                  {point.failure}
                </td>
              ) : (
                measures.map((measure) => (
                  <td key={measure.id}>
                    <Value measure={measure} point={point} />
                  </td>
                ))
              )}
              <td>
                <button type="button" className="quiet-button" onClick={() => onOpen(String(index))}>
                  {t('Use')}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  )
}

function Value({ measure, point }: { measure: SheetMeasure; point: KnownPoint }) {
  const estimate = point.measurement && measure.pick(point.measurement)
  if (!estimate)
    return (
      <span className="is-pending" title={t('not measured yet')}>
        ·
      </span>
    )
  if ('unavailable' in estimate) return <span className="words">{reasonText(estimate.unavailable)}</span>
  return (
    <span className="number" title={describeEstimate(measure.form, estimate)}>
      <b>{forms[measure.form].digits(estimate.value)}</b>
      {estimate.low < estimate.high && (
        <span className="interval">{formatInterval(measure.form, estimate.low, estimate.high)}</span>
      )}
    </span>
  )
}
