import { useId } from 'react'
import { t } from '../../language/translate.ts'
import type { Provenance } from '../../share/parameters.ts'
import { OriginTag } from './OriginTag.tsx'

export interface SwitchFieldProps {
  label: string
  brief: string
  source: Provenance
  value: boolean
  /** Why the control has no effect now. */
  disabledReason?: string | undefined
  onChange: (value: boolean) => void
}

/** Something that is on or off. */
export function SwitchField({ label, brief, source, value, disabledReason, onChange }: SwitchFieldProps) {
  const id = useId()
  const isDisabled = disabledReason !== undefined
  return (
    <div className="field" data-disabled={isDisabled || undefined}>
      <div className="field-head" title={disabledReason ?? t(brief)}>
        <input
          id={id}
          type="checkbox"
          checked={value}
          disabled={isDisabled}
          onChange={(event) => onChange(event.target.checked)}
        />
        <label htmlFor={id}>{t(label)}</label>
        <OriginTag source={source} />
      </div>
    </div>
  )
}
