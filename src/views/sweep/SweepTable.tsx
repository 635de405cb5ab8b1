// The sweep as a table: what the charts show, for reading, copying and screen readers.

import { numberParameters, sweepGrid } from '../../share/parameters.ts'
import { positionOf } from '../../share/scale.ts'
import type { SweepPanel } from '../charts/sweepPanels.ts'
import { formatParameter } from '../format.ts'

function cellText(panel: SweepPanel, seriesId: string, lambda: number): string {
  const position = positionOf(numberParameters.lambdaAlign, lambda)
  const series = panel.series.find((candidate) => candidate.id === seriesId)
  if (!series) return ''
  const exact = series.isExact
    ? series.values.reduce<(typeof series.values)[number] | undefined>(
        (best, value) =>
          !best || Math.abs(value.position - position) < Math.abs(best.position - position) ? value : best,
        undefined,
      )
    : series.values.find((value) => value.position === position)
  if (!exact) return '·'
  const text = panel.domain[1] === 1 ? panel.format(exact.value) : exact.value.toPrecision(3)
  if (exact.low === exact.high) return text
  const [low, high] = [exact.low, exact.high].map((value) =>
    panel.domain[1] === 1 ? panel.format(value) : value.toPrecision(3),
  )
  return `${text} [${low}–${high}]`
}

export function SweepTable({ panels }: { panels: readonly SweepPanel[] }) {
  return (
    <div className="table-scroll sweep-table">
      <table>
        <caption className="visually-hidden">Measurements along λ_align</caption>
        <thead>
          <tr>
            <th scope="col">λ_align</th>
            {sweepGrid.map((lambda) => (
              <th key={lambda} scope="col">
                {formatParameter(lambda)}
              </th>
            ))}
          </tr>
        </thead>
        {panels.map((panel) => (
          <tbody key={panel.id}>
            <tr className="group-row">
              <th scope="rowgroup" colSpan={sweepGrid.length + 1}>
                {panel.title} <small>{panel.note}</small>
              </th>
            </tr>
            {panel.series.map((series) => (
              <tr key={series.id}>
                <th scope="row">{series.label}</th>
                {sweepGrid.map((lambda) => (
                  <td key={lambda}>{cellText(panel, series.id, lambda)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  )
}
