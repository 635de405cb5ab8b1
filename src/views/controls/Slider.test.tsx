// @vitest-environment happy-dom
import { fireEvent, render, screen } from '@testing-library/react'
import { useState } from 'react'
import { expect, it } from 'vitest'
import { numberParameters, sweepGrid } from '../../share/parameters.ts'
import { Slider } from './Slider.tsx'

it('is walked through its whole range by single steps, and stops at every stop', () => {
  const seen = [0]
  function Held() {
    const [value, setValue] = useState(0)
    return (
      <Slider
        label="λ"
        parameter={numberParameters.lambdaAlign}
        value={value}
        valueText={String(value)}
        stops={sweepGrid}
        onChange={(next) => {
          seen.push(next)
          setValue(next)
        }}
      />
    )
  }
  render(<Held />)
  const slider = screen.getByRole('slider', { name: 'λ' }) as HTMLInputElement
  for (let step = 0; step < 400 && seen.at(-1) !== 1024; step++)
    fireEvent.change(slider, { target: { value: String(Number(slider.value) + 1) } })
  expect(seen).toEqual([...seen].sort((a, b) => a - b))
  expect(new Set(seen).size).toBe(seen.length)
  for (const stop of sweepGrid) expect(seen).toContain(stop)
})
