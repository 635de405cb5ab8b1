// Methods × measures: sortable by any column, each row a link that opens its merge.

import { memo, useMemo, useState } from 'react'
import { t } from '../../language/translate.ts'
import type { Measurement } from '../../state/slices/runs.ts'
import { TableScroll } from '../controls/TableScroll.tsx'
import { describeEstimate, formatInterval, forms } from '../format.ts'
import { reasonText } from '../reasonText.ts'
import { type CompareColumn, sortRows } from './compareColumns.ts'
import { comparedName } from './comparedName.ts'

export interface CompareRow {
  id: string
  label: string
  kind: 'merge' | 'anchor' | 'expert'
  /** hash that opens the merge; models have none */
  link: string | undefined
  measurement: Measurement | undefined
  /** why it could not be measured */
  failure: string | undefined
}

export interface CompareTableProps {
  rows: readonly CompareRow[]
  columns: readonly CompareColumn[]
  violations: { violated: number; measured: number }
  active: string | undefined
  onActive: (id: string | undefined) => void
}

interface Order {
  column: string
  isBestFirst: boolean
}

const arrows = { none: '', ascending: ' ▴', descending: ' ▾' } as const

/** Which way the numbers run: the best of a column where less is better are its lowest. */
const directionOf = (better: CompareColumn['better'], isBestFirst: boolean) =>
  (better === 'high') === isBestFirst ? 'descending' : 'ascending'

export function CompareTable({ rows, columns, violations, active, onActive }: CompareTableProps) {
  const [order, setOrder] = useState<Order>({ column: 'refusal', isBestFirst: true })
  const sorted = useMemo(() => {
    const column = columns.find(({ id }) => id === order.column)
    const models = rows.filter(({ kind }) => kind !== 'merge')
    const merges = rows.filter(({ kind }) => kind === 'merge')
    return [...models, ...sortRows(merges, column, order.isBestFirst)]
  }, [rows, columns, order])
  const groups = columns.reduce<{ title: string; span: number }[]>((all, { group }) => {
    const last = all.at(-1)
    if (last?.title === group) last.span++
    else all.push({ title: group, span: 1 })
    return all
  }, [])
  const sortBy = (column: string) =>
    setOrder((before) => ({ column, isBestFirst: before.column === column ? !before.isBestFirst : true }))
  return (
    <section className="panel numbers" aria-labelledby="compare-title">
      <header className="panel-head">
        <h2 id="compare-title">{t('Methods')}</h2>
        <p className="muted">
          {t(
            'value, 95 % interval. AQI budget broken by {violated} of {measured} measured merges',
            violations,
          )}
        </p>
      </header>
      <TableScroll label={t('Every method with every measure')}>
        <table className="numbers-table compare-table" style={{ minWidth: 146 + 62 * columns.length }}>
          <caption className="visually-hidden">{t('Every method with every measure')}</caption>
          <colgroup>
            <col className="compare-name" />
            {columns.map(({ id, form }) => (
              <col key={id} className={form === 'norm' ? 'compare-norm' : undefined} />
            ))}
          </colgroup>
          <thead>
            <tr>
              <td />
              {groups.map(({ title, span }) => (
                <th key={title} scope="colgroup" colSpan={span}>
                  {title}
                </th>
              ))}
            </tr>
            <tr>
              <th scope="col">{t('Merge')}</th>
              {columns.map(({ id, label, title, better }) => {
                const direction = order.column === id ? directionOf(better, order.isBestFirst) : 'none'
                return (
                  <th key={id} scope="col" aria-sort={direction}>
                    <button type="button" className="sort-button" title={title} onClick={() => sortBy(id)}>
                      {label}
                      <span aria-hidden="true">{arrows[direction]}</span>
                    </button>
                  </th>
                )
              })}
            </tr>
          </thead>
          <tbody>
            {sorted.map((row) => (
              <Row
                key={row.id}
                row={row}
                columns={columns}
                isActive={row.id === active}
                onActive={onActive}
              />
            ))}
          </tbody>
        </table>
      </TableScroll>
    </section>
  )
}

interface RowProps {
  row: CompareRow
  columns: readonly CompareColumn[]
  isActive: boolean
  onActive: (id: string | undefined) => void
}

const Row = memo(function Row({ row, columns, isActive, onActive }: RowProps) {
  const { link, label, kind, measurement, failure } = row
  return (
    <tr
      data-role={kind}
      data-active={isActive || undefined}
      onPointerEnter={() => onActive(row.id)}
      onPointerLeave={() => onActive(undefined)}
    >
      <th scope="row">{link ? <a href={link}>{comparedName(label)}</a> : label}</th>
      {failure !== undefined ? (
        <td colSpan={columns.length} className="words is-failed">
          {failure}
        </td>
      ) : (
        columns.map((column) => (
          <td key={column.id}>
            <Cell column={column} measurement={measurement} link={link} />
          </td>
        ))
      )}
    </tr>
  )
})

interface CellProps {
  column: CompareColumn
  measurement: Measurement | undefined
  link: string | undefined
}

function Cell({ column, measurement, link }: CellProps) {
  const estimate = measurement && column.pick(measurement)
  if (!estimate)
    return (
      <span className="is-pending" title={t('not measured yet')}>
        ·
      </span>
    )
  if ('unavailable' in estimate)
    return (
      <span className="words" title={reasonText(estimate.unavailable)}>
        {t('none')}
      </span>
    )
  const { form } = column
  const numbers = (
    <>
      <b>{forms[form].digits(estimate.value)}</b>
      {estimate.low < estimate.high && (
        <span className="interval">{formatInterval(form, estimate.low, estimate.high)}</span>
      )}
    </>
  )
  const title = describeEstimate(form, estimate)
  if (!link)
    return (
      <span className="number" title={title}>
        {numbers}
      </span>
    )
  return (
    <a className="number" href={link} title={title} tabIndex={-1}>
      {numbers}
    </a>
  )
}
