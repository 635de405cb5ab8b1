// The same question to anchor, experts and merge, answered side by side.

import { type FormEvent, type KeyboardEvent, useState } from 'react'
import { t } from '../../language/translate.ts'
import { examplePrompts } from '../../share/examplePrompts.ts'
import { ask, clearChat, MAX_CHAT_CHARACTERS, stopAnswers, toggleColumn } from '../../state/play/chat.ts'
import { columnsOf, mergeWordsKey } from '../../state/play/columns.ts'
import { usePlay } from '../../state/play/store.ts'
import { useWork } from '../app/useWork.ts'
import { SamplingFields } from './SamplingFields.tsx'
import { TokenView } from './TokenView.tsx'
import { TurnView } from './TurnView.tsx'

export function ChatView() {
  const { experiment, list, isReady } = useWork()
  const turns = usePlay((state) => state.turns)
  const hidden = usePlay((state) => state.hidden)
  const isAnswering = usePlay((state) => state.isAnswering)
  const look = usePlay((state) => state.look)
  const columns = columnsOf(list, experiment)
  return (
    <section className="panel play-chat" aria-labelledby="chat-title">
      <header className="panel-head">
        <h2 id="chat-title">{t('Ask all of them')}</h2>
        <fieldset className="play-columns">
          <legend className="visually-hidden">{t('Who is asked')}</legend>
          {columns.map(({ key: column, name }) => (
            <label key={column}>
              <input
                type="checkbox"
                checked={!hidden.includes(column)}
                disabled={isAnswering}
                onChange={() => toggleColumn(column)}
              />
              {name}
            </label>
          ))}
        </fieldset>
      </header>
      <SamplingFields isDisabled={isAnswering} />
      <div className="play-turns" role="log" aria-label={t('The chat')} aria-busy={isAnswering}>
        {turns.length === 0 && <EmptyChat columns={columns.filter(({ key: k }) => !hidden.includes(k))} />}
        {turns.map((turn, place) => (
          <div key={turn.id}>
            <TurnView
              turn={turn}
              columns={columns.filter(({ key: column }) => column in turn.replies)}
              isLast={place === turns.length - 1}
              isReady={isReady}
              mergeKey={mergeWordsKey(experiment)}
            />
            {look?.turnId === turn.id && <TokenView look={look} />}
          </div>
        ))}
      </div>
      <Composer isReady={isReady} isAnswering={isAnswering} hasTurns={turns.length > 0} />
    </section>
  )
}

function EmptyChat({ columns }: { columns: readonly { key: string; name: string }[] }) {
  return (
    <div className="play-replies">
      {columns.map(({ key, name }) => (
        <article key={key} className="play-reply is-empty">
          <header>
            <h3>{name}</h3>
          </header>
        </article>
      ))}
    </div>
  )
}

function Composer({
  isReady,
  isAnswering,
  hasTurns,
}: {
  isReady: boolean
  isAnswering: boolean
  hasTurns: boolean
}) {
  // Not in any store: what is half typed is nobody's business.
  const [text, setText] = useState('')
  const canAsk = isReady && !isAnswering && text.trim() !== ''
  const send = () => {
    if (!canAsk) return
    void ask(text)
    setText('')
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    send()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }
  return (
    <>
      <form className="prompt-form" onSubmit={submit}>
        <textarea
          rows={2}
          aria-label={t('Your question')}
          maxLength={MAX_CHAT_CHARACTERS}
          placeholder={hasTurns ? t('Go on with the chat') : t('Type a prompt, or take an example')}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <span className="play-send">
          {isAnswering ? (
            <button type="button" className="primary" onClick={stopAnswers}>
              {t('Stop')}
            </button>
          ) : (
            <button type="submit" className="primary" disabled={!canAsk}>
              {t('Ask')}
            </button>
          )}
          <button type="button" disabled={!hasTurns} onClick={clearChat}>
            {t('New chat')}
          </button>
        </span>
      </form>
      <ul className="examples" aria-label={t('Example prompts')}>
        {examplePrompts.map((example) => (
          <li key={example}>
            <button type="button" disabled={!isReady || isAnswering} onClick={() => void ask(example)}>
              {example}
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}
