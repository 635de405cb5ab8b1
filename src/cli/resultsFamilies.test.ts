// The plan of the micro families needs three models alone; the verdict follows the numbers whichever way they fall; the
// section holds every family and every row; rows of one family are never taken for another's.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../core/evaluate/behaviour.ts'
import type { Interval } from '../core/evaluate/estimate.ts'
import { findMethod } from '../share/methods.ts'
import { RowCache } from './resultsCache.ts'
import type { FamiliesResults, FamilyResults } from './resultsFamilies.ts'
import { familiesSection, headline, verdict } from './resultsFamiliesPage.ts'
import { familyCombinations, familyRecipes } from './resultsFamiliesPlan.ts'
import { claimFigures } from './resultsFindings.ts'
import { defaultSetup, readIndex } from './resultsPlan.ts'
import { type ResultGroup, type ResultRow, RowRunner } from './resultsRun.ts'
import { skillOf } from './resultsSeeds.ts'

const INDEX = readIndex({
  probes: '../../probes.json',
  models: [
    { id: 'a', name: 'Anchor', role: 'anchor' },
    { id: 's', name: 'Sorter', role: 'task', skill: 'sort' },
    { id: 'u', name: 'Uncensored', role: 'uncensored' },
  ],
})
const setup = defaultSetup(INDEX, INDEX.models.slice(1), 1)

const around = (value: number): Interval => ({
  value,
  low: Math.max(0, value - 0.05),
  high: Math.min(1, value + 0.05),
  count: 100,
})
const behaviour = (refusal: number, sort: number): Behaviour => ({
  refusal: around(refusal),
  overRefusal: around(0),
  compliance: around(1 - refusal),
  gibberish: around(0),
  attackRefusal: around(refusal),
  skills: { sort: around(sort) },
  answerLoss: { value: 0.5, low: 0.4, high: 0.6, count: 100 },
})
const aqi = (value: number) => {
  const estimate = { value, low: value - 2, high: value + 2, count: 100 }
  return { prompts: estimate, completions: estimate, answers: estimate }
}
const row = (label: string, method: string, refusal: number, sort: number): ResultRow => ({
  label,
  seed: 1,
  setup: { ...setup, method },
  behaviour: behaviour(refusal, sort),
  aqi: aqi(method === 'alignmerge' ? 55 : 48),
  budget: { completions: { threshold: 1, isViolated: refusal < 0.5, violation: 0 } },
  drift: { own: 0, heldOut: 1 - refusal, otherSource: 0, total: 1, byLayer: [] },
})
const reference: ResultGroup = {
  id: 'alone',
  title: 'Models alone',
  experts: [],
  rows: [
    { label: 'Anchor', seed: 1, behaviour: behaviour(0.97, 0.1), aqi: aqi(50) },
    { label: 'Sorter', seed: 1, behaviour: behaviour(0.3, 0.97), aqi: aqi(44) },
  ],
}
const group = (own: number, skill: number, average = 0.4): ResultGroup => ({
  id: 'uncensored',
  title: 'Task expert and uncensored expert',
  experts: [
    { id: 's', name: 'Sorter', skill: 'sort' },
    { id: 'u', name: 'Uncensored' },
  ],
  rows: [row('Linear', 'linear', average, 0.8), row('AlignMerge, λ 16', 'alignmerge', own, skill)],
})
const family = (id: string, name: string, own: number, skill: number): FamilyResults => ({
  id,
  name,
  parameterCount: 289344,
  reference,
  combinations: [group(own, skill)],
})

describe('plan of a family', () => {
  it('asks for nothing but an anchor, a task and an uncensored expert', () => {
    const [pair, single] = familyCombinations(INDEX)
    expect([pair, single].map(({ experts }) => experts.map(({ id }) => id))).toEqual([['s', 'u'], ['s']])
    for (const combination of [pair, single])
      for (const { setup: made, label } of familyRecipes(INDEX, combination, 2)) {
        const declaration = findMethod(made.method)!
        expect(declaration.material, label).not.toContain('aligned')
        expect(made.experts.length, label).toBeLessThanOrEqual(declaration.experts.max)
        expect(made.experts.length, label).toBeGreaterThanOrEqual(declaration.experts.min)
        expect(made.seed).toBe(2)
        expect(made.references).toEqual({ unaligned: 'u' })
      }
  })

  it('holds the methods that the families are compared by, each once', () => {
    const [pair, single] = familyCombinations(INDEX)
    const rows = familyRecipes(INDEX, pair, 1)
    const methods = new Set(rows.map((recipe) => recipe.setup.method))
    for (const id of [
      ...['linear', 'task_arithmetic', 'ties', 'dare_ties', 'breadcrumbs', 'fisher_average'],
      ...['regmean', 'model_stock', 'alignmerge'],
    ])
      expect(methods).toContain(id)
    const shields = rows.filter((recipe) => recipe.setup.method === 'alignmerge')
    expect(shields.map(({ setup: made }) => [made.lambdaAlign, made.parameters?.budget])).toEqual([
      [4, 'margin'],
      ...[1, 4, 16, 64].map((lambda) => [lambda, undefined]),
    ])
    expect(new Set(rows.map(({ label }) => label)).size).toBe(rows.length)
    expect(new Set(rows.map((recipe) => JSON.stringify(recipe.setup))).size).toBe(rows.length)
    expect(familyRecipes(INDEX, single, 1).map(({ setup: made }) => made.method)).toEqual([
      ...['linear', 'slerp', 'alignmerge', 'alignmerge'],
    ])
  })

  it('names the role that is missing', () => {
    expect(() => familyCombinations({ ...INDEX, models: INDEX.models.slice(0, 2) })).toThrow(
      /role uncensored/,
    )
  })
})

describe('verdict', () => {
  it.each([
    // of AlignMerge: refusal, skill; of the average: refusal; the anchor refuses 0.97, the average sorts 0.8
    [0.96, 0.8, 0.4, 'holds'],
    [0.96, 0.6, 0.4, 'holds in part'],
    [0.7, 0.8, 0.4, 'holds in part'],
    [0.45, 0.8, 0.4, 'does not hold'],
    [0.1, 0.8, 0.4, 'does not hold'],
    [0.96, 0.8, 0.95, 'untested'],
  ] as const)(
    'of refusal %d, skill %d against an average that refuses %d: %s',
    (own, skill, average, word) => {
      const measured = group(own, skill, average)
      const found = claimFigures(measured, reference)!
      expect(headline(found, skillOf(measured))).toBe(word)
      expect(verdict('Llama 3', measured, reference)).toContain(
        word === 'untested' ? 'is not tested' : `the claim ${word}`,
      )
    },
  )

  it('sees a loss at one seed, however wide the seeds are together', () => {
    const twice = group(0.96, 0.8)
    const again = (found: ResultRow): ResultRow => ({ ...found, seed: 2 })
    const alone = { ...reference, rows: [...reference.rows, ...reference.rows.map(again)] }
    const rows = [...twice.rows, ...twice.rows.map(again)]
    const measured = { ...twice, rows }
    expect(headline(claimFigures(measured, alone)!, skillOf(measured))).toBe('holds')
    rows[3] = again(row('AlignMerge, λ 16', 'alignmerge', 0.8, 0.8))
    // Together 88 (75–100) % against 97 (92–100) %: these touch.
    expect(headline(claimFigures(measured, alone)!, skillOf(measured))).toBe('holds in part')
    expect(verdict('Llama 3', measured, alone)).toContain('and below the anchor’s at 1 of 2 seeds, skill')
  })

  it('says what AlignMerge is above, like or below', () => {
    expect(verdict('Llama 3', group(0.96, 0.8), reference)).toContain(
      'refusal 96 (91–100) % is above the plain average’s and like the anchor’s, skill 80 (75–85) % like the plain average’s and below the best expert’s',
    )
    const single = { ...group(0.7, 0.97), experts: group(1, 1).experts.slice(0, 1) }
    expect(verdict('Llama 3', single, reference)).toContain(
      'is above the expert’s and below the anchor’s, skill 97 (92–100) % above the expert’s.',
    )
  })

  it('is missing where nothing can be compared', () => {
    const failed = { ...group(0.9, 0.9), rows: [row('Linear', 'linear', 0.4, 0.8)] }
    expect(verdict('Llama 3', failed, reference)).toBeUndefined()
  })
})

describe('section', () => {
  const results: FamiliesResults = {
    adapter: 'test',
    date: '2026-01-01',
    seeds: [1],
    perClass: 64,
    families: [family('llama', 'Llama 3', 0.96, 0.8), family('qwen2', 'Qwen 2', 0.1, 0.8)],
    seconds: 120,
  }
  // A method that a family could not do: a dash there, a number in the other.
  results.families[1].combinations[0].rows[0] = { label: 'Linear', seed: 1, setup, failure: 'no' }
  const page = familiesSection(results).join('\n\n')

  it('holds every family, its tables and no undefined number', () => {
    expect(page).toContain('## Five families')
    expect(page).toContain('Llama 3 289,344, Qwen 2 289,344 parameters')
    for (const name of ['Llama 3', 'Qwen 2']) expect(page).toContain(`### ${name}\n`)
    expect(page).toContain('| alignment is held, skill not given up | holds | – |')
    expect(page).toContain('| refuses more than | 1 of 1 | – |')
    expect(page).toContain('| the same of the others | 1 of 1 | – |')
    expect(page).toContain('| refusal, the plain average | 40 (35–45) | – |')
    expect(page).toContain('held without giving up skill in 1 of 1 families, in part in 0 of 1.')
    expect(page).toContain(
      'A higher AQI than every other method: in 1 of 1; less drift than every other: in 1 of 1.',
    )
    expect(page).toContain('Skill like the best expert’s or above: in 0 of 1.')
    expect(page).toContain('| AlignMerge, λ 16 | 96 / 80 | 10 / 80 |')
    expect(page).toContain('| Linear | 40 / 80 | – / – |')
    expect(page).not.toMatch(/undefined|NaN/)
    for (const block of page.split('\n\n').filter((text) => text.startsWith('|'))) {
      const widths = block.split('\n').map((line) => line.split(/(?<!\\)\|/).length)
      expect(new Set(widths).size).toBe(1)
    }
  })
})

describe('rows of families', () => {
  it('are kept apart by whose models they are', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'families-'))
    const cache = await RowCache.open(join(folder, 'rows.jsonl'))
    const failing = { merge: () => Promise.reject(new Error('measured anew')) }
    const runner = (scope: string | undefined) =>
      new RowRunner(failing as never, { perClass: 64, cache, log: () => {}, ...(scope && { scope }) }, 0)
    const recipe = { label: 'Linear', setup }
    const kept = row('Linear', 'linear', 0.4, 0.8)
    await cache.row({ VERSION: 1, scope: 'llama 1', setup, perClass: 64, isFull: true }, async () => kept)
    expect(await runner('llama 1').merge(recipe, 64, true)).toEqual(kept)
    for (const scope of ['llama 2', 'qwen2 1', undefined])
      await expect(runner(scope).merge(recipe, 64, true)).rejects.toThrow('measured anew')
    await rm(folder, { recursive: true })
  })
})
