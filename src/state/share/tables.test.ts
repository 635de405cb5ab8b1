// What was received beside own numbers, and what panels save.
import { describe, expect, it } from 'vitest'
import { sweepGrid } from '../../share/parameters.ts'
import { packResults, unpackResults } from '../../share/results.ts'
import { placeholderExperiment } from '../../views/app/placeholderExperiment.ts'
import type { Measurement, ReceivedSet } from '../slices/runs.ts'
import { fakeResults } from '../testing/fakeResults.ts'
import { compareReceived, notableDifferences } from './differences.ts'
import { tableOf } from './tables.ts'

const experiment = placeholderExperiment
const own = fakeResults(experiment)

function receivedOf(shift: number): ReceivedSet {
  const packed = JSON.parse(JSON.stringify(packResults(fakeResults(experiment, shift)))) as unknown
  const unpacked = unpackResults(packed, experiment)
  if (!unpacked.ok) throw new Error(unpacked.reason)
  return { source: 'link', experiment, isRecomputed: false, packed, ...unpacked.value }
}

const measurements = Object.fromEntries(
  own.rows.map(({ measurement }): [string, Measurement] => {
    const { key, subject } = measurement
    return [
      `${key}/${subject.kind === 'model' ? `model:${subject.id}` : `merge:${subject.lambdaAlign}`}`,
      measurement,
    ]
  }),
)

describe('received results beside own ones', () => {
  it('are equal when they are the same to the digits that travelled', () => {
    const comparison = compareReceived({ measurements }, receivedOf(0))
    expect(comparison.measured).toBe(comparison.received)
    expect(comparison.received).toBeGreaterThan(100)
    expect(comparison.differences.filter(({ agreement }) => agreement !== 'equal')).toEqual([])
  })

  it('are told apart by the interval of the received number, the worst first', () => {
    const within = compareReceived({ measurements }, receivedOf(0.01))
    const outside = compareReceived({ measurements }, receivedOf(0.3))
    const count = (found: typeof within, kind: string) =>
      found.differences.filter(({ agreement }) => agreement === kind).length
    expect(count(within, 'outside')).toBe(0)
    expect(count(within, 'within')).toBe(own.rows.length)
    expect(count(outside, 'outside')).toBeGreaterThan(8)
    const notable = notableDifferences(outside)
    expect(notable[0]).toMatchObject({ quantity: 'Harmful refused', agreement: 'outside' })
    expect(notable).toHaveLength(own.rows.length)
  })

  it('count only what has been measured here', () => {
    const comparison = compareReceived({ measurements: {} }, receivedOf(0))
    expect(comparison).toMatchObject({ measured: 0, differences: [] })
  })
})

describe('tables', () => {
  const rowsOf = (text: string | undefined) => text!.trim().split('\n')

  it('hold every number with all its digits, one a row', () => {
    const [head, ...rows] = rowsOf(tableOf('numbers', own))
    expect(head).toBe('subject,method,lambda_align,weights,quantity,unit,value,low,high,n,note')
    const refusal = own.rows.at(-1)!.measurement.behaviour.refusal
    if (!refusal || 'unavailable' in refusal) throw new Error('no refusal')
    const found = rows.filter((row) => row.includes(',refusal,share,'))
    expect(found).toHaveLength(own.rows.length)
    expect(found.at(-1)).toContain(`,refusal,share,${refusal.value},${refusal.low},${refusal.high},`)
    expect(rowsOf(tableOf('sweep', own)).filter((row) => row.includes(',refusal,'))).toHaveLength(
      sweepGrid.length,
    )
  })

  it('hold the points that are drawn, and the layers', () => {
    const points = rowsOf(tableOf('clusters', own)).filter((row) => row.includes(',completions,safe,'))
    // Anchor, two experts and the merge of the page.
    expect(points).toHaveLength(4 * experiment.probesPerClass)
    expect(rowsOf(tableOf('layers', own))).toHaveLength(1 + 4 * sweepGrid.length)
  })

  it('give no way to a spreadsheet’s formulas through names', () => {
    const models = own.models.map((model) => ({ ...model, name: '=HYPERLINK("x"),"' }))
    const rows = rowsOf(tableOf('numbers', { ...own, models }))
    expect(rows.filter((row) => row.includes('HYPERLINK')).every((row) => row.startsWith(`"'=`))).toBe(true)
  })
})
