import { Fragment } from 'react'
import type { Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { rowSets } from '../../state/probes/subspace.ts'
import { formatNorm } from '../format.ts'
import { type EigenRow, type Found, shownCoordinates } from './subspaceNumbers.ts'

export interface SubspaceTableProps {
  rows: readonly EigenRow[]
  experiment: Experiment
  found: Found
}

const format = (value: number | undefined): string =>
  value === undefined ? '·' : formatNorm(value).replace('-', '−')

/** Every direction with its eigenvalue, its share, and the coordinates of all three sets. */
export function SubspaceTable({ rows, experiment, found }: SubspaceTableProps) {
  const sets = rowSets.map((which) => shownCoordinates(experiment, found, which))
  const heads = [t('own'), t('held-out'), t('other gradients')]
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section className="table-scroll" tabIndex={0} aria-label={t('Directions as a table')}>
      <table className="subspace-table">
        <thead>
          <tr>
            <th scope="col" rowSpan={2}>
              {t('Direction')}
            </th>
            <th scope="col" rowSpan={2}>
              μᵢ
            </th>
            <th scope="col" rowSpan={2}>
              {t('explained up to here')}
            </th>
            {heads.map((head) => (
              <th key={head} scope="colgroup" colSpan={2}>
                cᵢ, {head}
              </th>
            ))}
          </tr>
          <tr>
            {heads.map((head) => (
              <Fragment key={head}>
                <th scope="col">{t('average')}</th>
                <th scope="col">{t('merge')}</th>
              </Fragment>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ direction, value, explained }) => (
            <tr key={direction} data-kept={direction <= experiment.rank || undefined}>
              <th scope="row">{direction}</th>
              <td>{formatNorm(value)}</td>
              <td>{(100 * explained).toFixed(1)} %</td>
              {sets.map(({ before, after }, set) => (
                <Fragment key={rowSets[set]}>
                  <td>{format(before[direction - 1])}</td>
                  <td>{format(after?.[direction - 1])}</td>
                </Fragment>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
