// One set of prompts: what was found in the file, its labels, what is done with it.

import { useEffect, useMemo, useRef } from 'react'
import { plural, t } from '../../language/translate.ts'
import { announce } from '../../state/actions/errors.ts'
import {
  type PromptLabel,
  promptLabels,
  promptsInUse,
  type ReadReport,
  shownRows,
} from '../../state/play/promptColumns.ts'
import { closeSet, inspectSet, setLabels, undoLabels } from '../../state/play/promptSets.ts'
import { setAsCsv } from '../../state/play/runSet.ts'
import type { PromptSet } from '../../state/play/storage.ts'
import { setPlay, usePlay } from '../../state/play/store.ts'
import { useWork } from '../app/useWork.ts'
import { saveFile } from '../compare/exportComparison.ts'
import { LabelOptions } from './LabelOptions.tsx'
import { ProbeUseForm } from './ProbeUseForm.tsx'
import { SetRunView } from './SetRunView.tsx'
import { SetTable } from './SetTable.tsx'

export function SetEditor({ set }: { set: PromptSet }) {
  const filter = usePlay((state) => state.filter)
  const canUndo = usePlay((state) => state.undo.length > 0)
  const isSaved = usePlay((state) => state.isSaved)
  const run = usePlay((state) => state.run)
  const { rows } = set
  const shown = useMemo(() => shownRows(rows, filter), [rows, filter])
  const counts = useMemo(() => {
    const of: Record<PromptLabel, number> = { safe: 0, unsafe: 0, ignore: 0 }
    for (const { label } of rows) of[label]++
    return of
  }, [rows])
  const title = useRef<HTMLHeadingElement>(null)
  // A dialog that led here has left nobody with the focus.
  useEffect(() => {
    if (document.activeElement === document.body) title.current?.focus()
  }, [])
  const save = () => {
    const name = `${set.name.replace(/\.[^.]*$/, '')}-edited.csv`
    saveFile(name, setAsCsv(set, run), 'text/csv')
    announce(t('{name} saved', { name }))
  }
  return (
    <section className="panel play-set" aria-labelledby="set-title">
      <header className="panel-head">
        <h2 ref={title} id="set-title" tabIndex={-1}>
          {set.name}
        </h2>
        <p className="muted">
          {t('{safe} safe, {unsafe} unsafe, {ignore} ignored', counts)} ·{' '}
          {isSaved ? t('saved in this browser') : t('saving …')}
        </p>
        <span className="play-tools">
          <button type="button" onClick={save}>
            {t('Save as CSV')}
          </button>
          <button type="button" onClick={closeSet}>
            {t('Close')}
          </button>
        </span>
      </header>
      <Findings report={set.report} />
      <FitLine set={set} />
      <div className="play-filter">
        <label>
          {t('Show')}{' '}
          <select
            value={filter.label}
            onChange={(event) =>
              setPlay({ filter: { ...filter, label: event.target.value as typeof filter.label } })
            }
          >
            <option value="all">{t('all labels')}</option>
            <LabelOptions />
          </select>
        </label>
        <input
          type="search"
          aria-label={t('Search prompts and topics')}
          placeholder={t('Search')}
          value={filter.search}
          onChange={(event) => setPlay({ filter: { ...filter, search: event.target.value } })}
        />
        <span className="muted">{plural(shown.length, '{count} prompt shown', '{count} prompts shown')}</span>
        <fieldset className="play-bulk">
          <legend className="visually-hidden">{t('Label all that are shown')}</legend>
          <span aria-hidden="true">{t('Label all shown')}</span>
          {promptLabels.map((label) => (
            <button
              key={label}
              type="button"
              aria-label={t('Label all {count} shown as {label}', { count: shown.length, label: t(label) })}
              disabled={shown.length === 0}
              onClick={() => setLabels(shown, label)}
            >
              {t(label)}
            </button>
          ))}
          <button type="button" disabled={!canUndo} onClick={undoLabels}>
            {t('Undo')}
          </button>
        </fieldset>
      </div>
      <SetTable rows={rows} shown={shown} />
      <SetRunView set={set} shown={shown} />
      <ProbeUseForm set={set} inUse={counts} />
    </section>
  )
}

/** What the file held besides its prompts. */
function Findings({ report: { empty, duplicates, contradictions, unlabelled } }: { report: ReadReport }) {
  const found = [
    unlabelled > 0 &&
      plural(
        unlabelled,
        '{count} prompt has no label that says safe or unsafe, and is ignored until you label it',
        '{count} prompts have no label that says safe or unsafe, and are ignored until you label them',
      ),
    duplicates > 0 &&
      plural(duplicates, '{count} repeated prompt was left out', '{count} repeated prompts were left out'),
    contradictions > 0 &&
      plural(
        contradictions,
        '{count} of them was labelled otherwise than the first',
        '{count} of them were labelled otherwise than the first',
      ),
    empty > 0 && plural(empty, '{count} row had no prompt', '{count} rows had no prompt'),
  ].filter((one) => one !== false)
  return found.length > 0 ? <p className="hint">{found.join(' · ')}</p> : null
}

/** More of a text than this as letters and bytes is spelled rather than read. */
const MUCH_SPELLED = 0.2

/** How well the models' tokenizer knows the prompts. */
function FitLine({ set }: { set: PromptSet }) {
  const fits = usePlay((state) => state.fits)
  const { isReady } = useWork()
  if (!fits)
    return (
      <p className="hint">
        <button type="button" className="text-button" disabled={!isReady} onClick={() => void inspectSet()}>
          {t('See how the models read these prompts')}
        </button>
      </p>
    )
  const tokens = fits.reduce((sum, fit) => sum + fit.tokens, 0)
  const share = tokens === 0 ? 0 : fits.reduce((sum, fit) => sum + fit.fragments, 0) / tokens
  const inUse = set.rows.flatMap(({ label }, i) => (label === 'ignore' ? [] : [i]))
  const long = inUse.filter((i) => fits[i]?.hasRoom === false).length
  const isPoor = share > MUCH_SPELLED
  return (
    <p className={isPoor || long > 0 ? 'hint is-warning' : 'hint'}>
      {t(
        'The anchor reads {tokens} tokens a prompt; {share} % of them are single letters or bytes of words it does not know.',
        {
          tokens: (tokens / Math.max(1, fits.length)).toFixed(1),
          share: (100 * share).toFixed(0),
        },
      )}{' '}
      {isPoor &&
        t(
          'These prompts are spelled rather than read: answers and measures say little about what the words mean.',
        )}{' '}
      {long > 0 &&
        plural(
          long,
          '{count} prompt leaves no room for an answer and is left out.',
          '{count} prompts leave no room for an answer and are left out.',
        )}{' '}
      {promptsInUse(set.rows).length === 0 && t('All prompts are ignored.')}
    </p>
  )
}
