import { describe, expect, it } from 'vitest'
import { selectSweep } from '../../state/selectors.ts'
import { mergePart } from '../../state/slices/runs.ts'
import { fakeGeometry, fakeParts } from '../../state/testing/fakeData.ts'
import { placeholderExperiment } from '../app/placeholderExperiment.ts'
import { clustersAt } from '../clusters/interpolateClusters.ts'
import { type SweepInput, sweepPanelsOf } from './sweepPanelsOf.ts'

const experiment = placeholderExperiment

function measured(lambdas: readonly number[]) {
  const parts = lambdas.flatMap((lambdaAlign) =>
    (['aqi', 'behaviour', 'drift'] as const).flatMap((part) =>
      fakeParts(experiment, { kind: 'merge', lambdaAlign }, part),
    ),
  )
  return selectSweep(
    parts.reduce((all, part) => mergePart(all, part), {}),
    experiment,
  )
}

function input(lambdas: readonly number[], hasGeometry = true): SweepInput {
  return {
    weights: [0.5, 0.5],
    rank: experiment.rank,
    geometry: hasGeometry ? fakeGeometry(experiment) : undefined,
    sweep: measured(lambdas),
    skills: ['sort', 'reverse'],
    baseline: undefined,
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
      baseline: { label: 'Fisher soup', measurement: point?.measurement },
    })
    expect(panels[0]?.references.map((reference) => reference.label)).toEqual(['anchor', 'Fisher soup: AQI'])
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
