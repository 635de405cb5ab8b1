// A sweep over one parameter as a table: what the charts show, for reading, copying and screen readers.

import { t } from '../../language/translate.ts'
import { positionOf } from '../../share/scale.ts'
import type { SweepPanel } from '../charts/sweepPanels.ts'
import { TableScroll } from '../controls/TableScroll.tsx'
import { formatParameter } from '../format.ts'
import { SymbolText } from './SymbolText.tsx'
import type { SweepLine } from './sweepLine.ts'

/** Nearer than any two values of an axis. */
const reach = 1e-6

function cellText(panel: SweepPanel, seriesId: string, position: number): string {
  const series = panel.series.find((candidate) => candidate.id === seriesId)
  if (!series) return ''
  const exact = series.isExact
    ? series.values.reduce<(typeof series.values)[number] | undefined>(
        (best, value) =>
          !best || Math.abs(value.position - position) < Math.abs(best.position - position) ? value : best,
        undefined,
      )
    : series.values.find((value) => Math.abs(value.position - position) < reach)
  if (!exact) return '·'
  const text = panel.domain[1] === 1 ? panel.format(exact.value) : exact.value.toPrecision(3)
  if (exact.low === exact.high) return text
  const [low, high] = [exact.low, exact.high].map((value) =>
    panel.domain[1] === 1 ? panel.format(value) : value.toPrecision(3),
  )
  return `${text} [${low}–${high}]`
}

export interface SweepTableProps {
  line: SweepLine
  panels: readonly SweepPanel[]
  /** why a value could not be measured */
  failures: ReadonlyMap<number, string>
}

export function SweepTable({ line, panels, failures }: SweepTableProps) {
  const name = line.parameter.symbol || t(line.parameter.label)
  const columns = line.values.map((value) => ({ value, position: positionOf(line.range, value) }))
  return (
    <TableScroll label={t('Measurements along {name}', { name })} className="sweep-table">
      <table>
        <caption className="visually-hidden">{t('Measurements along {name}', { name })}</caption>
        <thead>
          <tr>
            <th scope="col">
              <SymbolText text={name} />
            </th>
            {columns.map(({ value }) => (
              <th key={value} scope="col">
                {formatParameter(value)}
              </th>
            ))}
          </tr>
        </thead>
        {panels.map((panel) => (
          <tbody key={panel.id}>
            <tr className="group-row">
              <th scope="rowgroup" colSpan={columns.length + 1}>
                {panel.title} <small>{panel.note}</small>
              </th>
            </tr>
            {panel.series.map((series) => (
              <tr key={series.id}>
                <th scope="row">{series.label}</th>
                {columns.map(({ value, position }) => {
                  const text = cellText(panel, series.id, position)
                  const failure = text === '·' ? failures.get(value) : undefined
                  return failure === undefined ? (
                    <td key={value}>{text}</td>
                  ) : (
                    <td key={value} className="words is-failed" title={failure}>
                      {t('failed')}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </TableScroll>
  )
}
