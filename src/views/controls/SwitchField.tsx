import { useId } from 'react'
import { t } from '../../language/translate.ts'
import type { Provenance } from '../../share/parameters.ts'
import { OriginTag } from './OriginTag.tsx'

export interface SwitchFieldProps {
  label: string
  brief: string
  source: Provenance
  value: boolean
  onChange: (value: boolean) => void
}

/** Something that is on or off. */
export function SwitchField({ label, brief, source, value, onChange }: SwitchFieldProps) {
  const id = useId()
  return (
    <div className="field">
      <div className="field-head" title={t(brief)}>
        <input id={id} type="checkbox" checked={value} onChange={(event) => onChange(event.target.checked)} />
        <label htmlFor={id}>{t(label)}</label>
        <OriginTag source={source} />
      </div>
    </div>
  )
}
