import { useState } from 'react'
import { formatParameter } from '../format.ts'

export interface NumberInputProps {
  id?: string
  label: string
  value: number
  min: number
  max: number
  step: number
  isDisabled?: boolean
  onChange: (value: number) => void
}

/** A number that can be typed: half-typed text stays in the field, valid numbers count at once. */
export function NumberInput({ id, label, value, min, max, step, isDisabled, onChange }: NumberInputProps) {
  const [draft, setDraft] = useState<string | null>(null)
  return (
    <input
      {...(id !== undefined && { id })}
      className="number-input"
      type="number"
      aria-label={label}
      min={min}
      max={max}
      step="any"
      disabled={isDisabled}
      value={draft ?? formatParameter(value)}
      onChange={(event) => {
        setDraft(event.target.value)
        const typed = event.target.valueAsNumber
        if (Number.isFinite(typed) && typed >= min && typed <= max) onChange(typed)
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.currentTarget.blur()
        // step="any" would step by 1 whatever the range.
        if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return
        event.preventDefault()
        setDraft(null)
        onChange(Math.min(max, Math.max(min, value + (event.key === 'ArrowUp' ? step : -step))))
      }}
      onBlur={(event) => {
        const typed = event.target.valueAsNumber
        if (draft !== null && Number.isFinite(typed)) onChange(Math.min(max, Math.max(min, typed)))
        setDraft(null)
      }}
    />
  )
}
