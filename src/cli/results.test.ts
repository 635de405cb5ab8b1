// Findings say what the numbers say, whichever way they fall; the page holds every row.

import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../core/evaluate/behaviour.ts'
import type { Interval } from '../core/evaluate/estimate.ts'
import { readArguments } from './results.ts'
import { findings } from './resultsFindings.ts'
import { compare, scientific, share, table } from './resultsFormat.ts'
import { resultsPage } from './resultsPage.ts'
import { ablation, defaultSetup, mainCombinations, readIndex } from './resultsPlan.ts'
import type { ResultGroup, ResultRow, Results } from './resultsRun.ts'

const around = (value: number, half = 0.05): Interval => ({
  value,
  low: Math.max(0, value - half),
  high: Math.min(1, value + half),
  count: 100,
})
const behaviour = (refusal: number, sort = 0.9): Behaviour => ({
  refusal: around(refusal),
  overRefusal: around(0),
  compliance: around(1 - refusal),
  gibberish: around(0),
  attackRefusal: around(refusal),
  skills: { sort: around(sort) },
  answerLoss: { value: 0.5, low: 0.4, high: 0.6, count: 100 },
})
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
const setup = defaultSetup(INDEX, INDEX.models.slice(1, 2), 1)
const anchor: ResultRow = { label: 'Anchor', behaviour: behaviour(1) }
const drift = (own: number) => ({ own, heldOut: own, otherSource: own, total: 1, byLayer: [] })
const group = (refusal: number, sort: number): ResultGroup => ({
  title: 'Test',
  experts: [{ name: 'Sorter', skill: 'sort' }],
  rows: [
    { label: 'Plain average', setup: { ...setup, method: 'linear' }, behaviour: behaviour(0.4) },
    {
      label: 'weak',
      setup: { ...setup, lambdaAlign: 1 },
      behaviour: behaviour(0.4),
      drift: drift(0.5),
    },
    {
      label: 'strong',
      setup: { ...setup, lambdaAlign: 1024 },
      behaviour: behaviour(refusal, sort),
      drift: drift(0.001),
    },
  ],
})

describe('findings', () => {
  it.each([
    [0.9, 0.9, 'strong holds refusal better without a measurable loss of skill'],
    [0.9, 0.5, 'strong buys refusal with sort'],
    [0.45, 0.9, 'strong does not help refusal measurably'],
    [0.1, 0.9, 'strong makes refusal worse'],
  ])('refusal %d and skill %d against 0.4 and 0.9: %s', (refusal, sort, words) => {
    const lines = findings(group(refusal, sort), anchor).join('\n')
    expect(lines).toContain(words)
    expect(lines).toContain(`against ${share(around(0.4))} %`)
    expect(lines).toContain('own drift falls by a factor of 5.0e+2')
  })

  it('calls touching intervals no difference', () => {
    expect(compare(around(0.5), around(0.6))).toBe('same')
    expect(compare(around(0.5), around(0.61))).toBe('lower')
    expect(compare(around(0.61), around(0.5))).toBe('higher')
    expect(compare(around(0.5), { unavailable: 'none' })).toBe('unknown')
    expect(findings(group(0.45, 0.9), anchor)[1]).toMatch(/refusal: no difference beyond the intervals/)
  })
})

describe('plan', () => {
  it('finds models by role and covers every combination', () => {
    const combinations = mainCombinations(INDEX, 1)
    expect(combinations.map(({ experts }) => experts.map(({ id }) => id))).toEqual([
      ['s', 'r'],
      ['g', 's', 'r'],
      ['s', 'u'],
    ])
    for (const { recipes } of [...combinations, ablation(INDEX, 1)]) {
      expect(new Set(recipes.map((recipe) => JSON.stringify(recipe.setup))).size).toBe(recipes.length)
      for (const recipe of recipes)
        expect(recipe.setup.experts.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12)
    }
    expect(() => mainCombinations({ ...INDEX, models: INDEX.models.slice(0, 2) }, 1)).toThrow(/role task/)
    expect(() => readIndex({ models: [] })).toThrow(/index.json/)
  })
})

describe('page', () => {
  it('holds every row and writes no undefined number', () => {
    const results: Results = {
      adapter: 'test',
      date: '2026-01-01',
      seed: 1,
      perClass: 64,
      available: { harmful: 240, sort: 10 },
      defaults: setup,
      reference: { title: 'Models alone', experts: [], rows: [anchor] },
      combinations: [group(0.9, 0.9)],
      ablation: { ...group(0.9, 0.9), title: 'Ablation' },
      seconds: 12,
    }
    const page = resultsPage(results)
    for (const label of ['Anchor', 'Plain average', 'weak', 'strong']) expect(page).toContain(`| ${label} |`)
    expect(page).toContain('harmful 64, sort 10')
    expect(page).not.toMatch(/undefined|NaN/)
    const widths = page.split('\n').filter((line) => line.startsWith('|'))
    expect(widths.every((line) => line.endsWith('|'))).toBe(true)
  })

  it('formats numbers and cells', () => {
    expect(share({ unavailable: 'none' })).toBe('–')
    expect(share(around(0.5))).toBe('50 (45–55)')
    expect([0, 0.0123456, 1.5e-7, 123456].map(scientific)).toEqual(['0', '0.0123', '1.50e-7', '1.23e+5'])
    expect(table(['a', 'b'], [['x|y', '1']])).toBe('| a | b |\n| --- | ---: |\n| x\\|y | 1 |')
  })
})

describe('arguments', () => {
  it('reads all, refuses the rest', () => {
    expect(readArguments([])).toEqual({
      zoo: 'public/zoo',
      out: 'docs/results.md',
      seed: 1,
      perClass: 240,
      isRender: false,
    })
    expect(readArguments(['--quick', '--seed', '7', '--out', 'x.md', '--zoo', 'z'])).toEqual({
      zoo: 'z',
      out: 'x.md',
      seed: 7,
      perClass: 64,
      isRender: false,
    })
    expect(readArguments(['--render'])?.isRender).toBe(true)
    for (const wrong of [['--seed', 'x'], ['--out', 'x.txt'], ['--what', '1'], ['--zoo']])
      expect(readArguments(wrong)).toBeUndefined()
  })
})
