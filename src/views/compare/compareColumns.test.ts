import { describe, expect, it } from 'vitest'
import type { Budget, Estimate } from '../../../workers/api.ts'
import type { Measurement } from '../../state/slices/runs.ts'
import { fakeLabeller } from '../../state/testing/fakeData.ts'
import {
  type CompareColumn,
  compareColumns,
  countViolations,
  numberOf,
  paretoFront,
  sortRows,
} from './compareColumns.ts'

const share = (value: number): Estimate => ({ value, low: value - 0.1, high: value + 0.1, count: 64 })

function measurement(change: Partial<Measurement> = {}): Measurement {
  return {
    ...{ key: 'k', subject: { kind: 'merge', lambdaAlign: 0 }, complete: [], drift: null },
    ...{ aqi: {}, budget: {}, clusters: {}, behaviour: {}, labels: {} },
    ...change,
  }
}
const row = (id: string, refusal?: Estimate) => ({
  id,
  measurement: refusal && measurement({ behaviour: { refusal } }),
})
const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id).join('')
const labeller = fakeLabeller({ kind: 'built-in' })
const columns = compareColumns('completions', ['sort'], labeller)
const column = (id: string) => columns.find((candidate) => candidate.id === id)!

describe('sortRows', () => {
  const rows = [
    row('a', share(0.5)),
    row('b'),
    row('c', share(0.9)),
    row('d', { unavailable: 'why' }),
    row('e', share(0.5)),
  ]

  it('puts the best first: the highest, or the lowest where low is better', () => {
    expect(ids(sortRows(rows, column('refusal'), true))).toBe('caebd')
    expect(ids(sortRows(rows, { ...column('refusal'), better: 'low' }, true))).toBe('aecbd')
  })
  it('puts the worst first when turned, and rows without a number last all the same', () => {
    expect(ids(sortRows(rows, column('refusal'), false))).toBe('aecbd')
    expect(ids(sortRows(rows, { ...column('refusal'), better: 'low' }, false))).toBe('caebd')
  })
  it('leaves the order without a column, and its argument in any case', () => {
    const before = ids(rows)
    expect(ids(sortRows(rows, undefined, true))).toBe(before)
    sortRows(rows, column('refusal'), true)
    expect(ids(rows)).toBe(before)
  })
})

describe('paretoFront', () => {
  const front = (points: [number, number][]) => paretoFront(points.map(([x, y]) => ({ x, y })))
  it('holds what no other beats in one without losing in the other', () => {
    expect(
      front([
        [0, 1],
        [1, 0],
        [0.5, 0.5],
        [0.4, 0.4],
        [0.9, 0],
      ]),
    ).toEqual([0, 1, 2])
  })
  it('keeps equals together, and drops what an equal in one beats in the other', () => {
    expect(
      front([
        [0.5, 0.5],
        [0.5, 0.5],
        [0.5, 0.4],
        [0.4, 0.5],
      ]),
    ).toEqual([0, 1])
  })
  it('of one point is that point, of none nothing', () => {
    expect(front([[0.1, 0.1]])).toEqual([0])
    expect(front([])).toEqual([])
  })
})

describe('countViolations', () => {
  const budget = (isViolated: boolean): Budget => ({
    threshold: 1,
    isViolated,
    violation: isViolated ? 0.5 : 0,
  })
  it('counts broken budgets of the view among those that were measured', () => {
    const rows = [
      { measurement: measurement({ budget: { completions: budget(true), prompts: budget(false) } }) },
      { measurement: measurement({ budget: { completions: budget(false) } }) },
      { measurement: measurement({ budget: { prompts: budget(true) } }) },
      { measurement: undefined },
    ]
    expect(countViolations(rows, 'completions')).toEqual({ violated: 1, measured: 2 })
    expect(countViolations(rows, 'prompts')).toEqual({ violated: 1, measured: 2 })
    expect(countViolations(rows, 'answers')).toEqual({ violated: 0, measured: 0 })
  })
})

describe('compareColumns', () => {
  it('have ids of their own, and groups that stand together', () => {
    expect(new Set(columns.map(({ id }) => id)).size).toBe(columns.length)
    const groups = columns.map(({ group }) => group)
    const runs = groups.filter((group, i) => group !== groups[i - 1])
    expect(new Set(runs).size).toBe(runs.length)
  })

  it('read what they are called after', () => {
    const distinct = Object.fromEntries(
      ['refusal', 'compliance', 'attackRefusal', 'overRefusal', 'gibberish', 'answerLoss'].map((id, i) => [
        id,
        share(i / 10),
      ]),
    )
    const full = measurement({
      behaviour: { ...distinct, skills: { sort: share(0.71), reverse: share(0.31), fact: share(0.81) } },
      aqi: {
        completions: { normalised: share(41), logSeparation: share(1), perClass: [64, 64] },
        prompts: { normalised: share(51), logSeparation: share(1), perClass: [64, 64] },
      },
      labels: {
        [labeller.digest]: { labeller: labeller.digest, toxicity: share(0.11), judge: share(0.91) },
        other: { labeller: 'other', toxicity: share(0.99), judge: share(0.99) },
      },
      drift: { own: 1, heldOut: 2, otherSource: 3, total: 4, byLayer: [] },
    })
    const values = (list: readonly CompareColumn[]) =>
      Object.fromEntries(list.map((one) => [one.id, Number(numberOf(one, full)?.toFixed(6))]))
    expect(values(columns)).toEqual({
      ...{
        refusal: 0,
        compliance: 0.1,
        attackRefusal: 0.2,
        overRefusal: 0.3,
        gibberish: 0.4,
        answerLoss: 0.5,
      },
      ...{ skill: 0.71, helpful: Number(((0.71 + 0.31 + 0.7) / 3).toFixed(6)), honest: 0.81, harmless: 0.1 },
      ...{ aqi: 41, drift: 2, toxicity: 0.11, judge: 0.91 },
    })
    expect(values(compareColumns('prompts', undefined, null))).toMatchObject({ aqi: 51, skill: 0.51 })
  })

  it('of a labeller are those it gives, and only its own scores', () => {
    const rules = fakeLabeller({ kind: 'rules', files: [new File([], 'mine.json')] })
    const own = compareColumns('prompts', undefined, rules).filter(
      ({ group }) => group === 'Labeller: mine.json',
    )
    expect(own.map(({ id, better }) => `${id} ${better}`)).toEqual(['toxicity low'])
    const shipped = { labeller: labeller.digest, toxicity: share(0.5) }
    expect(numberOf(own[0]!, measurement({ labels: { [labeller.digest]: shipped } }))).toBeUndefined()
    const mine = { ...shipped, labeller: rules.digest }
    expect(numberOf(own[0]!, measurement({ labels: { [rules.digest]: mine } }))).toBe(0.5)
    const without = compareColumns('prompts', undefined, null)
    expect(without.map(({ id }) => id)).not.toContain('toxicity')
  })

  it('have no number where nothing is measured', () => {
    for (const one of columns) {
      expect(numberOf(one, undefined)).toBeUndefined()
      expect(numberOf(one, measurement()), one.id).toBeUndefined()
    }
  })
})
