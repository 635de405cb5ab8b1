// Rows of a set as a table of which only what is in sight is drawn: ten thousand scroll like ten. Its place and size
// among all rows are told to assistive tools.

import { type KeyboardEvent, memo, useEffect, useRef, useState } from 'react'
import type { PromptAnswered } from '../../../workers/api/play.ts'
import { t } from '../../language/translate.ts'
import type { PromptLabel, PromptRow } from '../../state/play/promptColumns.ts'
import { setLabels } from '../../state/play/promptSets.ts'
import { usePlay } from '../../state/play/store.ts'
import { LabelOptions } from './LabelOptions.tsx'
import { VerdictChip } from './verdicts.tsx'

/** Every row is as high as this, in px: what does not fit is cut, and whole in its title. */
const ROW_HEIGHT = 30
const VIEW_HEIGHT = 330
/** Rows drawn above and below what is seen. */
const MARGIN = 6

export function SetTable({ rows, shown }: { rows: readonly PromptRow[]; shown: readonly number[] }) {
  const [top, setTop] = useState(0)
  const frame = useRef<HTMLElement>(null)
  const run = usePlay((state) => state.run)
  // A shorter list must not leave the view beyond its end.
  useEffect(() => {
    if (frame.current && frame.current.scrollTop > shown.length * ROW_HEIGHT) frame.current.scrollTop = 0
  }, [shown.length])
  const first = Math.max(0, Math.min(Math.floor(top / ROW_HEIGHT), shown.length - 1) - MARGIN)
  const last = Math.min(shown.length, Math.ceil((top + VIEW_HEIGHT) / ROW_HEIGHT) + MARGIN)
  const places = new Map(run?.places.map((place, i) => [place, i]))
  const columns = run?.columns ?? []
  const width = 3 + columns.length
  return (
    <section
      ref={frame}
      className="play-rows"
      aria-label={t('Prompts and their labels')}
      style={{ maxHeight: VIEW_HEIGHT }}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled table must be reachable by keyboard
      tabIndex={0}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      <table aria-rowcount={shown.length + 1} style={{ minWidth: 560 + 130 * columns.length }}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col">{t('Label')}</th>
            <th scope="col">{t('Prompt')}</th>
            <th scope="col">{t('Topic')}</th>
            {columns.map(({ key, name }) => (
              <th key={key} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer height={first * ROW_HEIGHT} width={width} />
          {shown.slice(first, last).map((place, i) => (
            <Row
              key={place}
              place={place}
              index={first + i + 2}
              row={rows[place]!}
              answers={columns.map((_, c) => {
                const asked = places.get(place)
                return asked === undefined ? undefined : run?.answers[c]?.[asked]
              })}
            />
          ))}
          <Spacer height={Math.max(0, shown.length - last) * ROW_HEIGHT} width={width} />
        </tbody>
      </table>
      {shown.length === 0 && <p className="muted">{t('No prompt is like that.')}</p>}
    </section>
  )
}

function Spacer({ height, width }: { height: number; width: number }) {
  if (height === 0) return null
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row without anything in it takes no focus
    <tr aria-hidden="true">
      <td colSpan={width} style={{ height, padding: 0, border: 0 }} />
    </tr>
  )
}

interface RowProps {
  place: number
  /** of all rows, the head is 1 */ index: number
  row: PromptRow
  answers: (PromptAnswered | undefined)[]
}

const isSame = (a: RowProps, b: RowProps) =>
  a.row === b.row &&
  a.index === b.index &&
  a.answers.length === b.answers.length &&
  a.answers.every((answer, i) => answer === b.answers[i])

/** A key for each label: faster than opening a list of three. */
const keys: Record<string, PromptLabel> = { s: 'safe', u: 'unsafe', i: 'ignore' }

const Row = memo(function Row({ place, index, row, answers }: RowProps) {
  const { number, prompt, label, topic } = row
  const onKeyDown = (event: KeyboardEvent) => {
    const wanted = keys[event.key]
    if (!wanted || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    if (wanted !== label) setLabels([place], wanted)
  }
  return (
    <tr aria-rowindex={index} data-label={label} style={{ height: ROW_HEIGHT }}>
      <td>
        <select
          aria-label={t('Label of prompt {number}', { number })}
          value={label}
          onKeyDown={onKeyDown}
          onChange={(event) => setLabels([place], event.target.value as PromptLabel)}
        >
          <LabelOptions />
        </select>
      </td>
      <th scope="row" title={prompt}>
        {prompt}
      </th>
      <td title={topic}>{topic}</td>
      {answers.map((answer, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a column is its place
        <td key={i} title={answer?.text}>
          {answer && (
            <>
              <VerdictChip verdict={answer.verdict} /> {answer.text}
            </>
          )}
        </td>
      ))}
    </tr>
  )
}, isSame)
