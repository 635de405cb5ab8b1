// Says that results on the page were not computed here, and how one's own compare. Loaded when there are any.

import { useMemo, useState } from 'react'
import { plural, t } from '../../language/translate.ts'
import { describeSubject } from '../../state/selectors.ts'
import { recompute } from '../../state/share/actions.ts'
import {
  type Comparison,
  compareReceived,
  type Difference,
  notableDifferences,
} from '../../state/share/differences.ts'
import type { ReceivedSet } from '../../state/slices/runs.ts'
import { useStudio } from '../../state/store.ts'
import { useWork } from '../app/useWork.ts'
import { formatInterval, formatValue } from '../format.ts'
import './share.css'
import { TableScroll } from '../controls/TableScroll.tsx'
import { reasonText } from '../reasonText.ts'

const shownRows = 40

export default function ReceivedNotice() {
  const received = useStudio((state) => state.runs.received)
  const { experiment } = useWork()
  const here = received.filter((set) => isAbout(set, experiment))
  // A link's results come first; those that ship are behind them.
  const [set] = here
  return set ? <Notice set={set} /> : null
}

/** The set has something to say about what is on the page: the same anchor, experts and probes. */
const isAbout = (set: ReceivedSet, { anchor, experts, probesPerClass, seed }: ReceivedSet['experiment']) =>
  JSON.stringify([set.experiment.anchor, set.experiment.experts.map(({ origin }) => origin)]) ===
    JSON.stringify([anchor, experts.map(({ origin }) => origin)]) &&
  set.experiment.probesPerClass === probesPerClass &&
  set.experiment.seed === seed

function Notice({ set }: { set: ReceivedSet }) {
  const measurements = useStudio((state) => state.runs.measurements)
  const engine = useStudio((state) => state.models.engine.kind)
  const stale = useStaleWeights()
  const comparison = useMemo(() => compareReceived({ measurements }, set), [measurements, set])
  const [isOpen, setOpen] = useState(false)
  const isShipped = set.source === 'shipped'
  return (
    <section className="received-notice" aria-label={t('Results from elsewhere')} data-source={set.source}>
      <p>
        <b>{isShipped ? t('Precomputed') : t('From the link')}</b>{' '}
        {isShipped
          ? set.adapter
            ? withAdapter(
                t('These results come with the page; they were computed on {adapter}.'),
                set.adapter,
              )
            : t('These results come with the page.')
          : t('These results come with the link; they are shown before anything is computed here.')}{' '}
        <Progress
          comparison={comparison}
          canCompute={engine === 'ready' || engine === 'opening'}
          isShipped={isShipped}
        />
        {stale.length > 0 && (
          <span className="is-warning">
            {' '}
            {t('Made with other weights of {models}: your own results will differ.', {
              models: stale.join(', '),
            })}
          </span>
        )}
      </p>
      <div className="received-actions">
        {comparison.measured > 0 && (
          <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {t('Differences')}
          </button>
        )}
        {isShipped && !set.isRecomputed && engine === 'ready' && (
          <button type="button" onClick={recompute}>
            {t('Recompute here')}
          </button>
        )}
      </div>
      {isOpen && comparison.measured > 0 && <Differences comparison={comparison} />}
    </section>
  )
}

/** The adapter by its name alone; driver and version are in its tooltip. */
function withAdapter(text: string, adapter: string) {
  const [before, after] = text.split('{adapter}')
  return (
    <>
      {before}
      <span title={adapter}>{adapter.split(/[:(]/)[0]!.trim()}</span>
      {after}
    </>
  )
}

/** Built-in models whose weights are not those that the link was made with. */
function useStaleWeights(): string[] {
  const weights = useStudio((state) => state.runs.linkWeights)
  const list = useStudio((state) => state.models.list)
  if (!weights) return []
  return list.flatMap(({ origin, digest, name }) =>
    origin.kind === 'built-in' &&
    digest !== undefined &&
    weights[origin.id] !== undefined &&
    weights[origin.id] !== digest
      ? [name]
      : [],
  )
}

function Progress({
  comparison,
  canCompute,
  isShipped,
}: {
  comparison: Comparison
  canCompute: boolean
  isShipped: boolean
}) {
  const { received, measured, differences } = comparison
  if (measured === 0)
    return canCompute
      ? !isShipped && t('Your own run will replace them.')
      : t('Nothing can be computed in this browser, so they stay as they came.')
  const count = (agreement: Difference['agreement']) =>
    differences.filter((difference) => difference.agreement === agreement).length
  const outside = count('outside')
  return (
    <>
      {t('Your own run has measured {measured} of {received} numbers:', { measured, received })}{' '}
      {t('{equal} equal, {within} within the interval, {outside} outside.', {
        equal: count('equal'),
        within: count('within'),
        outside,
      })}
    </>
  )
}

function Differences({ comparison }: { comparison: Comparison }) {
  const list = useStudio((state) => state.models.list)
  const rows = notableDifferences(comparison)
  if (rows.length === 0)
    return <p className="muted">{t('Every number that was measured here equals the received one.')}</p>
  return (
    <TableScroll label={t('Received results beside own ones')} className="received-table">
      <table>
        <caption className="visually-hidden">{t('Received results beside own ones')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('Of')}</th>
            <th scope="col">{t('Quantity')}</th>
            <th scope="col">{t('Received')}</th>
            <th scope="col">{t('Own')}</th>
            <th scope="col">{t('Difference')}</th>
            <th scope="col">{t('Within the interval')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shownRows).map((row) => (
            <tr key={row.id} data-agreement={row.agreement}>
              <th scope="row">{describeSubject(list, row.measurement.subject)}</th>
              <td>{t(row.quantity)}</td>
              <td>{textOf(row, row.received)}</td>
              <td>{textOf(row, row.own)}</td>
              <td>{differenceOf(row)}</td>
              <td>{row.agreement === 'within' ? t('yes') : t('no')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shownRows && (
        <p className="muted">
          {plural(rows.length - shownRows, 'and {count} smaller one', 'and {count} smaller ones')}
        </p>
      )}
    </TableScroll>
  )
}

function textOf({ form }: Difference, estimate: Difference['own']): string {
  if ('unavailable' in estimate) return reasonText(estimate.unavailable)
  const value = formatValue(form, estimate.value)
  return form === 'norm' ? value : `${value} ${formatInterval(form, estimate.low, estimate.high)}`
}

function differenceOf({ form, difference }: Difference): string {
  if (difference === undefined) return '·'
  const text = formatValue(form, Math.abs(difference))
  return `${difference < 0 ? '−' : '+'}${text}`
}
