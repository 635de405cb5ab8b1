// One point in full: its prompt, whose state lies where, and what everybody in the picture answers to it.

import { t } from '../../language/translate.ts'
import { answeringKey, stopRequest } from '../../state/probes/actions.ts'
import type { ClusterSource } from './clusterSources.ts'
import { formatPlace, formatSigma } from './formatSigma.ts'
import { type ClusterItem, classOf, movedOf } from './pointBook.ts'
import { useAnswers } from './useAnswers.ts'
import { Verdict } from './Verdict.tsx'

export interface PointCardProps {
  item: ClusterItem
  sources: readonly ClusterSource[]
  onClose: () => void
}

export function PointCard({ item, sources, onClose }: PointCardProps) {
  const { text, places } = item
  const found = useAnswers(sources, text ? [text.probe] : [])
  const moved = movedOf(item)
  return (
    <section className="point-card" aria-label={t('The open point')}>
      <header>
        <span className="class-name" data-class={classOf(item)}>
          {classOf(item) === 'safe' ? t('safe') : t('unsafe')}
        </span>
        {text && <span className="muted">{t('topic {topic}', { topic: text.topic })}</span>}
        <span className="point-moved">
          {moved === undefined
            ? t('not measured of both')
            : t('moved {distance}', { distance: formatSigma(moved) })}
        </span>
        <button type="button" className="quiet-button" aria-label={t('Close the point')} onClick={onClose}>
          ×
        </button>
      </header>
      {text ? (
        <p className="point-prompt">{text.prompt}</p>
      ) : (
        <p className="muted">{t('Its text is known once the engine is open and has measured it.')}</p>
      )}
      {text?.completion !== undefined && (
        <p className="muted">
          {t('State averaged over:')} <q>{text.completion}</q>
        </p>
      )}
      <ul className="point-answers">
        {sources.map((source, at) => {
          const { id, name, experiment, subject } = source
          const place = places[id]
          const answer = text && found[at]!.answers[text.probe]
          const request = found[at]!.request
          return (
            <li key={id}>
              <b>{name}</b>
              <span className="muted">
                {place ? `(${formatPlace(place.x)}, ${formatPlace(place.y)})` : t('no point')}
              </span>
              <Verdict kind={answer?.verdict} />
              {answer ? (
                <span className="point-answer">{answer.text === '' ? t('(nothing)') : answer.text}</span>
              ) : request?.kind === 'failed' ? (
                <span className="words">{request.message}</span>
              ) : request ? (
                <span className="muted">
                  {t('answering after what is being measured …')}{' '}
                  <button
                    type="button"
                    className="text-button"
                    onClick={() => stopRequest(answeringKey(experiment, subject))}
                  >
                    {t('Stop')}
                  </button>
                </span>
              ) : (
                <span className="muted">{t('not answered yet')}</span>
              )}
            </li>
          )
        })}
      </ul>
    </section>
  )
}
