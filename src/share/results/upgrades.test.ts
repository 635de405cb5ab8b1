import { describe, expect, it } from 'vitest'
import { validated } from '../reader.ts'
import type { Upgrade } from '../upgrades.ts'
import { upgradeResults } from './upgrades.ts'

const table = {
  1: (content: unknown) => ({ ...(content as object), a: 1 }),
  2: (content: unknown) => ({ ...(content as { a: number; models: [] }), b: [] }),
}
const upgraded = (value: unknown, newest?: number, steps?: Readonly<Record<number, Upgrade>>) =>
  validated((reader) => upgradeResults(reader, value, newest, steps))

describe('results of older versions', () => {
  it('are upgraded step by step, from wherever they are', () => {
    expect(upgraded({ v: 1, rows: [] }, 3, table)).toMatchObject({ value: { rows: [], a: 1, b: [] } })
    expect(upgraded({ v: 2, rows: [] }, 3, table)).toMatchObject({ value: { rows: [], b: [] } })
    expect(upgraded({ v: 3, rows: [] }, 3, table)).toEqual({ ok: true, adjusted: [], value: { rows: [] } })
  })

  it('are refused where a step is missing or breaks off', () => {
    expect(upgraded({ v: 1 }, 3, { 1: table[1] })).toEqual({
      ok: false,
      reason: 'results have version 1, which was never in use',
    })
    const breaks = { 1: (content: unknown) => (content as { rows: [] }).rows.length }
    expect(upgraded({ v: 1 }, 2, breaks)).toEqual({ ok: false, reason: 'results are not those of version 1' })
  })
})

describe('results of the studio of today', () => {
  it('are left as they are', () => {
    expect(upgraded({ v: 1, rows: [] })).toEqual({ ok: true, adjusted: [], value: { rows: [] } })
  })

  it('are refused from a newer one, which is told with both versions', () => {
    expect(upgraded({ v: 2, rows: [], more: {} })).toEqual({
      ok: false,
      reason:
        'results have version 2, made by a newer studio; this one reads up to version 1. Reload the page for the newest studio',
    })
  })

  it.each([
    [[], 'results is not an object'],
    [{}, 'results.v is not a number'],
    [{ v: '1' }, 'results.v is not a number'],
    [{ v: 1.5 }, 'results.v is not a whole number'],
    [{ v: -1 }, 'results.v is not a number'],
    [{ v: 1e300 }, 'results.v is not a number'],
    [{ v: 0 }, 'results have version 0, which was never in use'],
  ])('are refused as %j', (value, reason) => {
    expect(upgraded(value)).toMatchObject({ ok: false, reason: expect.stringContaining(reason) })
  })
})
