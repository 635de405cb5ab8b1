import { describe, expect, it } from 'vitest'
import type { Experiment } from '../../../workers/api.ts'
import type { SweepSpec } from '../../share/sweeps/spec.ts'
import { testExperiment } from '../../share/sweeps/testExperiment.ts'
import { currentMerge, labelTask, measureTask } from '../plan.ts'
import { fakeModels } from '../testing/fakeData.ts'
import { describeTask } from './describeTask.ts'
import { selectSheet } from './selectors.ts'

const experiment = testExperiment()
const line = (parameter: string, from: number, to: number, count: number): SweepSpec => ({
  kind: 'line',
  x: { parameter, from, to, count },
})

/** What is said of a merge's behaviour while a sweep is on the page. */
function said(spec: SweepSpec, asked: Experiment, recipe = experiment): string {
  const shown = { experiment: recipe, sheet: selectSheet(spec, recipe) }
  return describeTask(fakeModels, measureTask(asked, currentMerge(asked), 'behaviour'), shown)
}

/** The same of a point of the sweep itself. */
const saidAt = (spec: SweepSpec, index: number, recipe = experiment) =>
  said(spec, selectSheet(spec, recipe).points[index]!.experiment, recipe)

describe('a point of a sweep is called by what is swept', () => {
  const three = testExperiment({ weights: [0.5, 0.3, 0.2] })
  const ties = { ...experiment, method: 'ties' }
  it.each<[string, SweepSpec, number, Experiment, string]>([
    ['λ_align', line('lambdaAlign', 0, 1024, 10), 1, experiment, 'the merge at λ_align 0.25'],
    ['the rank', line('rank', 2, 10, 3), 1, experiment, 'the merge at m 6'],
    ['a weight', line('weight.0', 0, 1, 5), 1, experiment, 'the merge at λ₁ 0.25'],
    [
      'the damping, whose ρ is also the antidote’s',
      line('damping', 1e-4, 100, 7),
      0,
      experiment,
      'the merge at Damping 0.0001',
    ],
    ['the antidote', line('antidote', 0, 10, 6), 1, experiment, 'AlignMerge at Antidote 2'],
    ['the budget’s weight', line('own.lambda_bud', 0, 1024, 3), 0, experiment, 'the merge at λ_bud 0'],
    ['three weights', { kind: 'weights', steps: 4 }, 1, three, 'the merge at λ₁ 0.75, λ₂ 0.25, λ₃ 0'],
    ['another method’s number', line('own.density', 0.2, 1, 5), 0, ties, 'TIES at p 0.2'],
    [
      'AlignMerge’s curve behind another method',
      line('lambdaAlign', 0, 1024, 10),
      1,
      ties,
      'the merge at λ_align 0.25',
    ],
  ])('%s', (_what, spec, index, recipe, words) => {
    expect(saidAt(spec, index, recipe)).toBe(`Behaviour of ${words}`)
  })

  it('both parameters of a map', () => {
    const grid: SweepSpec = {
      kind: 'grid',
      x: { parameter: 'lambdaAlign', from: 0, to: 1024, count: 3 },
      y: { parameter: 'rank', from: 1, to: 16, count: 2 },
    }
    expect(saidAt(grid, 5)).toBe('Behaviour of the merge at λ_align 1024, m 16')
  })
})

describe('what is no point of the sweep', () => {
  const spec = line('rank', 2, 8, 3)
  it('the recipe’s own merge and the average keep their λ_align', () => {
    // The recipe stands on the sweep here, at m 8.
    expect(said(spec, experiment)).toBe('Behaviour of the merge at λ_align 4')
    expect(said(spec, { ...experiment, lambdaAlign: 0 })).toBe('Behaviour of the merge at λ_align 0')
  })

  it('whole models, other methods, labels and the geometry', () => {
    const anchor = { kind: 'model', id: 'built-in:anchor' } as const
    expect(describeTask(fakeModels, measureTask(experiment, anchor, 'aqi'))).toBe(
      'AQI of Anchor (aligned instruct)',
    )
    expect(said(spec, { ...experiment, method: 'ties' })).toBe('Behaviour of TIES')
    expect(describeTask(fakeModels, labelTask(experiment, anchor, 'digest'))).toMatch(/^Labels of Anchor/)
    expect(describeTask(fakeModels, { kind: 'prepare', id: 'x/prepare', experiment })).toBe(
      'Fisher information and alignment directions',
    )
  })
})
