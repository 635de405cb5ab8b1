// Merges that stand in this browser, and the ways out of it.

import { useEffect, useState } from 'react'
import { t } from '../../language/translate.ts'
import { deleteKept, refreshKept, saveKept, useKept as takeToStudio } from '../../state/streamed/kept.ts'
import { type KeptMerge, useStreamed } from '../../state/streamed/store.ts'
import { formatBytes } from '../format.ts'

export function KeptMerges() {
  const kept = useStreamed((state) => state.kept)
  const status = useStreamed((state) => state.status.kind)
  // A merge that ends, in whatever way, changes what is here.
  // biome-ignore lint/correctness/useExhaustiveDependencies: read again whenever the status changes
  useEffect(() => void refreshKept(), [status])
  if (kept.length === 0) return null
  return (
    <section className="streamed-card" aria-label={t('Merges in this browser')}>
      <h3>{t('Merges in this browser')}</h3>
      <ul className="streamed-kept">
        {kept.map((merge) => (
          <KeptRow key={merge.name} merge={merge} isBusy={status === 'running'} />
        ))}
      </ul>
    </section>
  )
}

function KeptRow({ merge: { name, bytes, isFinished }, isBusy }: { merge: KeptMerge; isBusy: boolean }) {
  const [isAsking, setAsking] = useState(false)
  return (
    <li>
      <b>{name}</b>
      <span className="muted">
        {formatBytes(bytes)}
        {isFinished ? '' : t(' · not finished: the same merge goes on there')}
      </span>
      <span className="streamed-more">
        <button type="button" disabled={!isFinished} onClick={() => void saveKept(name)}>
          {t('Save to disk')}
        </button>
        <button
          type="button"
          disabled={!isFinished || isBusy}
          title={t('Opens it in the engine, to be measured as anchor or expert')}
          onClick={() => void takeToStudio(name)}
        >
          {t('Use in the studio')}
        </button>
        <button
          type="button"
          disabled={isBusy}
          className={isAsking ? 'is-danger' : undefined}
          aria-label={isAsking ? t('Really delete {name}', { name }) : t('Delete {name}', { name })}
          onBlur={() => setAsking(false)}
          onClick={() => {
            if (isAsking) void deleteKept(name)
            setAsking(!isAsking)
          }}
        >
          {isAsking ? t('Really?') : t('Delete')}
        </button>
      </span>
    </li>
  )
}
