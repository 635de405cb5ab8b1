// A line of help: symbols in backticks, {values} that the page measures, [words](#id) that unfold their glossary entry
// below the line.

import { Fragment, type ReactNode, useId, useState } from 'react'
import { glossary } from '../../help/index.ts'
import { t } from '../../language/translate.ts'
import { openLearn } from '../../state/learn/actions.ts'
import { Formula } from '../controls/Formula.tsx'

const inline = /(\[[^\]]+\]\(#[\w-]+\)|`[^`]+`|\{\w+\})/

export interface HelpTextProps {
  /** English; translated here */
  text: string
  /** what stands for a {value} */
  quoteOf?: (name: string) => ReactNode
}

export function HelpText({ text, quoteOf }: HelpTextProps) {
  const [open, setOpen] = useState<string | null>(null)
  const noteId = useId()
  const parts = t(text).split(inline)
  return (
    <>
      <p className="help-text">
        {parts.map((part, index) => {
          const link = /^\[([^\]]+)\]\(#([\w-]+)\)$/.exec(part)
          const key = `${index}`
          if (link)
            return (
              <button
                key={key}
                type="button"
                className="term"
                aria-expanded={open === link[2]}
                aria-controls={noteId}
                onClick={() => setOpen(open === link[2] ? null : link[2]!)}
              >
                {link[1]}
              </button>
            )
          if (part.startsWith('`')) return <Formula key={key} text={part.slice(1, -1)} />
          const value = /^\{(\w+)\}$/.exec(part)
          return <Fragment key={key}>{value && quoteOf ? quoteOf(value[1]!) : part}</Fragment>
        })}
      </p>
      <div id={noteId} className="term-note" hidden={open === null}>
        {open && <TermNote id={open} />}
      </div>
    </>
  )
}

/** What a word means, in short. */
function TermNote({ id }: { id: string }) {
  const entry = glossary.find((candidate) => candidate.id === id)
  if (!entry) return null
  return (
    <p>
      <b>
        <PlainText text={entry.term} />:
      </b>{' '}
      <PlainText text={entry.plain} />{' '}
      <button type="button" className="text-button" onClick={() => openLearn('glossary', id)}>
        {t('Glossary')}
      </button>
    </p>
  )
}

/** Text with symbols and without links. */
export function PlainText({ text }: { text: string }) {
  return t(text)
    .split(/(`[^`]+`)/)
    .map((part, index) => {
      const key = `${index}`
      return part.startsWith('`') ? (
        <Formula key={key} text={part.slice(1, -1)} />
      ) : (
        <Fragment key={key}>{part.replaceAll(/\[([^\]]+)\]\(#[\w-]+\)/g, '$1')}</Fragment>
      )
    })
}
