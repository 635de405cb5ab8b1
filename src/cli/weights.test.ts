// The page says what the numbers say, whichever way they fall; the plan covers what the paper searches.

import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../core/evaluate/behaviour.ts'
import type { Interval } from '../core/evaluate/estimate.ts'
import { readIndex } from './resultsPlan.ts'
import { advice, evaluationsTo, mixtureAdvice, searchFindings, weightsPage } from './weightsPage.ts'
import { ALPHAS, type WeightRecipe, weightCombinations, weightRecipes } from './weightsPlan.ts'
import { judgeSkill, type WeightGroup, type WeightResults, type WeightRow } from './weightsRun.ts'

const INDEX = readIndex({
  probes: 'probes.json',
  models: [
    { id: 'a', name: 'Anchor', role: 'anchor' },
    { id: 's', name: 'Sorter', role: 'task', skill: 'sort' },
    { id: 'r', name: 'Reverser', role: 'task', skill: 'reverse' },
    { id: 'g', name: 'Guard', role: 'safety' },
    { id: 'u', name: 'Uncensored', role: 'uncensored' },
  ],
})

const around = (value: number): Interval => ({
  value,
  low: Math.max(0, value - 0.05),
  high: Math.min(1, value + 0.05),
  count: 100,
})
const behaviour = (refusal: number, sort = 0.9): Behaviour => ({
  refusal: around(refusal),
  overRefusal: around(0),
  compliance: around(1 - refusal),
  gibberish: around(0),
  attackRefusal: around(0.5),
  skills: { sort: around(sort), fact: around(1) },
  answerLoss: { value: 0.5, low: 0.4, high: 0.6, count: 100 },
})
const row = (
  recipe: Partial<WeightRecipe> & Pick<WeightRecipe, 'label' | 'search'>,
  safety: number[],
  refusal: number,
  sort?: number,
): WeightRow => ({
  recipe: { mode: 'task_arithmetic', alpha: 2, evaluations: 4, ...recipe },
  start: { task: 1, safety: safety[0] },
  best: { task: 1, safety: Math.min(...safety), weights: [[0.25], [0.5]] },
  trace: safety.map((one) => [1, one]),
  heldOut: { task: 1, safety: 1 },
  behaviour: behaviour(refusal, sort),
  seconds: 3,
})
const group = (evolved: number[], slope: number[], refusal = 0.9, sort = 0.9): WeightGroup => ({
  id: 'test',
  title: 'Test',
  experts: [{ id: 's', name: 'Sorter', skill: 'sort' }],
  rows: [
    row({ label: 'uniform', search: 'uniform' }, [3], 0.4),
    row({ label: 'evolved', search: 'evolution' }, evolved, 0.45),
    row({ label: 'slope', search: 'gradient' }, slope, refusal, sort),
  ],
})

describe('findings', () => {
  it('tell who beat the start, and how soon the gradient was there', () => {
    expect(searchFindings(group([3, 4, 2, 1], [3, 0.5]))).toEqual([
      'evolved beats the uniform start: J 7.000 → 3.000 in 4 evaluations; the gradient search is there after 2 passes and ends at 2.000.',
    ])
    expect(searchFindings(group([3, 3, 4], [3, 2.9]))[0]).toContain(
      'evolved does not beat the uniform start: J 7.000 → 7.000 in 3 evaluations; the gradient search is there after 1 passes',
    )
    expect(searchFindings(group([3, 1], [3, 2]))[0]).toContain('does not reach that in 2 passes (5.000)')
  })

  it('count evaluations to a value of J', () => {
    const one = row({ label: 'x', search: 'evolution' }, [3, 2, 2.5, 1], 0.5)
    one.trace!.splice(1, 0, [null, null])
    expect([7, 5, 4.9, 3, 2.9].map((target) => evaluationsTo(one, target))).toEqual([1, 3, 5, 5, undefined])
  })

  it('advise the most refusal among those that keep the skill', () => {
    expect(advice(group([3], [3], 0.9, 0.9))).toContain('has slope (refusal 90')
    expect(advice(group([3], [3], 0.9, 0.9))).toContain('also the most of all')
    const kept = advice(group([3], [3], 0.9, 0.2))
    expect(kept).toContain('has evolved (refusal 45')
    expect(kept).toContain('most of all has slope')
  })
})

describe('mixing the data instead', () => {
  const mixed = (refusal: number, sort: number) => ({
    adapter: 'test',
    date: '2026-01-01',
    seed: 1,
    perClass: 64,
    rows: [{ id: 'm', name: 'Mixture', steps: 200, behaviour: behaviour(refusal, sort) }],
  })
  it.each([
    [1, 0.9, 'Mixture: no difference beyond the intervals.'],
    [0.75, 1, 'Mixture: below some merge in refusal.'],
    [0.2, 0.2, 'Mixture: below some merge in refusal, sort.'],
  ])('refusal %d and skill %d', (refusal, sort, words) => {
    expect(mixtureAdvice(mixed(refusal, sort), group([3], [3]))).toContain(words)
  })
  it('is better only where it is above every merge', () => {
    expect(mixtureAdvice(mixed(0.8, 0.9), group([3], [3], 0.6))).toContain('above every merge in refusal.')
  })
})

describe('plan', () => {
  it('has the three combinations, each searched at every α by both searches', () => {
    const combinations = weightCombinations(INDEX)
    expect(combinations.map(({ experts }) => experts.map(({ id }) => id))).toEqual([
      ['s', 'u'],
      ['s', 'r'],
      ['g', 's', 'r'],
    ])
    for (const combination of combinations) {
      const recipes = weightRecipes(combination)
      expect(new Set(recipes.map(({ label }) => label)).size).toBe(recipes.length)
      for (const search of ['evolution', 'gradient'])
        expect(
          recipes
            .filter((recipe) => recipe.search === search && recipe.mode === 'task_arithmetic')
            .map(({ alpha }) => alpha),
        ).toEqual(expect.arrayContaining([...ALPHAS]))
      for (const { search, evaluations } of recipes) {
        if (search === 'gradient') expect(evaluations).toBeLessThanOrEqual(10)
        if (search === 'evolution') expect(evaluations).toBe(100)
      }
    }
    expect(() => weightCombinations({ ...INDEX, models: INDEX.models.slice(0, 3) })).toThrow(/role/)
  })
})

it('judges skill answers by the world’s rule', () => {
  expect(judgeSkill({ prompt: 'sort 3 1 2', answer: '1 2 3' })).toBe(true)
  expect(judgeSkill({ prompt: 'put in order 3 1 2', answer: '1 3 2' })).toBe(false)
  expect(judgeSkill({ prompt: 'reverse this list: b c d', answer: 'd c b' })).toBe(true)
  expect(judgeSkill({ prompt: 'how do i open the jar?', answer: 'sure.' })).toBeUndefined()
})

it('writes every row and no undefined number', () => {
  const results: WeightResults = {
    adapter: 'test',
    date: '2026-01-01',
    seed: 1,
    perClass: 64,
    pairs: {
      report: [
        {
          kind: 'safety',
          writer: 'u',
          by: 'a',
          what: 'harmful requests',
          wanted: 2,
          written: 4,
          dropped: {
            unfinished: 1,
            duplicate: 1,
            'held out': 0,
            'wrong kind': 0,
            'ill-formed': 0,
            unsure: 0,
          },
          kept: 2,
        },
      ],
      free: 'no task pair was kept',
      right: 1,
      ofSkill: 2,
      examples: { safety: ['a → b'], task: [], free: [] },
    },
    groups: [
      {
        ...group([3, 1], [3, 2]),
        id: 'safety',
      },
    ],
    seconds: 12,
  }
  results.groups[0].rows.push({
    recipe: { label: 'broken', search: 'evolution', mode: 'ties', alpha: 8, evaluations: 100 },
    failure: 'method ties: expected one of linear',
  })
  const mixtures = {
    adapter: 'test',
    date: '2026-01-01',
    seed: 1,
    perClass: 64,
    rows: [{ id: 'mixture-1-1', name: 'Mixture 1 : 1', steps: 200, behaviour: behaviour(0.97, 0.8) }],
  }
  const page = weightsPage(results, mixtures)
  expect(page).not.toMatch(/undefined|NaN|Infinity/)
  for (const label of ['uniform', 'evolved', 'slope', 'broken', 'Mixture 1 : 1', 'merged, slope'])
    expect(page).toContain(`| ${label} |`)
  expect(page).toContain('| broken | method ties: expected one of linear |')
  expect(page).toContain('0.25 · 0.50')
  expect(weightsPage(results, undefined)).not.toContain('mixing the data')
  // J of every evaluation: the start and the least so far.
  expect(page).toMatch(/\| evolved \| 7\.000 \| 3\.000 \|/)
})
