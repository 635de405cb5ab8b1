// One card for each merge method: what it says of itself, what it does to the weights, and a picture of it with two.

import { useEffect } from 'react'
import { methodNotes, type MethodPicture as Picture, pictures } from '../../help/index.ts'
import { plural, t } from '../../language/translate.ts'
import { type MethodDeclaration, methodDeclarations } from '../../share/methods.ts'
import { setQuery } from '../../state/learn/actions.ts'
import { useLearn } from '../../state/learn/store.ts'
import { Formula } from '../controls/Formula.tsx'
import { OriginTag } from '../controls/OriginTag.tsx'
import { MethodPicture } from './MethodPicture.tsx'
import { SearchField } from './SearchField.tsx'
import { matches } from './search.ts'

export default function MethodCards() {
  const query = useLearn((state) => state.query)
  const entry = useLearn((state) => state.entry)
  const found = methodDeclarations.filter(({ id, label, brief, group, source }) =>
    matches(query, [id, label, t(brief), t(group), source.text, noteOf(id)?.does ?? '']),
  )
  useEffect(() => {
    if (entry === null) return
    const opened = document.getElementById(`method-card-${entry}`)
    opened?.scrollIntoView({ block: 'start' })
    opened?.focus({ preventScroll: true })
  }, [entry])
  return (
    <section className="panel" aria-labelledby="methods-title">
      <header className="panel-head">
        <h2 id="methods-title">{t('Methods')}</h2>
        <SearchField
          label={t('Search the methods')}
          query={query}
          found={plural(found.length, '{count} method', '{count} methods')}
          onChange={setQuery}
        />
      </header>
      <div className="cards">
        {found.map((declaration) => (
          <Card key={declaration.id} declaration={declaration} />
        ))}
      </div>
    </section>
  )
}

const noteOf = (id: string) => methodNotes.find((note) => note.id === id)
const pictureOf = (id: string): Picture | undefined => pictures.find((picture) => picture.id === id)

const materialNames: Readonly<Record<string, () => string>> = {
  fisher: () => t('Fisher diagonals of the experts'),
  anchorFisher: () => t('Fisher diagonal of the base'),
  gram: () => t('inputs of every linear layer'),
  importance: () => t('importance of every weight'),
  baseImportance: () => t('importance of every weight to the base'),
  shield: () => t('alignment gradients and the anchor’s Fisher diagonal'),
  aligned: () => t('an aligned model'),
  unaligned: () => t('an unaligned model'),
  safe: () => t('a safe model'),
}

/** What a method has to be given, in words. */
function needsOf({ base, experts, material }: MethodDeclaration): string {
  const range =
    experts.min === experts.max
      ? plural(experts.min, '{count} model', '{count} models')
      : t('{low} to {high} models', { low: experts.min, high: experts.max })
  const bases = { none: '', optional: t('base optional'), required: t('a base') }
  return [range, bases[base], ...material.map((kind) => materialNames[kind]?.() ?? kind)]
    .filter(Boolean)
    .join(', ')
}

function Card({ declaration }: { declaration: MethodDeclaration }) {
  const { id, label, group, brief, source, provenance, parameters, isRandom } = declaration
  const note = noteOf(id)
  const picture = pictureOf(id)
  return (
    <article id={`method-card-${id}`} className="card" tabIndex={-1} aria-labelledby={`method-name-${id}`}>
      <h3 id={`method-name-${id}`}>
        {t(label)} <small>{t(group)}</small> <OriginTag source={provenance} />
      </h3>
      <p className="help-text">{t(brief)}</p>
      {picture && <MethodPicture picture={picture} label={t(label)} />}
      {note && (
        <>
          <p className="help-text">{t(note.does)}</p>
          <p className="method-formula">
            <Formula text={t(note.formula)} />
          </p>
          <p className="help-text muted">{t(note.caution)}</p>
        </>
      )}
      <dl className="card-facts">
        <div>
          <dt>{t('Needs')}</dt>
          <dd>{needsOf(declaration)}</dd>
        </div>
        {isRandom && (
          <div>
            <dt>{t('Random')}</dt>
            <dd>{t('draws from the seed of the recipe')}</dd>
          </div>
        )}
        <div>
          <dt>{t('Source')}</dt>
          <dd>
            {source.url ? (
              <a href={source.url} target="_blank" rel="noreferrer">
                {t(source.text)}
              </a>
            ) : (
              t(source.text)
            )}
          </dd>
        </div>
      </dl>
      {parameters.length > 0 && (
        <details className="card-parameters">
          <summary>{plural(parameters.length, '{count} parameter', '{count} parameters')}</summary>
          <dl>
            {parameters.map((parameter) => (
              <div key={parameter.id}>
                <dt>
                  <code>{parameter.id}</code> {parameter.symbol} = {String(parameter.default)}
                </dt>
                <dd>{t(parameter.brief)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </article>
  )
}
