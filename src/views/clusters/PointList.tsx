// The texts behind brushed points, or behind all, a page at a time: class, prompt, verdicts of anchor and merge, and how
// far the state moved. The way to every point without a pointer.

import { useState } from 'react'
import { t } from '../../language/translate.ts'
import { answeringKey, stopRequest } from '../../state/probes/actions.ts'
import type { ClusterSource } from './clusterSources.ts'
import { type ClusterItem, classOf, movedOf } from './pointBook.ts'
import { useAnswers } from './useAnswers.ts'
import { Verdict } from './Verdict.tsx'

export interface PointListProps {
  items: readonly ClusterItem[]
  sources: readonly ClusterSource[]
  /** all points of the picture and not a selection */
  isAll: boolean
  openKey: string | null
  onOpen: (item: ClusterItem) => void
  /** the item under pointer or focus */
  onPoint: (item: ClusterItem | undefined) => void
  onClear: () => void
}

const pageSize = 20
type Order = 'found' | 'moved'

export function PointList({ items, sources, isAll, openKey, onOpen, onPoint, onClear }: PointListProps) {
  const [wantedPage, setPage] = useState(0)
  const [order, setOrder] = useState<Order>('found')
  const sorted =
    order === 'found' ? items : [...items].sort((a, b) => (movedOf(b) ?? -1) - (movedOf(a) ?? -1))
  const pages = Math.ceil(items.length / pageSize)
  const page = Math.min(wantedPage, pages - 1)
  const shown = sorted.slice(page * pageSize, (page + 1) * pageSize)
  const pair = sources.filter(({ id }) => id === 'anchor' || id === 'merge')
  const found = useAnswers(
    pair,
    shown.flatMap(({ text }) => text?.probe ?? []),
  )
  const asking = pair.filter((_, at) => found[at]!.request?.kind === 'asking')
  const failure = found.map(({ request }) => request).find((request) => request?.kind === 'failed')
  return (
    <section className="point-list" aria-label={isAll ? t('All points') : t('Selected points')}>
      <header>
        <h3>
          {isAll
            ? t('All {count} points', { count: items.length })
            : t('{count} selected', { count: items.length })}
        </h3>
        {asking.length > 0 && (
          <span className="muted">
            {t('answering …')}{' '}
            <button
              type="button"
              className="text-button"
              onClick={() => {
                for (const { experiment, subject } of asking) stopRequest(answeringKey(experiment, subject))
              }}
            >
              {t('Stop')}
            </button>
          </span>
        )}
        {failure?.kind === 'failed' && <span className="words">{failure.message}</span>}
        {pages > 1 && (
          <span className="point-pages">
            <button
              type="button"
              className="quiet-button"
              aria-label={t('Earlier points')}
              disabled={page === 0}
              onClick={() => setPage(page - 1)}
            >
              ‹
            </button>
            {t('{first}–{last} of {count}', {
              first: page * pageSize + 1,
              last: page * pageSize + shown.length,
              count: items.length,
            })}
            <button
              type="button"
              className="quiet-button"
              aria-label={t('Later points')}
              disabled={page === pages - 1}
              onClick={() => setPage(page + 1)}
            >
              ›
            </button>
          </span>
        )}
        {!isAll && (
          <button type="button" className="quiet-button" onClick={onClear}>
            {t('Clear')}
          </button>
        )}
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section className="table-scroll" tabIndex={0} aria-label={t('Prompts of the points')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t('Class')}</th>
              <th scope="col">{t('Prompt')}</th>
              {pair.map(({ id, name }) => (
                <th key={id} scope="col">
                  {name}
                </th>
              ))}
              <th scope="col" aria-sort={order === 'moved' ? 'descending' : 'none'}>
                <button
                  type="button"
                  className="text-button"
                  title={t('Sort by how far the state moved from anchor to merge')}
                  onClick={() => setOrder(order === 'moved' ? 'found' : 'moved')}
                >
                  {t('Moved, σ')} {order === 'moved' ? '↓' : ''}
                </button>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((item) => (
              <tr
                key={item.key}
                data-open={item.key === openKey || undefined}
                onPointerEnter={() => onPoint(item)}
                onPointerLeave={() => onPoint(undefined)}
              >
                <td>
                  <span className="class-name" data-class={classOf(item)}>
                    {classOf(item) === 'safe' ? t('safe') : t('unsafe')}
                  </span>
                </td>
                <td>
                  <button
                    type="button"
                    className="point-open"
                    aria-expanded={item.key === openKey}
                    onFocus={() => onPoint(item)}
                    onClick={() => onOpen(item)}
                  >
                    {item.text?.prompt ?? t('text not known')}
                    {item.text?.completion !== undefined && <small>{item.text.completion}</small>}
                  </button>
                </td>
                {pair.map(({ id }, at) => (
                  <td key={id}>
                    <Verdict kind={item.text && found[at]!.answers[item.text.probe]?.verdict} />
                  </td>
                ))}
                <td className="point-moved">{movedOf(item)?.toFixed(2) ?? '·'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  )
}
