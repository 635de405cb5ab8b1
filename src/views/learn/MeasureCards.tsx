// What the page measures, how, and what it does not say.

import { type MeasureCard, measures } from '../../help/index.ts'
import { plural, t } from '../../language/translate.ts'
import { setQuery } from '../../state/learn/actions.ts'
import { useLearn } from '../../state/learn/store.ts'
import { FormulaView } from '../controls/FormulaView.tsx'
import { Where } from './GlossaryView.tsx'
import { PlainText } from './HelpText.tsx'
import { SearchField } from './SearchField.tsx'
import { matches } from './search.ts'

export default function MeasureCards() {
  const query = useLearn((state) => state.query)
  const found = measures.filter(({ label, brief, how, pitfalls }) =>
    matches(
      query,
      [label, brief, ...how, ...pitfalls].map((text) => t(text)),
    ),
  )
  return (
    <section className="panel" aria-labelledby="measures-title">
      <header className="panel-head">
        <h2 id="measures-title">{t('Measures')}</h2>
        <SearchField
          label={t('Search the measures')}
          query={query}
          found={plural(found.length, '{count} measure', '{count} measures')}
          onChange={setQuery}
        />
      </header>
      <div className="cards">
        {found.map((card) => (
          <Card key={card.id} card={card} />
        ))}
      </div>
    </section>
  )
}

const betterTexts = {
  higher: () => t('higher is better'),
  lower: () => t('lower is better'),
  'like the anchor': () => t('like the anchor’s is good'),
} as const

function Card({ card }: { card: MeasureCard }) {
  const { id, label, brief, unit, better, how, pitfalls, formula, where, source } = card
  return (
    <article className="card" aria-labelledby={`measure-${id}`}>
      <h3 id={`measure-${id}`}>{t(label)}</h3>
      <p className="help-text">
        <PlainText text={brief} />
      </p>
      <p className="muted">
        {t(unit)}; {betterTexts[better]()}
      </p>
      {formula && <FormulaView id={formula} />}
      <h4>{t('How it is measured')}</h4>
      <ol className="help-list">
        {how.map((line) => (
          <li key={line}>
            <PlainText text={line} />
          </li>
        ))}
      </ol>
      <h4>{t('What it does not say')}</h4>
      <ul className="help-list">
        {pitfalls.map((line) => (
          <li key={line}>
            <PlainText text={line} />
          </li>
        ))}
      </ul>
      <p className="entry-links">
        {where && <Where target={where} />}
        <small>{t(source)}</small>
      </p>
    </article>
  )
}
