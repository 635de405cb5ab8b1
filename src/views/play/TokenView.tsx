// The tokens of one answer under every model: a strip to look along, one token in full, and a table of all numbers.

import { type CSSProperties, type KeyboardEvent, useRef, useState } from 'react'
import type { TokenComparison } from '../../../workers/api/play.ts'
import { t } from '../../language/translate.ts'
import { announce } from '../../state/actions/errors.ts'
import type { TokenLook } from '../../state/play/store.ts'
import { closeTokens } from '../../state/play/tokens.ts'
import { saveFile } from '../compare/exportComparison.ts'
import { FailureLine } from '../error/FailureLine.tsx'
import { formatDuration } from '../format.ts'
import { TokenTable, tokensAsCsv } from './TokenTable.tsx'
import {
  formatMeasure,
  formatNats,
  formatProbability,
  legendOf,
  probabilityOf,
  shadeOf,
  type TokenMeasure,
  visibleToken,
} from './tokenMeasures.ts'

export function TokenView({ look: { name, status } }: { look: TokenLook }) {
  return (
    <section className="play-tokens" aria-label={t('Tokens of the answer of {name}', { name })}>
      <header>
        <h3>{t('Tokens of the answer of {name}', { name })}</h3>
        <button type="button" className="quiet-button" onClick={closeTokens}>
          {t('Close')}
        </button>
      </header>
      {status.kind === 'asking' && <p className="muted">{t('Asking every model for its probabilities …')}</p>}
      {status.kind === 'failed' && <FailureLine failure={status.failure} />}
      {status.kind === 'known' && (
        <Known comparison={status.comparison} names={status.names} speaker={status.names.indexOf(name)} />
      )}
    </section>
  )
}

function Known({
  comparison,
  names,
  speaker,
}: {
  comparison: TokenComparison
  names: string[]
  /** whose answer it is */ speaker: number
}) {
  const last = comparison.models.length - 1
  const [measure, setMeasure] = useState<TokenMeasure>({
    kind: 'ratio',
    // The first cannot differ from itself.
    model: speaker > 0 ? speaker : last,
  })
  const [isTable, setTable] = useState(false)
  const [selected, setSelected] = useState(0)
  return (
    <>
      <div className="play-measure">
        <label>
          {t('Colour')}{' '}
          <select
            value={`${measure.kind} ${measure.model}`}
            onChange={(event) => {
              const [kind, model] = event.target.value.split(' ')
              setMeasure({ kind: kind as TokenMeasure['kind'], model: Number(model) })
            }}
          >
            <optgroup label={t('How much likelier than to {name}', { name: names[0]! })}>
              {names.slice(1).map((name, m) => (
                <option key={name} value={`ratio ${m + 1}`}>
                  {t('log-likelihood ratio: {name}', { name })}
                </option>
              ))}
            </optgroup>
            <optgroup label={t('Distance of all probabilities from {name}', { name: names[0]! })}>
              {names.slice(1).map((name, m) => (
                <option key={name} value={`divergence ${m + 1}`}>
                  {t('KL divergence: {name}', { name })}
                </option>
              ))}
            </optgroup>
            <optgroup label={t('How likely')}>
              {names.map((name, m) => (
                <option key={name} value={`probability ${m}`}>
                  {t('probability: {name}', { name })}
                </option>
              ))}
            </optgroup>
          </select>
        </label>
        <Legend measure={measure} />
        <span className="play-tools">
          <button
            type="button"
            className="quiet-button"
            aria-pressed={isTable}
            onClick={() => setTable(!isTable)}
          >
            {isTable ? t('Text') : t('Table')}
          </button>
          <button
            type="button"
            className="quiet-button"
            onClick={() => {
              saveFile('alignmerge-tokens.csv', tokensAsCsv(comparison, names), 'text/csv')
              announce(t('{name} saved', { name: 'alignmerge-tokens.csv' }))
            }}
          >
            CSV
          </button>
        </span>
      </div>
      {isTable ? (
        <TokenTable comparison={comparison} names={names} />
      ) : (
        <>
          <TokenStrip comparison={comparison} measure={measure} selected={selected} onSelect={setSelected} />
          <TokenDetail comparison={comparison} names={names} i={selected} />
        </>
      )}
      <p className="caption">
        {t(
          'Teacher-forced: each model is given the chat of the one that answered, and every token of the answer before the one in question. By {backend}, {duration}.',
          { backend: comparison.backend, duration: formatDuration(comparison.durationMs) },
        )}
      </p>
    </>
  )
}

function Legend({ measure }: { measure: TokenMeasure }) {
  const { from, to } = legendOf(measure)
  return (
    <span className="play-legend">
      {from}
      <span className="play-ramp" data-kind={measure.kind === 'ratio' ? 'ratio' : 'one'} aria-hidden="true" />
      {to}
    </span>
  )
}

function TokenStrip({
  comparison,
  measure,
  selected,
  onSelect,
}: {
  comparison: TokenComparison
  measure: TokenMeasure
  selected: number
  onSelect: (i: number) => void
}) {
  const strip = useRef<HTMLDivElement>(null)
  const { tokens } = comparison
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }
    const step = steps[event.key]
    if (step === undefined) return
    event.preventDefault()
    const next = Math.max(0, Math.min(tokens.length - 1, selected + step))
    onSelect(next)
    strip.current?.querySelectorAll('button')[next]?.focus()
  }
  return (
    <div ref={strip} className="play-strip" role="toolbar" aria-label={t('Tokens, arrow keys move along')}>
      {tokens.map(({ text }, i) => {
        const { share, side } = shadeOf(comparison, measure, i)
        return (
          <button
            // biome-ignore lint/suspicious/noArrayIndexKey: a token is its place
            key={i}
            type="button"
            data-side={side}
            aria-pressed={i === selected}
            tabIndex={i === selected ? 0 : -1}
            style={{ '--share': `${(100 * share).toFixed(0)}%` } as CSSProperties}
            aria-label={`${text.trim() || visibleToken(text)}, ${formatMeasure(comparison, measure, i)}`}
            onClick={() => onSelect(i)}
            onFocus={() => onSelect(i)}
            onPointerEnter={() => onSelect(i)}
            onKeyDown={onKeyDown}
          >
            {visibleToken(text)}
          </button>
        )
      })}
    </div>
  )
}

function TokenDetail({ comparison, names, i }: { comparison: TokenComparison; names: string[]; i: number }) {
  const { tokens, models } = comparison
  const token = tokens[i]
  if (!token) return null
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled table must be reachable by keyboard
    <section className="table-scroll play-detail" aria-label={t('One token')} tabIndex={0}>
      <table>
        <caption>
          {t('Token {number} of {count}', { number: i + 1, count: tokens.length })}{' '}
          <code>{visibleToken(token.text)}</code>
        </caption>
        <thead>
          <tr>
            <th scope="col">{t('Model')}</th>
            <th scope="col">{t('Probability')}</th>
            <th scope="col">{t('Rank')}</th>
            <th scope="col">{t('Ratio to {name}', { name: names[0]! })}</th>
            <th scope="col">KL</th>
            <th scope="col">{t('Likeliest instead')}</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model, m) => (
            <tr key={names[m]}>
              <th scope="row">{names[m]}</th>
              <td>{formatProbability(probabilityOf(comparison, m, i))}</td>
              <td>{model.ranks[i]}</td>
              <td>{m === 0 ? '–' : formatMeasure(comparison, { kind: 'ratio', model: m }, i)}</td>
              <td>{m === 0 ? '–' : `${formatNats(model.divergences[i]!)} ${t('nats')}`}</td>
              <td className="play-instead">
                {model.alternatives[i]!.map(({ id, text, logProbability }) => (
                  <span key={id} data-own={id === token.id || undefined}>
                    <code>{visibleToken(text)}</code> {formatProbability(Math.exp(logProbability))}
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
