import { useId } from 'react'
import { t } from '../../language/translate.ts'
import type { NumberParameter } from '../../share/parameters.ts'
import { formatParameter } from '../format.ts'
import { Formula } from './Formula.tsx'
import { useHelp } from './HelpToggle.tsx'
import { NumberInput } from './NumberInput.tsx'
import { OriginTag } from './OriginTag.tsx'
import { Slider } from './Slider.tsx'

export interface ParameterFieldProps {
  parameter: NumberParameter
  value: number
  stops?: readonly number[]
  /** Why the control has no effect now. */
  disabledReason?: string | undefined
  hasSlider?: boolean
  onChange: (value: number) => void
}

/** A number of the experiment: name, typed value with unit, slider, explanation. */
export function ParameterField(props: ParameterFieldProps) {
  const { parameter, value, stops, disabledReason, hasSlider = true, onChange } = props
  const id = useId()
  const isDisabled = disabledReason !== undefined
  const label = t(parameter.label)
  const help = useHelp(
    label,
    <p>
      {t(parameter.brief)} {parameter.detail && t(parameter.detail)}
    </p>,
  )
  return (
    <div className="field" data-disabled={isDisabled || undefined}>
      <div className="field-head">
        <label htmlFor={id} title={disabledReason ?? t(parameter.brief)}>
          {label} <Formula text={parameter.symbol} />
        </label>
        <OriginTag source={parameter.source} />
        {help.button}
        <span className="field-value">
          <NumberInput
            id={id}
            label={label}
            value={value}
            min={parameter.min}
            max={parameter.max}
            step={parameter.step}
            isDisabled={isDisabled}
            onChange={onChange}
          />
          {parameter.unit && <span className="unit">{t(parameter.unit)}</span>}
        </span>
      </div>
      {hasSlider && (
        <Slider
          label={t('{label}, slider', { label })}
          parameter={parameter}
          value={value}
          valueText={`${formatParameter(value)} ${parameter.unit && t(parameter.unit)}`}
          {...(stops && { stops })}
          isDisabled={isDisabled}
          onChange={onChange}
        />
      )}
      {help.lines}
    </div>
  )
}
