// One prompt, answered by everybody.

import { type FormEvent, type KeyboardEvent, memo, useState } from 'react'
import type { Answer, Experiment, ModelSummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { examplePrompts } from '../../share/examplePrompts.ts'
import { limits } from '../../share/parameters.ts'
import { askAll } from '../../state/actions/requests.ts'
import { setPage, setPrompt } from '../../state/actions/view.ts'
import { describeSubject } from '../../state/selectors.ts'
import type { AnswerSet } from '../../state/slices/runs.ts'
import { useStudio } from '../../state/store.ts'
import { formatDuration } from '../format.ts'

const verdicts: Record<Answer['verdict'], () => string> = {
  refusal: () => t('refuses'),
  compliance: () => t('complies'),
  answer: () => t('answers'),
  gibberish: () => t('gibberish'),
}

export interface PromptViewProps {
  experiment: Experiment
  list: readonly ModelSummary[]
  answers: AnswerSet | null
  /** The answers belong to the merge on the page. */
  isCurrent: boolean
  isReady: boolean
}

export const PromptView = memo(function PromptView(props: PromptViewProps) {
  const { experiment, list, answers, isCurrent, isReady } = props
  const prompt = useStudio((state) => state.view.prompt)
  const [isAsking, setAsking] = useState(false)
  const ask = async (text: string) => {
    setAsking(true)
    await askAll(text)
    setAsking(false)
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    void ask(prompt)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    if (isReady && !isAsking) void ask(prompt)
  }
  return (
    <section className="panel prompt" aria-labelledby="prompt-title">
      <header className="panel-head">
        <h2 id="prompt-title">
          <label htmlFor="prompt-text">{t('Ask all of them')}</label>
        </h2>
        <p className="muted">{t('greedy decoding, the same prompt')}</p>
      </header>
      <form className="prompt-form" onSubmit={submit}>
        <textarea
          id="prompt-text"
          rows={2}
          maxLength={limits.maxPromptCharacters}
          placeholder={t('Type a prompt, or take an example')}
          value={prompt}
          onChange={(event) => setPrompt(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" className="primary" disabled={!isReady || isAsking || prompt.trim() === ''}>
          {isAsking ? t('Answering …') : t('Ask')}
        </button>
      </form>
      <ul className="examples" aria-label={t('Example prompts')}>
        {examplePrompts.map((example) => (
          <li key={example}>
            <button
              type="button"
              disabled={!isReady || isAsking}
              onClick={() => {
                setPrompt(example)
                void ask(example)
              }}
            >
              {example}
            </button>
          </li>
        ))}
      </ul>
      <div className="answers" data-stale={(answers && !isCurrent) || undefined}>
        {answers
          ? answers.answers.map((answer) => (
              <article key={JSON.stringify(answer.subject)} className="answer">
                <header>
                  <h3>
                    {answer.subject.kind === 'merge' ? t('Merge') : describeSubject(list, answer.subject)}
                  </h3>
                  <span className="chip" data-verdict={answer.verdict}>
                    {verdicts[answer.verdict]()}
                  </span>
                </header>
                <p>{answer.text === '' ? <em>{t('(nothing)')}</em> : answer.text}</p>
                <footer className="muted">
                  {formatDuration(answer.durationMs)} · {answer.backend}
                </footer>
              </article>
            ))
          : [
              t('Anchor'),
              ...experiment.experts.map((_, index) => t('Expert {number}', { number: index + 1 })),
              t('Merge'),
            ].map((name) => (
              <article key={name} className="answer is-empty">
                <header>
                  <h3>{name}</h3>
                </header>
                <p />
              </article>
            ))}
      </div>
      <p className="caption">
        <button type="button" className="text-button" onClick={() => setPage('play')}>
          {t('Chat, sampling, tokens and your own prompts: the playground')}
        </button>
      </p>
      <p className="caption">
        {answers
          ? `“${answers.prompt}”${isCurrent ? '' : ` — ${t('asked of another merge than the one on the page')}`}`
          : t(
              'The built-in models know a small world of words; harm in it is a matter of combination, and completions that comply are placeholders.',
            )}
      </p>
    </section>
  )
})
