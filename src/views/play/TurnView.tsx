// One question and its answers.

import { type FormEvent, useState } from 'react'
import { t } from '../../language/translate.ts'
import { askAgain } from '../../state/play/chat.ts'
import { type ChatTurn, type Column, type Reply, usePlay } from '../../state/play/store.ts'
import { closeTokens, lookAtTokens } from '../../state/play/tokens.ts'
import { FailureLine } from '../error/FailureLine.tsx'
import { formatDuration } from '../format.ts'
import { VerdictChip } from './verdicts.tsx'

export interface TurnViewProps {
  turn: ChatTurn
  columns: readonly Column[]
  isLast: boolean
  isReady: boolean
  /** of the merge on the page */ mergeKey: string
}

export function TurnView({ turn, columns, isLast, isReady, mergeKey }: TurnViewProps) {
  return (
    <article className="play-turn" aria-label={turn.text}>
      <Question turn={turn} isLast={isLast} isReady={isReady} />
      <div className="play-replies">
        {columns.map((column) => (
          <ReplyCard
            key={column.key}
            turnId={turn.id}
            column={column}
            reply={turn.replies[column.key]!}
            isReady={isReady}
            mergeKey={mergeKey}
          />
        ))}
      </div>
    </article>
  )
}

function Question({
  turn: { id, text },
  isLast,
  isReady,
}: Pick<TurnViewProps, 'turn' | 'isLast' | 'isReady'>) {
  const [draft, setDraft] = useState<string | null>(null)
  const isAnswering = usePlay((state) => state.isAnswering)
  if (draft !== null) {
    const submit = (event: FormEvent) => {
      event.preventDefault()
      setDraft(null)
      void askAgain(id, draft)
    }
    return (
      <form className="play-question" onSubmit={submit}>
        <textarea
          rows={2}
          aria-label={t('The question, to be asked again')}
          value={draft}
          // biome-ignore lint/a11y/noAutofocus: the field takes the place of the button that was pressed
          autoFocus
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setDraft(null)
          }}
        />
        <span>
          <button type="submit" className="primary" disabled={draft.trim() === '' || isAnswering || !isReady}>
            {t('Ask')}
          </button>
          <button type="button" onClick={() => setDraft(null)}>
            {t('Leave it')}
          </button>
        </span>
      </form>
    )
  }
  return (
    <div className="play-question">
      <p>{text}</p>
      <span>
        <button
          type="button"
          className="quiet-button"
          disabled={isAnswering || !isReady}
          title={isLast ? undefined : t('What came after it is dropped')}
          onClick={() => setDraft(text)}
        >
          {t('Edit')}
        </button>
        {isLast && (
          <button
            type="button"
            className="quiet-button"
            disabled={isAnswering || !isReady}
            title={t('With the next seed where answers are sampled')}
            onClick={() => void askAgain(id)}
          >
            {t('Ask again')}
          </button>
        )}
      </span>
    </div>
  )
}

const states: Record<Reply['state'], () => string> = {
  waiting: () => t('waits for its turn'),
  speaking: () => t('is answering'),
  done: () => '',
  stopped: () => t('was stopped'),
  failed: () => t('failed'),
}

function ReplyCard({
  turnId,
  column: { key, name },
  reply,
  isReady,
  mergeKey,
}: {
  turnId: number
  column: Column
  reply: Reply
  isReady: boolean
  mergeKey: string
}) {
  const isAnswering = usePlay((state) => state.isAnswering)
  const isLookedAt = usePlay(({ look }) => look?.turnId === turnId && look.columnKey === key)
  const { state, text, tokens, answer, failure } = reply
  const isOther = reply.mergeKey !== undefined && reply.mergeKey !== mergeKey
  return (
    <article className="play-reply" aria-label={name} data-state={state}>
      <header>
        <h3>{name}</h3>
        {answer && !failure && <VerdictChip verdict={answer.verdict} />}
      </header>
      <p className="play-words">
        {text === '' && state === 'done' ? <em>{t('(nothing)')}</em> : text}
        {state === 'speaking' && <span className="play-caret" aria-hidden="true" />}
      </p>
      {failure && <FailureLine failure={failure} />}
      {isOther && <p className="hint">{t('of another merge than the one on the page')}</p>}
      <footer className="muted">
        {answer ? (
          <>
            <span>
              {t('{count} tokens', { count: tokens })} · {formatDuration(answer.durationMs)} ·{' '}
              <span title={answer.backend}>{answer.backend.split(';')[0]}</span>
              {!answer.isEnded && !failure && ` · ${t('cut off')}`}
              {' · '}
              {t('{used} of {all} positions', {
                used: answer.promptTokens + answer.ids.length,
                all: answer.maxPositions,
              })}
            </span>
            <button
              type="button"
              className="quiet-button"
              aria-pressed={isLookedAt}
              disabled={isAnswering || !isReady || answer.ids.length === 0}
              onClick={() => (isLookedAt ? closeTokens() : void lookAtTokens(turnId, key))}
            >
              {t('Tokens')}
            </button>
          </>
        ) : (
          <span>
            {states[state]()}
            {tokens > 0 && ` · ${t('{count} tokens', { count: tokens })}`}
          </span>
        )}
      </footer>
    </article>
  )
}
