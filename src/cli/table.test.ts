// The command that prints the comparison: what it takes, and what it prints.

import { describe, expect, it } from 'vitest'
import type { ResultGroup } from './resultsRun.ts'
import { printed, readTableArguments } from './table.ts'

describe('arguments', () => {
  it('have defaults', () => {
    expect(readTableArguments([])).toMatchObject({ perClass: 128, seed: 1, form: 'text', methods: undefined })
    expect(readTableArguments(['--methods', 'linear', '--csv'])).toMatchObject({
      methods: ['linear'],
      form: 'csv',
    })
  })
  it.each([
    [['--probes', '3'], /--probes: found 3, expected 64 to 240/],
    [['--seed', 'x'], /--seed/],
    [['--methods', 'souffle'], /souffle, expected some of .*linear/],
    [['--csv', '--json'], /one of/],
    [['--what'], /--what/],
  ])('%j are refused', (args, words) => {
    expect(readTableArguments(args)).toMatch(words)
  })
})

describe('printed', () => {
  const share = (value: number) => ({ value, low: value, high: value, count: 10 })
  const behaviour = (refusal: number) => ({
    refusal: share(refusal),
    overRefusal: share(0),
    compliance: share(1 - refusal),
    gibberish: share(0),
    attackRefusal: share(0),
    skills: { sort: share(0.5) },
    answerLoss: share(1),
  })
  const setup = { method: 'linear' } as ResultGroup['rows'][0]['setup']
  const group = {
    id: 't',
    title: '',
    experts: [{ id: 's', name: 'Sorter', skill: 'sort' }],
    rows: [
      { label: 'anchor', seed: 1, behaviour: behaviour(1) },
      { label: 'low, with "quotes"', seed: 1, setup, behaviour: behaviour(0.1) },
      { label: 'high', seed: 1, setup, behaviour: behaviour(0.9) },
      { label: 'broken', seed: 1, setup, failure: 'needs exactly 1 expert' },
    ],
  } as ResultGroup
  it('is models, then merges by refusal, failures last', () => {
    const lines = printed(group, 'text').split('\n')
    expect(lines.map((line) => line.split('  ')[0])).toEqual([
      'merge',
      'anchor',
      'high',
      'low, with "quotes"',
      'broken',
    ])
    expect(lines[4]).toContain('needs exactly 1 expert')
  })
  it('quotes CSV', () => {
    expect(printed(group, 'csv').split('\n')[3]).toMatch(/^"low, with ""quotes""",10 \(10–10\),/)
  })
})
