// A formula that names its symbols: each is pointed at in the formula, or reached by keyboard in the row of symbols
// below, which holds their values as they are now. A second line is the same with the values in place.

import { type KeyboardEvent, type PointerEvent, useId, useMemo, useState } from 'react'
import {
  type FormulaId,
  formulaEntry,
  type SymbolId,
  type SymbolValues,
  symbolEntry,
  symbolsOf,
  workedLine,
} from '../../help/index.ts'
import { t } from '../../language/translate.ts'
import { openLearn } from '../../state/learn/actions.ts'
import { MathView } from './MathView.tsx'
import { OriginTag } from './OriginTag.tsx'
import './formula.css'

export interface FormulaViewProps {
  id: FormulaId
  values?: SymbolValues
  /** further formulas whose symbols are explained here too */
  more?: readonly FormulaId[]
  /** formula whose line is shown with values once all of them are known */
  worked?: FormulaId
}

const noValues: SymbolValues = {}

export function FormulaView({ id, values = noValues, more = [], worked }: FormulaViewProps) {
  const { title } = formulaEntry(id)
  const line = worked && workedLine(worked, values)
  const [active, setActive] = useState<SymbolId | null>(null)
  const [focused, setFocused] = useState(0)
  const cardId = useId()
  const shown = useMemo(() => [id, ...more].map((one) => formulaEntry(one)), [id, more])
  const found = useMemo(() => [...new Set(shown.flatMap(({ tree }) => symbolsOf(tree)))], [shown])
  const onPoint = (event: PointerEvent) => {
    const marked = (event.target as Element).closest?.('[data-symbol]')?.getAttribute('data-symbol')
    setActive((marked as SymbolId | null | undefined) ?? null)
  }
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.key === 'Escape') return setActive(null)
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const next = (focused + step + found.length) % found.length
    setFocused(next)
    ;(event.currentTarget.children[next] as HTMLElement | undefined)?.focus()
  }
  return (
    <figure className="formula" aria-label={t(title)} onPointerLeave={() => setActive(null)}>
      <div className="formula-lines" onPointerOver={onPoint}>
        {shown.map(({ tree, title: name }) => (
          <MathView key={name} tree={tree} active={active} isBlock />
        ))}
        {line && <MathView tree={line} values={values} active={active} isBlock />}
      </div>
      <div
        className="formula-symbols"
        role="toolbar"
        aria-label={t('Symbols of the formula')}
        onKeyDown={onKeyDown}
      >
        {found.map((symbol, index) => (
          <SymbolChip
            key={symbol}
            symbol={symbol}
            value={values[symbol]}
            isActive={active === symbol}
            isStop={index === focused}
            cardId={cardId}
            onActive={(isOn) => {
              if (isOn) setFocused(index)
              setActive(isOn ? symbol : null)
            }}
          />
        ))}
      </div>
      <SymbolCard id={cardId} symbol={active} value={active ? values[active] : undefined} />
    </figure>
  )
}

interface SymbolChipProps {
  symbol: SymbolId
  value: string | undefined
  isActive: boolean
  /** the one that Tab comes to */
  isStop: boolean
  cardId: string
  onActive: (isOn: boolean) => void
}

function SymbolChip({ symbol, value, isActive, isStop, cardId, onActive }: SymbolChipProps) {
  const { name, term } = symbolEntry(symbol)
  const tree = useMemo(() => ({ kind: 'symbol', id: symbol }) as const, [symbol])
  return (
    <button
      type="button"
      className="symbol-chip"
      data-active={isActive || undefined}
      aria-describedby={isActive ? cardId : undefined}
      tabIndex={isStop ? 0 : -1}
      onPointerEnter={() => onActive(true)}
      onFocus={() => onActive(true)}
      onBlur={() => onActive(false)}
      onClick={() => {
        onActive(true)
        if (isActive && term) openLearn('glossary', term)
      }}
    >
      <MathView tree={tree} />
      <span className="visually-hidden"> {t(name)} </span>
      {value !== undefined && <b>{value}</b>}
    </button>
  )
}

/** Name, meaning, unit, value and source of one symbol. */
function SymbolCard({
  id,
  symbol,
  value,
}: {
  id: string
  symbol: SymbolId | null
  value: string | undefined
}) {
  if (!symbol) return null
  const { name, meaning, unit, origin, source, term } = symbolEntry(symbol)
  return (
    <div id={id} role="tooltip" className="symbol-card">
      <p>
        <b>{t(name)}</b> {value !== undefined && <span className="symbol-value">= {value}</span>}{' '}
        <OriginTag source={source} />
      </p>
      <p>{t(meaning)}</p>
      <p className="muted">
        {t('Unit: {unit}. From: {origin}.', { unit: t(unit), origin: t(origin) })}
        {term && ` ${t('Click or press Enter for the glossary.')}`}
      </p>
    </div>
  )
}
