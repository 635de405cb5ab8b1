import type { CSSProperties } from 'react'
import type { NumberParameter } from '../../share/parameters.ts'
import { positionOf, snapToStops, valueAt } from '../../share/scale.ts'

/** Steps of a slider on a logarithmic scale. */
export const scaleSteps = 240
/** How near a stop must be to catch the thumb: less than half a step, or arrow keys could never leave it. */
export const snapReach = 0.48 / scaleSteps

export interface SliderProps {
  label: string
  parameter: NumberParameter
  value: number
  valueText: string
  stops?: readonly number[]
  isDisabled?: boolean
  onChange: (value: number) => void
}

/** A range input on the parameter's own scale. */
export function Slider({ label, parameter, value, valueText, stops, isDisabled, onChange }: SliderProps) {
  const isLinear = parameter.scale.kind === 'linear'
  const position = positionOf(parameter, value)
  const style = { '--fill': `${100 * position}%` } as CSSProperties
  return (
    <input
      type="range"
      aria-label={label}
      aria-valuetext={valueText}
      style={style}
      disabled={isDisabled}
      min={isLinear ? parameter.min : 0}
      max={isLinear ? parameter.max : scaleSteps}
      step={isLinear ? parameter.step : 1}
      value={isLinear ? value : Math.round(position * scaleSteps)}
      onChange={(event) => {
        const raw = event.target.valueAsNumber
        if (isLinear) return onChange(raw)
        const place = raw / scaleSteps
        onChange(stops ? snapToStops(parameter, place, stops, snapReach) : valueAt(parameter, place))
      }}
    />
  )
}
