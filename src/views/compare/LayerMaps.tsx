// Where in the network merges move along alignment directions, and where the experts pull against each other.

import { type CSSProperties, useMemo } from 'react'
import { t } from '../../language/translate.ts'
import { TableScroll } from '../controls/TableScroll.tsx'
import { formatScaled, normScaleOf } from '../format.ts'
import type { CompareRow } from './CompareTable.tsx'
import { comparedName } from './comparedName.ts'

export interface LayerMapsProps {
  rows: readonly CompareRow[]
  /** κ_l; null where there is nothing to disagree about */
  conflict: readonly (number | null)[] | undefined
  layerCount: number
}

const shade = (share: number) => ({ '--share': share }) as CSSProperties

export function LayerMaps({ rows, conflict, layerCount }: LayerMapsProps) {
  const layers = Array.from({ length: layerCount }, (_, layer) => layer)
  const measured = rows.filter(({ measurement }) => measurement?.drift)
  const highest = useMemo(
    () => Math.max(0, ...measured.flatMap(({ measurement }) => measurement?.drift?.byLayer ?? [])),
    [measured],
  )
  const { factor, unit } = normScaleOf(highest)
  return (
    <section className="panel layer-maps" aria-labelledby="maps-title">
      <header className="panel-head">
        <h2 id="maps-title">
          {t('Conflict and drift by layer')} <small>{unit}</small>
        </h2>
      </header>
      <TableScroll label={t('Conflict of the experts and held-out drift by layer')}>
        <table className="heat">
          <caption className="visually-hidden">
            {t('Conflict of the experts and held-out drift by layer')}
          </caption>
          <thead>
            <tr>
              <th scope="col">{t('Layer')}</th>
              {layers.map((layer) => (
                <th key={layer} scope="col">
                  {layer}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <tr className="is-conflict">
              <th
                scope="row"
                title={t('κ = 1 − ‖Σ τ‖ / Σ ‖τ‖: 0 when task vectors agree, 1 when they cancel; ours')}
              >
                {t('Conflict κ of the experts')}
              </th>
              {layers.map((layer) => {
                const value = conflict?.[layer]
                return (
                  <td key={layer} style={shade(value ?? 0)}>
                    {value === undefined ? '·' : value === null ? t('none') : value.toFixed(2)}
                  </td>
                )
              })}
            </tr>
            {measured.map(({ id, label, measurement }) => (
              <tr key={id}>
                <th scope="row">{comparedName(label)}</th>
                {layers.map((layer) => {
                  const value = measurement?.drift?.byLayer[layer]
                  return (
                    <td key={layer} style={shade(value === undefined || highest === 0 ? 0 : value / highest)}>
                      {value === undefined ? '·' : formatScaled(value * factor)}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
      <p className="caption">
        {t(
          'Drift along held-out directions, each cut to its layer. Darker is more; conflict has a scale of its own, 0 … 1.',
        )}
      </p>
    </section>
  )
}
