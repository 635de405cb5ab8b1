// The glossary: searched as one types, every entry with a link to the place on the page where it is seen.

import { useEffect, useMemo } from 'react'
import { type GlossaryTerm, glossary, helpTarget, type TargetId } from '../../help/index.ts'
import { plural, t } from '../../language/translate.ts'
import { setPage } from '../../state/actions/view.ts'
import { openLearn, setQuery } from '../../state/learn/actions.ts'
import { useLearn } from '../../state/learn/store.ts'
import { FormulaView } from '../controls/FormulaView.tsx'
import { PlainText } from './HelpText.tsx'
import { SearchField } from './SearchField.tsx'
import { matches } from './search.ts'
import { showTarget } from './showTarget.ts'

const plainTerm = (term: string): string => t(term).replaceAll('`', '')

export default function GlossaryView() {
  const query = useLearn((state) => state.query)
  const entry = useLearn((state) => state.entry)
  const found = useMemo(
    () =>
      glossary
        .filter(({ term, also = [], plain, exact }) =>
          matches(query, [t(term), ...also, t(plain), exact ? t(exact) : '']),
        )
        .sort((a, b) => plainTerm(a.term).localeCompare(plainTerm(b.term))),
    [query],
  )
  useEffect(() => {
    if (entry === null) return
    const opened = document.getElementById(`term-${entry}`)
    opened?.scrollIntoView({ block: 'center' })
    opened?.focus({ preventScroll: true })
  }, [entry])
  return (
    <section className="panel" aria-labelledby="glossary-title">
      <header className="panel-head">
        <h2 id="glossary-title">{t('Glossary')}</h2>
        <SearchField
          label={t('Search the glossary')}
          query={query}
          found={plural(found.length, '{count} entry', '{count} entries')}
          onChange={setQuery}
        />
      </header>
      <div className="glossary">
        {found.map((one) => (
          <Entry key={one.id} entry={one} isOpened={one.id === entry} />
        ))}
      </div>
      {found.length === 0 && (
        <p className="hint">{t('Nothing holds these words. Try one of them alone, or a symbol.')}</p>
      )}
    </section>
  )
}

function Entry({ entry, isOpened }: { entry: GlossaryTerm; isOpened: boolean }) {
  const { id, term, plain, exact, formula, where, related = [] } = entry
  return (
    <article id={`term-${id}`} className="glossary-entry" tabIndex={-1} data-opened={isOpened || undefined}>
      <h3>
        <PlainText text={term} />
      </h3>
      <p className="help-text">
        <PlainText text={plain} />
      </p>
      {exact && (
        <p className="help-text muted">
          <PlainText text={exact} />
        </p>
      )}
      {formula && <FormulaView id={formula} />}
      <p className="entry-links">
        {where && <Where target={where} />}
        {related.map((other) => (
          <button
            key={other}
            type="button"
            className="text-button"
            onClick={() => openLearn('glossary', other)}
          >
            <PlainText text={glossary.find((candidate) => candidate.id === other)?.term ?? other} />
          </button>
        ))}
      </p>
    </article>
  )
}

/** Leads to the part of the page where something is seen. */
export function Where({ target }: { target: TargetId }) {
  const { page, label } = helpTarget(target)
  return (
    <button
      type="button"
      className="text-button"
      onClick={() => {
        if (target === 'toy') openLearn('toy')
        else if (page !== 'any') setPage(page)
        showTarget(target)
      }}
    >
      {t('Show: {part}', { part: t(label) })}
    </button>
  )
}
