// Exercises for a class. Links are made when the page is drawn, so that they are always of the newest version.

import { useState } from 'react'
import { type Exercise, exercises } from '../../help/index.ts'
import { plural, t } from '../../language/translate.ts'
import { encodeLink } from '../../share/encode.ts'
import { classLink, exerciseLink } from './exerciseLink.ts'
import { HelpText, PlainText } from './HelpText.tsx'

export default function TeacherView() {
  const minutes = exercises.reduce((sum, exercise) => sum + exercise.minutes, 0)
  return (
    <section className="panel" aria-labelledby="teacher-title">
      <header className="panel-head">
        <h2 id="teacher-title">{t('For teachers')}</h2>
        <small>{t('{count} exercises, {minutes} minutes', { count: exercises.length, minutes })}</small>
      </header>
      <p className="help-text">
        {t(
          'Each exercise opens as a link that holds the whole experiment. A class link leaves out what a class does not need. Everything is computed on each student’s machine; nothing is sent anywhere.',
        )}
      </p>
      <p className="help-text muted">
        {t(
          'Numbers in the answers were measured on held-out probes, over several draws; a student’s own lie within the intervals.',
        )}
      </p>
      <ol className="exercises">
        {exercises.map((exercise) => (
          <ExerciseCard key={exercise.id} exercise={exercise} />
        ))}
      </ol>
    </section>
  )
}

function ExerciseCard({ exercise }: { exercise: Exercise }) {
  const { id, title, minutes, question, steps, hint, solution, opens } = exercise
  return (
    <li className="exercise" aria-labelledby={`exercise-${id}`}>
      <h3 id={`exercise-${id}`}>
        {t(title)} <small>{plural(minutes, '{count} minute', '{count} minutes')}</small>
      </h3>
      <HelpText text={question} />
      <ol className="help-list">
        {steps.map((step) => (
          <li key={step}>
            <PlainText text={step} />
          </li>
        ))}
      </ol>
      <ul className="exercise-links">
        {opens.map((open) => (
          <ExerciseLink key={open.label} open={open} />
        ))}
      </ul>
      <details>
        <summary>{t('Hint')}</summary>
        <HelpText text={hint} />
      </details>
      <details>
        <summary>{t('Answer')}</summary>
        {solution.map((line) => (
          <HelpText key={line} text={line} />
        ))}
      </details>
    </li>
  )
}

function ExerciseLink({ open }: { open: Exercise['opens'][number] }) {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    const { origin, pathname } = location
    try {
      await navigator.clipboard.writeText(`${origin}${pathname}${encodeLink(classLink(open))}`)
      setCopied(true)
      setTimeout(() => setCopied(false), 2500)
    } catch {
      // The link itself is there to be copied by hand.
    }
  }
  return (
    <li>
      <a href={encodeLink(exerciseLink(open))}>{t(open.label)}</a>
      <button type="button" className="quiet-button" onClick={() => void copy()}>
        {isCopied ? t('Copied') : t('Copy the class link')}
        <span className="visually-hidden">: {t(open.label)}</span>
      </button>
    </li>
  )
}
