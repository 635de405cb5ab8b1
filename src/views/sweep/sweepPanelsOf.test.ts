import { describe, expect, it } from 'vitest'
import { findSweepParameter } from '../../share/sweeps/parameters.ts'
import { sweepSheet } from '../../share/sweeps/points.ts'
import { axisFor, defaultSweep, type SweepSpec } from '../../share/sweeps/spec.ts'
import { selectSweep } from '../../state/selectors.ts'
import { mergePart } from '../../state/slices/runs.ts'
import { fakeGeometry, fakeParts } from '../../state/testing/fakeData.ts'
import { placeholderExperiment } from '../app/placeholderExperiment.ts'
import { clustersAt } from '../clusters/interpolateClusters.ts'
import { lineOf, linePoints } from './sweepLine.ts'
import { type SweepInput, sweepPanelsOf } from './sweepPanelsOf.ts'

const experiment = placeholderExperiment

function measurementsAt(lambdas: readonly number[]) {
  const parts = lambdas.flatMap((lambdaAlign) =>
    (['aqi', 'behaviour', 'drift'] as const).flatMap((part) =>
      fakeParts(experiment, { kind: 'merge', lambdaAlign }, part),
    ),
  )
  return parts.reduce((all, part) => mergePart(all, part), {})
}

const measured = (lambdas: readonly number[]) => selectSweep(measurementsAt(lambdas), experiment)

const sheet = sweepSheet(defaultSweep, experiment)
const line = lineOf(sheet)!

function input(lambdas: readonly number[], hasGeometry = true): SweepInput {
  return {
    line,
    geometry: hasGeometry ? fakeGeometry(experiment) : undefined,
    points: linePoints(line, sheet, measurementsAt(lambdas), experiment),
    skills: ['sort', 'reverse'],
    across: [],
    pins: [],
    view: 'completions',
  }
}

const countOf = (panels: ReturnType<typeof sweepPanelsOf>, id: string) =>
  panels.flatMap((panel) => panel.series).find((series) => series.id === id)?.values.length

describe('sweep panels', () => {
  it('have frames and no points before anything is known', () => {
    const panels = sweepPanelsOf(input([], false))
    expect(panels.map((panel) => panel.id)).toEqual(['aqi', 'behaviour', 'skills', 'drift'])
    for (const panel of panels) {
      expect(panel.domain[1]).toBeGreaterThan(panel.domain[0])
      for (const series of panel.series) expect(series.values).toEqual([])
    }
  })

  it('have the drift curve and its start as soon as there is a geometry', () => {
    const panels = sweepPanelsOf(input([]))
    expect(countOf(panels, 'own')).toBeGreaterThan(50)
    expect(countOf(panels, 'heldOut')).toBe(1)
    expect(countOf(panels, 'aqi')).toBe(0)
  })

  it('have exactly the measured points', () => {
    const panels = sweepPanelsOf(input([0, 4, 64]))
    for (const id of ['aqi', 'refusal', 'sort', 'heldOut', 'otherSource']) expect(countOf(panels, id)).toBe(3)
    for (const { series, domain } of panels) {
      for (const { low, value, high } of series.flatMap((one) => one.values)) {
        expect(low).toBeLessThanOrEqual(value)
        expect(value).toBeLessThanOrEqual(high)
        expect(high).toBeLessThanOrEqual(domain[1])
        expect(low).toBeGreaterThanOrEqual(domain[0])
      }
    }
  })

  it('draw a method without λ as lines across', () => {
    const [point] = measured([0])
    const panels = sweepPanelsOf({
      ...input([0]),
      across: [{ label: 'Fisher soup', measurement: point?.measurement }],
    })
    expect(panels[0]?.references.map((reference) => reference.label)).toEqual(['anchor', 'Fisher soup: AQI'])
  })
})

describe('panels of a pinned run', () => {
  const [point] = measured([4])
  const marksOf = (isElsewhere: boolean) =>
    sweepPanelsOf({
      ...input([0, 4, 64]),
      pins: [{ slot: 'a', position: 0.4, isElsewhere, measurement: point?.measurement }],
    }).flatMap((panel) => panel.series.flatMap(({ id, marks }) => marks.map((mark) => ({ id, ...mark }))))

  it('mark its own values where it is no point of the line, with their intervals', () => {
    const marks = marksOf(true)
    expect(marks.map(({ id }) => id)).toContain('refusal')
    const refusal = marks.find(({ id }) => id === 'refusal')!
    expect(refusal).toMatchObject({ slot: 'a', position: 0.4 })
    const own = point!.measurement.behaviour.refusal!
    expect(own).toMatchObject({ value: refusal.value, low: refusal.low, high: refusal.high })
  })

  it('leave it to the line where it is one', () => {
    expect(marksOf(false)).toEqual([])
  })
})

describe('a line over another parameter', () => {
  const over = (id: string): SweepSpec => ({ kind: 'line', x: axisFor(findSweepParameter(experiment, id)!) })
  const measuredOn = (spec: SweepSpec, count: number) => {
    const other = sweepSheet(spec, experiment)
    const parts = other.points
      .slice(0, count)
      .flatMap(({ experiment: at }) =>
        (['aqi', 'behaviour', 'drift'] as const).flatMap((part) =>
          fakeParts(at, { kind: 'merge', lambdaAlign: at.lambdaAlign }, part),
        ),
      )
    const measurements = parts.reduce((all, part) => mergePart(all, part), {})
    const own = lineOf(other)!
    return { ...input([]), line: own, points: linePoints(own, other, measurements, experiment) }
  }

  it('has its own measured points and the exact curve of the rank', () => {
    const panels = sweepPanelsOf(measuredOn(over('rank'), 3))
    expect(countOf(panels, 'refusal')).toBe(3)
    // One value for each whole rank, 1 … 16.
    expect(countOf(panels, 'own')).toBe(16)
  })

  it('has no exact curve where every point has a geometry of its own', () => {
    const panels = sweepPanelsOf(measuredOn(over('damping'), 3))
    const own = panels.flatMap((panel) => panel.series).find(({ id }) => id === 'own')!
    expect(own.isExact).toBe(false)
    expect(own.values).toHaveLength(3)
    expect(panels.at(-1)!.domain[1]).toBeGreaterThanOrEqual(Math.max(...own.values.map(({ value }) => value)))
  })
})

describe('clusters while λ moves', () => {
  it('are the measured ones where there are any', () => {
    const sweep = measured([0, 4])
    expect(clustersAt(sweep, 4, 'prompts')).toEqual({
      kind: 'measured',
      points: sweep[1]?.measurement.clusters.prompts,
    })
  })

  it('lie between measured neighbours, and nowhere else', () => {
    const sweep = measured([0, 4])
    const shown = clustersAt(sweep, 1, 'prompts')
    if (shown.kind !== 'between') throw new Error(shown.kind)
    expect([shown.low, shown.high]).toEqual([0, 4])
    const [below, above] = sweep.map((point) => point.measurement.clusters.prompts!.safe[0]!)
    const x = shown.points.safe[0]!
    expect((x - below!) * (x - above!)).toBeLessThanOrEqual(0)
    expect(clustersAt(sweep, 8, 'prompts').kind).toBe('none')
    expect(clustersAt([], 1, 'prompts').kind).toBe('none')
  })

  it('are not made up where answers change sides', () => {
    expect(clustersAt(measured([0, 4]), 1, 'answers').kind).toBe('none')
  })
})
