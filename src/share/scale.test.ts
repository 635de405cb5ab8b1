import { describe, expect, it } from 'vitest'
import { numberParameters, sweepGrid } from './parameters.ts'
import { positionOf, snapToStops, valueAt } from './scale.ts'

describe('scale', () => {
  it('maps the ends of every parameter to 0 and 1 and back', () => {
    for (const parameter of Object.values(numberParameters)) {
      expect(positionOf(parameter, parameter.min)).toBe(0)
      expect(positionOf(parameter, parameter.max)).toBe(1)
      expect(valueAt(parameter, 0)).toBe(parameter.min)
      expect(valueAt(parameter, 1)).toBe(parameter.max)
    }
  })

  it('returns every sweep point to itself', () => {
    for (const lambda of sweepGrid)
      expect(valueAt(numberParameters.lambdaAlign, positionOf(numberParameters.lambdaAlign, lambda))).toBe(
        lambda,
      )
  })

  it('snaps near stops and only there', () => {
    const range = numberParameters.lambdaAlign
    expect(snapToStops(range, positionOf(range, 16) + 0.004, sweepGrid, 0.006)).toBe(16)
    expect(snapToStops(range, positionOf(range, 16) + 0.02, sweepGrid, 0.006)).not.toBe(16)
  })
})
