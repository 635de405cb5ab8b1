// One model of the library: what it is, where it is, and what can be done with it.

import { useState } from 'react'
import type { LibraryModel } from '../../../workers/libraryApi.ts'
import { t } from '../../language/translate.ts'
import {
  deleteModel,
  dismissFailure,
  forgetModel,
  keepModel,
  openInStudio,
  pauseModel,
  specOf,
} from '../../state/actions/library.ts'
import { useMissing } from '../../state/needs.ts'
import { useStudio } from '../../state/store.ts'
import { formatBytes, formatCount } from '../format.ts'
import { sourceText, stateText, timeText } from './rowText.ts'

export function LibraryRow({ model }: { model: LibraryModel }) {
  const { key, name, about, state, arrived, total } = model
  const activity = useStudio((store) => store.library.activities[key])
  const failure = useStudio((store) => store.library.failures[key])
  const note = useStudio((store) => store.library.notes[key])
  const canOpen = useStudio((store) => store.models.engine.kind === 'ready')
  const missing = useMissing('ownModels')
  const openedId = useStudio((store) => store.library.opened[key])
  const isInStudio = useStudio((store) => store.models.list.some(({ id }) => id === openedId))
  const [isAsking, setAsking] = useState(false)
  const fetching = activity?.kind === 'fetching' ? activity : undefined
  const percent = total > 0 ? Math.floor((100 * arrived) / total) : 100
  const speed = fetching?.arrival?.bytesPerSecond ?? null
  const isReachable = specOf(model) !== undefined
  const facts = [
    about.format,
    about.family,
    t('{count} parameters', { count: formatCount(about.parameterCount) }),
    formatBytes(total),
    about.licence,
  ]
  return (
    <li className="library-row" data-state={state}>
      <div className="library-about">
        <span className="library-name">{name}</span>
        <span className="library-source muted">{sourceText(model.source)}</span>
        <span className="library-facts muted">{facts.filter(Boolean).join(' · ')}</span>
      </div>
      <div className="library-state">
        <span className={state === 'kept' ? 'badge is-kept' : 'badge'}>
          {fetching ? t('fetching {percent} %', { percent }) : stateText(model)}
        </span>
        {isInStudio && <span className="badge is-kept">{t('in the studio')}</span>}
        <progress
          className="job-bar"
          max={100}
          value={percent}
          aria-label={t('{name}: {percent} % of {size} are here', {
            name,
            percent,
            size: formatBytes(total),
          })}
          style={{ visibility: fetching || state === 'partial' ? 'visible' : 'hidden' }}
        />
        <span className="library-speed muted">
          {fetching &&
            (speed === null
              ? t('{done} of {total}', { done: formatBytes(arrived), total: formatBytes(total) })
              : `${formatBytes(speed)}/s · ${timeText((total - arrived) / Math.max(1, speed))}`)}
        </span>
      </div>
      <div className="library-actions">
        <button
          type="button"
          disabled={!canOpen || missing !== undefined || isInStudio || (state !== 'kept' && !isReachable)}
          title={missing ?? t('Loads it into the engine, to be anchor or expert')}
          aria-label={t('Use {name} in the studio', { name })}
          onClick={() => void openInStudio(model)}
        >
          {t('Use')}
        </button>
        {fetching ? (
          <button type="button" aria-label={t('Pause {name}', { name })} onClick={() => pauseModel(key)}>
            {t('Pause')}
          </button>
        ) : (
          state !== 'kept' && (
            <button
              type="button"
              disabled={!isReachable || activity !== undefined}
              title={
                isReachable
                  ? t('Fetches {size} into this browser’s storage', { size: formatBytes(total - arrived) })
                  : t('Its folder was open in an earlier visit: add it again')
              }
              aria-label={state === 'partial' ? t('Resume {name}', { name }) : t('Keep {name}', { name })}
              onClick={() => void keepModel(model)}
            >
              {state === 'partial' ? t('Resume') : t('Keep')}
            </button>
          )
        )}
        {state === 'streamed' ? (
          <button
            type="button"
            disabled={activity !== undefined}
            aria-label={t('Forget {name}', { name })}
            onClick={() => forgetModel(key)}
          >
            {t('Forget')}
          </button>
        ) : (
          <button
            type="button"
            disabled={activity !== undefined}
            className={isAsking ? 'is-danger' : undefined}
            aria-label={isAsking ? t('Really delete {name}', { name }) : t('Delete {name}', { name })}
            onBlur={() => setAsking(false)}
            onClick={() => {
              if (isAsking) void deleteModel(model)
              setAsking(!isAsking)
            }}
          >
            {isAsking ? t('Really? {size}', { size: formatBytes(arrived) }) : t('Delete')}
          </button>
        )}
      </div>
      {(failure || note) && (
        <div
          className="library-message"
          role={failure ? 'alert' : 'status'}
          data-bad={failure ? '' : undefined}
        >
          <p>{failure?.message ?? note}</p>
          <button
            type="button"
            className="icon-button"
            aria-label={t('Dismiss')}
            onClick={() => dismissFailure(key)}
          >
            ×
          </button>
        </div>
      )}
    </li>
  )
}
