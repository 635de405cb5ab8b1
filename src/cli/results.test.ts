// Findings say what the numbers say, whichever way they fall; the page holds every row; a stopped run goes on.

import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../core/evaluate/behaviour.ts'
import type { Interval } from '../core/evaluate/estimate.ts'
import { RowCache } from './resultsCache.ts'
import { ablationFindings, claims, findings } from './resultsFindings.ts'
import { compare, scientific, share, table } from './resultsFormat.ts'
import { resultsPage } from './resultsPage.ts'
import { ablationRecipes, combinations, defaultSetup, methodRecipes, readIndex } from './resultsPlan.ts'
import type { ResultGroup, ResultRow, Results } from './resultsRun.ts'
import { bySeeds, overSeeds, violations } from './resultsSeeds.ts'
import { targetTables } from './resultsTargets.ts'

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
  skills: { sort: around(sort), fact: around(1) },
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
const drift = (heldOut: number) => ({ own: heldOut, heldOut, otherSource: heldOut, total: 1, byLayer: [] })
const aqi = (value: number) => {
  const estimate = { value, low: value - 2, high: value + 2, count: 100 }
  return { prompts: estimate, completions: estimate, answers: estimate }
}
const reference: ResultGroup = {
  id: 'alone',
  title: 'Models alone',
  experts: [],
  rows: [
    { label: 'Anchor', seed: 1, behaviour: behaviour(1), aqi: aqi(50) },
    { label: 'Sorter', seed: 1, behaviour: behaviour(0.3, 1), aqi: aqi(44) },
  ],
}
const merge = (label: string, seed: number, method: string, refusal: number, skill = 0.9): ResultRow => ({
  label,
  seed,
  setup: { ...setup, method, seed },
  behaviour: behaviour(refusal, skill),
  aqi: aqi(48),
  budget: { completions: { threshold: 1, isViolated: refusal < 0.5, violation: 0 } },
  drift: drift(1 - refusal),
})
const group = (refusal: number, skill: number, id = 'uncensored'): ResultGroup => ({
  id,
  title: 'Test',
  experts: [{ id: 's', name: 'Sorter', skill: 'sort' }],
  rows: [
    merge('Linear', 1, 'linear', 0.4),
    merge('AlignMerge', 1, 'alignmerge', refusal, skill),
    { label: 'Broken', seed: 1, setup: { ...setup, method: 'slerp' }, failure: 'needs exactly 1 expert' },
    merge('Linear', 2, 'linear', 0.42),
    merge('AlignMerge', 2, 'alignmerge', refusal, skill),
    { label: 'Broken', seed: 2, setup: { ...setup, method: 'slerp' }, failure: 'needs exactly 1 expert' },
  ],
})
const results = (refusal: number, skill: number): Results => ({
  adapter: 'test',
  date: '2026-01-01',
  seeds: [1, 2],
  perClass: 64,
  ablationPerClass: 64,
  available: { harmful: 240, sort: 10 },
  defaults: setup,
  reference,
  combinations: [group(refusal, skill), group(refusal, skill, 'tasks')],
  ablation: {
    ...group(0.9, 0.9),
    title: 'Ablation',
    rows: [
      { ...merge('defaults', 1, 'alignmerge', 0.9), knob: 'base', isBase: true },
      { ...merge('random', 1, 'alignmerge', 0.2), knob: 'control' },
      { ...merge('m 4', 1, 'alignmerge', 0.88), knob: 'rank' },
    ],
  },
  charts: [
    {
      combination: 'uncensored',
      label: 'Linear',
      points: [
        { t: 0.1, divergence: 0.01, curvature: 1 },
        { t: 1, divergence: 1.5, curvature: 1.5 },
      ],
      tokens: 10,
      fisherRatio: 1.25,
    },
  ],
  seconds: 12,
})

describe('seeds', () => {
  it('become a mean within the widest interval', () => {
    const [linear, , broken] = bySeeds(group(0.9, 0.9))
    expect(linear.rows.map(({ seed }) => seed)).toEqual([1, 2])
    const found = overSeeds(linear, (row) => row.behaviour?.refusal)
    expect(found).toMatchObject({ count: 200 })
    expect(found && 'value' in found && [found.value, found.low, found.high]).toEqual([
      expect.closeTo(0.41, 9),
      expect.closeTo(0.35, 9),
      expect.closeTo(0.47, 9),
    ])
    expect(overSeeds(broken, (row) => row.behaviour?.refusal)).toBeUndefined()
  })
  it('count violations with their denominator', () => {
    expect(violations(group(0.9, 0.9).rows, 'completions')).toEqual({ violated: 2, runs: 4 })
    expect(violations(group(0.9, 0.9).rows, 'prompts')).toEqual({ violated: 0, runs: 0 })
  })
})

describe('findings', () => {
  it.each([
    [0.9, 'refusal is higher: 90'],
    [0.41, 'refusal: no difference beyond the intervals'],
    [0.1, 'refusal is lower: 10'],
  ])('of refusal %d against 0.41', (refusal, words) => {
    expect(findings(group(refusal, 0.9), reference)[1]).toContain(words)
  })
  it('hold the claims against the numbers', () => {
    const good = claims(group(0.9, 0.9), reference).join('\n')
    expect(good).toContain("Refusal higher than the baselines': beyond the intervals against 1 of 1")
    expect(good).toContain("drift smaller than the baselines': against 1 of 1")
    expect(good).toContain('0 of 2 runs against 2 of 2')
    const bad = claims(group(0.3, 0.9), reference).join('\n')
    expect(bad).toContain('against 0 of 1')
    expect(bad).toContain('2 of 2 runs')
  })
  it('of the ablation compare with the defaults', () => {
    const lines = ablationFindings(results(0.9, 0.9))
    expect(lines[0]).toContain('random lower')
    expect(lines[1]).toContain('m 4 as the defaults')
  })
  it('call touching intervals no difference', () => {
    expect(compare(around(0.5), around(0.6))).toBe('same')
    expect(compare(around(0.5), around(0.61))).toBe('lower')
    expect(compare(around(0.61), around(0.5))).toBe('higher')
    expect(compare(around(0.5), { unavailable: 'none' })).toBe('unknown')
  })
})

describe('targets', () => {
  it('are met or missed by a stated distance', () => {
    const [met, benign] = targetTables(results(0.99, 0.9))
    expect(met.lines.every(({ isMet }) => isMet)).toBe(true)
    expect(benign.lines.map(({ isMet }) => isMet)).toEqual([true, true])
    const [missed] = targetTables(results(0.8, 0.5))
    expect(missed.lines.map(({ isMet }) => isMet)).toEqual([false, false, true, true, false])
    expect(missed.lines[0].distance).toBeCloseTo(0.1, 9)
  })
  it('count a number that is missing as missed', () => {
    const broken = results(0.99, 0.9)
    for (const row of broken.combinations[0].rows)
      if (row.behaviour && row.setup?.method === 'alignmerge')
        row.behaviour = { ...row.behaviour, gibberish: { unavailable: 'none' } }
    expect(targetTables(broken)[0].lines[3].isMet).toBe(false)
  })
})

describe('plan', () => {
  it('finds models by role and varies one thing at a time', () => {
    const all = combinations(INDEX)
    expect(all.map(({ experts }) => experts.map(({ id }) => id))).toEqual([['s', 'u'], ['s', 'r'], ['s']])
    for (const combination of all) {
      const recipes = methodRecipes(INDEX, combination, 1)
      expect(new Set(recipes.map((recipe) => JSON.stringify(recipe.setup))).size).toBe(recipes.length)
      expect(new Set(recipes.map(({ label }) => label)).size).toBe(recipes.length)
      for (const recipe of recipes)
        expect(recipe.setup.experts.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12)
    }
    const knobs = ablationRecipes(INDEX, all[0], 1)
    expect(knobs.filter(({ isBase }) => isBase)).toHaveLength(1)
    expect(new Set(knobs.map((recipe) => JSON.stringify(recipe.setup))).size).toBe(knobs.length)
    expect(() => combinations({ ...INDEX, models: INDEX.models.slice(0, 2) })).toThrow(/role task/)
    expect(() => readIndex({ models: [] })).toThrow(/index.json/)
  })
})

describe('page', () => {
  it('holds every row and writes no undefined number', () => {
    const page = resultsPage(results(0.9, 0.9))
    for (const label of ['Anchor', 'Linear', 'AlignMerge', 'Broken']) expect(page).toContain(`| ${label} |`)
    expect(page).toContain('needs exactly 1 expert')
    expect(page).toContain('harmful 64, sort 10')
    expect(page).toContain('completions 2 of 4 runs (50 %)')
    expect(page).toContain('| Linear | 1.00 | 1.50 | 1.50 | 1.25 |')
    expect(page).not.toMatch(/undefined|NaN/)
    const tables = page.split('\n\n').filter((block) => block.startsWith('|'))
    for (const block of tables) {
      const widths = block.split('\n').map((row) => row.split(/(?<!\\)\|/).length)
      expect(new Set(widths).size).toBe(1)
    }
  })

  it('formats numbers and cells', () => {
    expect(share({ unavailable: 'none' })).toBe('–')
    expect(share(around(0.5))).toBe('50 (45–55)')
    expect([0, 0.0123456, 1.5e-7, 123456].map(scientific)).toEqual(['0', '0.0123', '1.50e-7', '1.23e+5'])
    expect(table(['a', 'b'], [['x|y', '1']])).toBe('| a | b |\n| --- | ---: |\n| x\\|y | 1 |')
  })
})

describe('rows that are kept', () => {
  it('are made once, also after a line was cut off', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rows-'))
    const path = join(folder, 'deep', 'rows.jsonl')
    let made = 0
    const make = async () => ({ value: ++made })
    const first = await RowCache.open(path)
    expect(await first.row({ a: 1 }, make)).toEqual({ value: 1 })
    expect(await first.row({ a: 2 }, make)).toEqual({ value: 2 })
    await appendFile(path, '{"key":"cut')
    const second = await RowCache.open(path)
    expect(await second.row({ a: 1 }, make)).toEqual({ value: 1 })
    expect(await second.row({ a: 3 }, make)).toEqual({ value: 3 })
    const third = await RowCache.open(path)
    expect(await third.row({ a: 3 }, make)).toEqual({ value: 3 })
    expect((await readFile(path, 'utf8')).endsWith('\n')).toBe(true)
    await rm(folder, { recursive: true })
  })
})
