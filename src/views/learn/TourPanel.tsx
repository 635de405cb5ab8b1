// The tour beside the page: its text, what it asks for, whether that was done. F6 goes between the text and the part
// that it speaks of.

import { type ReactNode, useEffect, useRef } from 'react'
import type { ValueName } from '../../help/index.ts'
import { helpTarget, tour, tourSteps } from '../../help/index.ts'
import { t } from '../../language/translate.ts'
import { runAgain } from '../../state/actions/runner.ts'
import { useLearn } from '../../state/learn/store.ts'
import { useStudio } from '../../state/store.ts'
import { currentStep, doTask, goToStep, leaveTour, markDone, moveStep } from '../../state/tour/actions.ts'
import { asStepBegan, isTaskDone, quote, type Seen } from '../../state/tour/observe.ts'
import { useTour } from '../../state/tour/store.ts'
import { formatNorm } from '../format.ts'
import { HelpText, PlainText } from './HelpText.tsx'
import { focusTarget, markTarget } from './showTarget.ts'
import { toyValue } from './toyValue.ts'
import './tour.css'

/** What of the state a step can look at. */
function useSeen(): Seen {
  const recipe = useStudio((state) => state.recipe)
  const view = useStudio((state) => state.view)
  const models = useStudio((state) => state.models)
  const runs = useStudio((state) => state.runs)
  const learn = useLearn()
  const tour = useTour()
  return { studio: { recipe, view, models, runs }, learn, tour }
}

/** A measured number where a text names it; a mark while it is not known. */
function valueNode(name: ValueName, seen: Seen): ReactNode {
  if (name.startsWith('toy')) return <b>{toyValue(name, seen.learn.toy)}</b>
  const quoted = quote(name, seen)
  if (quoted.kind === 'words') return <b>{t(quoted.text)}</b>
  if (quoted.kind === 'waiting')
    return (
      <span className="is-pending" title={t('not measured yet')}>
        …<span className="visually-hidden">{t('not measured yet')}</span>
      </span>
    )
  const { value } = quoted
  if (name.startsWith('aqi')) return <b>{value.toFixed(1)}</b>
  return <b>{name.startsWith('drift') ? formatNorm(value) : `${(100 * value).toFixed(0)} %`}</b>
}

/** Why a number is not there yet. */
function Waiting() {
  const isStopped = useStudio((state) => state.runs.isStopped)
  const label = useStudio((state) => state.runs.job?.label)
  return (
    <p className="tour-waiting muted">
      {isStopped ? (
        <>
          {t('Measuring is stopped, so some numbers are missing.')}{' '}
          <button type="button" className="text-button" onClick={runAgain}>
            {t('Measure')}
          </button>
        </>
      ) : (
        <>
          {t('Numbers come as they are measured; read on meanwhile.')} {label}
        </>
      )}
    </p>
  )
}

export default function TourPanel() {
  const seen = useSeen()
  const { done, step: id } = seen.tour
  const { title, text, task, target, set, chapter, chapterIndex } = currentStep(id)
  const at = tourSteps.findIndex((step) => step.id === id)
  const isLast = at === tourSteps.length - 1
  const heading = useRef<HTMLHeadingElement>(null)
  const panel = useRef<HTMLElement>(null)
  const isMet = task !== undefined && isTaskDone(task.checks, seen)
  const isDone = done.includes(id)
  useEffect(() => markTarget(target), [target])
  // The text is what is read next: it takes the focus, and with it the reader's voice.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new step is what moves the focus
  useEffect(() => heading.current?.focus({ preventScroll: true }), [id])
  useEffect(() => {
    if (isMet) markDone(id)
  }, [isMet, id])
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'F6') return
      event.preventDefault()
      if (panel.current?.contains(document.activeElement)) focusTarget(target)
      else heading.current?.focus({ preventScroll: true })
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [target])
  // What the text says holds for the step as it began; what is seen after the task, for the page as it is.
  const began = asStepBegan(seen, set)
  const quoteBegan = (name: string) => valueNode(name as ValueName, began)
  const quoteNow = (name: string) => valueNode(name as ValueName, seen)
  const isUnknown = (line: string, within: Seen) =>
    [...line.matchAll(/\{(\w+_\w+)\}/g)].some(
      ([, name]) => quote(name as ValueName, within).kind === 'waiting',
    )
  const isWaiting =
    isUnknown(text.join(' '), began) || (task !== undefined && isDone && isUnknown(task.seen, seen))
  return (
    <aside className="tour-panel" aria-label={t('Tour')} ref={panel}>
      <header className="tour-head">
        <p className="muted">
          {t('{chapter} of {chapters}', { chapter: chapterIndex + 1, chapters: tour.length })}{' '}
          <PlainText text={chapter.title} />
        </p>
        <button type="button" className="quiet-button" onClick={() => leaveTour()}>
          {t('Leave')}
        </button>
      </header>
      <progress
        className="tour-bar"
        value={at + 1}
        max={tourSteps.length}
        aria-label={t('Progress of the tour')}
      />
      <div className="tour-text">
        <h2 ref={heading} tabIndex={-1}>
          {t(title)}
        </h2>
        {text.map((line) => (
          <HelpText key={line} text={line} quoteOf={quoteBegan} />
        ))}
        {isWaiting && <Waiting />}
        <p className="tour-target">
          <button type="button" className="text-button" onClick={() => focusTarget(target)}>
            {t('Go to: {part}', { part: t(helpTarget(target).label) })}
          </button>{' '}
          <kbd>F6</kbd>
        </p>
        {task && (
          <div className="tour-task" data-done={isDone || undefined}>
            <HelpText text={task.instruction} />
            <p className="tour-state">
              <span role="status">{isDone ? t('Done') : t('Waiting for you')}</span>
              <button type="button" disabled={isMet} onClick={doTask}>
                {t('Do it for me')}
              </button>
            </p>
            {isDone && <HelpText text={task.seen} quoteOf={quoteNow} />}
          </div>
        )}
      </div>
      <footer className="tour-foot">
        <button type="button" disabled={at === 0} onClick={() => moveStep(-1)}>
          {t('Back')}
        </button>
        <label>
          <span className="visually-hidden">{t('Step of the tour')}</span>
          <select value={id} onChange={(event) => goToStep(event.target.value)}>
            {tour.map((one) => (
              <optgroup key={one.id} label={t(one.title).replaceAll('`', '')}>
                {one.steps.map((step) => (
                  <option key={step.id} value={step.id}>
                    {t(step.title)}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        </label>
        {isLast ? (
          <>
            <button type="button" onClick={() => leaveTour(false)}>
              {t('Keep this recipe')}
            </button>
            <button type="button" className="primary" onClick={() => leaveTour()}>
              {t('Finish')}
            </button>
          </>
        ) : (
          <button type="button" className="primary" onClick={() => moveStep(1)}>
            {t('Next')}
          </button>
        )}
      </footer>
    </aside>
  )
}
