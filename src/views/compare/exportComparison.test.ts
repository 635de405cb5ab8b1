import { describe, expect, it } from 'vitest'
import type { Measurement } from '../../state/slices/runs.ts'
import { fakeLabeller } from '../../state/testing/fakeData.ts'
import { placeholderExperiment } from '../app/placeholderExperiment.ts'
import { compareColumns } from './compareColumns.ts'
import { comparisonCsv, comparisonJson } from './exportComparison.ts'

const measurement: Measurement = {
  ...{ key: 'k', subject: { kind: 'merge', lambdaAlign: 0 }, complete: [] },
  ...{ aqi: {}, budget: {}, clusters: {}, labels: {} },
  behaviour: {
    refusal: { value: 1 / 3, low: 0.25, high: 0.5, count: 64 },
    compliance: { unavailable: 'no "harmful" prompts, none' },
  },
  drift: { own: 1, heldOut: 2.5e-7, otherSource: 3, total: 4, byLayer: [0.125, 0.25] },
}
const columns = compareColumns('prompts', undefined, null)
const rows = [
  { label: 'TIES, "paper"', link: 'https://a.b/#v2.x', measurement },
  { label: 'plain', link: '', measurement: undefined },
]

/** RFC 4180, written apart from the code under test. */
function parseCsv(text: string): string[][] {
  const lines: string[][] = [['']]
  let isQuoted = false
  for (let i = 0; i < text.length; i++) {
    const line = lines.at(-1)!
    if (isQuoted) {
      if (text[i] !== '"') line[line.length - 1] += text[i]
      else if (text[i + 1] === '"') line[line.length - 1] += text[++i]
      else isQuoted = false
    } else if (text[i] === '"') isQuoted = true
    else if (text[i] === ',') line.push('')
    else if (text.startsWith('\r\n', i)) {
      lines.push([''])
      i++
    } else line[line.length - 1] += text[i]
  }
  expect(lines.pop()).toEqual([''])
  return lines
}

describe('CSV', () => {
  it('has four columns per measure, every digit, and survives commas and quotes', () => {
    const [head, first, second, ...rest] = parseCsv(comparisonCsv(rows, columns))
    expect(rest).toEqual([])
    expect(head).toEqual([
      'merge',
      ...columns.flatMap(({ id }) => [id, `${id} low`, `${id} high`, `${id} n`]),
      'link',
    ])
    const cells = (line: string[], id: string) => line.slice(head!.indexOf(id), head!.indexOf(id) + 4)
    expect(first!).toHaveLength(head!.length)
    expect(first![0]).toBe('TIES, "paper"')
    expect(cells(first!, 'refusal')).toEqual([String(1 / 3), '0.25', '0.5', '64'])
    expect(cells(first!, 'compliance')).toEqual(['no "harmful" prompts, none', '', '', ''])
    expect(cells(first!, 'drift')).toEqual(['2.5e-7', '2.5e-7', '2.5e-7', '1'])
    expect(cells(first!, 'aqi')).toEqual(['', '', '', ''])
    expect(first!.at(-1)).toBe('https://a.b/#v2.x')
    expect(second!).toEqual(['plain', ...Array(4 * columns.length).fill(''), ''])
  })

  it('quotes line ends too', () => {
    const [, line] = parseCsv(comparisonCsv([{ ...rows[1]!, label: 'two\r\nlines' }], columns))
    expect(line![0]).toBe('two\r\nlines')
  })
})

describe('JSON', () => {
  it('has the experiment, every number, and the reason where there is none', () => {
    const text = comparisonJson(placeholderExperiment, fakeLabeller({ kind: 'built-in' }), rows, columns)
    expect(text.endsWith('}\n')).toBe(true)
    const read = JSON.parse(text)
    expect(read).toMatchObject({
      format: 'alignmerge-comparison',
      version: 1,
      experiment: placeholderExperiment,
      labeller: { name: 'Zoo rules (ours)', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    })
    const [first, second] = read.merges
    expect(first.label).toBe('TIES, "paper"')
    expect(Object.keys(first.measures)).toEqual(columns.map(({ id }) => id))
    expect(first.measures.refusal).toEqual({ value: 1 / 3, low: 0.25, high: 0.5, count: 64 })
    expect(first.measures.compliance).toEqual({ unavailable: 'no "harmful" prompts, none' })
    expect(first.measures.aqi).toBeNull()
    expect(first.byLayer).toEqual([0.125, 0.25])
    expect(second).toMatchObject({ link: '', byLayer: null })
    expect(new Set(Object.values(second.measures))).toEqual(new Set([null]))
  })
})
