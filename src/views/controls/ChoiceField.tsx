import { useId } from 'react'
import { t } from '../../language/translate.ts'
import type { ChoiceParameter } from '../../share/parameters.ts'
import { Formula } from './Formula.tsx'
import { useHelp } from './HelpToggle.tsx'
import { OriginTag } from './OriginTag.tsx'

export interface ChoiceFieldProps<T extends string> {
  parameter: ChoiceParameter<T>
  value: T
  disabledReason?: string | undefined
  isHeadless?: boolean
  onChange: (value: T) => void
}

/** A choice of the experiment as a row of radio buttons that look like one instrument switch. */
export function ChoiceField<T extends string>(props: ChoiceFieldProps<T>) {
  const { parameter, value, disabledReason, isHeadless = false, onChange } = props
  const name = useId()
  const isDisabled = disabledReason !== undefined
  const label = t(parameter.label)
  const help = useHelp(
    label,
    <>
      <p>{t(parameter.brief)}</p>
      <dl>
        {parameter.options.map((option) => (
          <div key={option.value}>
            <dt>
              {t(option.label)} <OriginTag source={option.source} />
            </dt>
            <dd>{t(option.brief)}</dd>
          </div>
        ))}
      </dl>
    </>,
  )
  return (
    <fieldset className="field" disabled={isDisabled} data-disabled={isDisabled || undefined}>
      <legend className="visually-hidden">{label}</legend>
      {!isHeadless && (
        <div className="field-head" title={disabledReason ?? t(parameter.brief)}>
          <span aria-hidden="true">
            {label} <Formula text={parameter.symbol} />
          </span>
          <OriginTag source={parameter.source} />
          {help.button}
        </div>
      )}
      <div className="switch">
        {parameter.options.map((option) => (
          <label
            key={option.value}
            title={t(option.brief)}
            data-checked={option.value === value || undefined}
          >
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            {t(option.label)}
          </label>
        ))}
        {isHeadless && help.button}
      </div>
      {help.lines}
    </fieldset>
  )
}
