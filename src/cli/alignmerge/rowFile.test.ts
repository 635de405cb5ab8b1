import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RowFile, type SweepHeader, sweepKey } from './rowFile.ts'
import { temporary } from './testCli.ts'

let folder: Awaited<ReturnType<typeof temporary>>
beforeAll(async () => {
  folder = await temporary()
})
afterAll(() => folder.remove())

const HEADER: SweepHeader = {
  format: 'alignmerge-sweep',
  version: 1,
  key: sweepKey('a'),
  points: 3,
  adapter: 'llvmpipe é',
}
const row = (index: number) => ({ index, point: { t: index }, word: 'é' })
let number = 0
const fresh = () => join(folder.path, `${number++}.jsonl`)
const lines = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('')

describe('RowFile', () => {
  it('goes on where it was', async () => {
    const path = fresh()
    const first = await RowFile.open(path, HEADER, false)
    await first.add(row(0))
    await first.add(row(1))
    const second = await RowFile.open(path, HEADER, false)
    expect(second.rows).toEqual([row(0), row(1)])
    await second.add(row(2))
    expect(await readFile(path, 'utf8')).toBe(lines(HEADER, row(0), row(1), row(2)))
  })

  it('loses a line that was cut off, at every byte, and no other', async () => {
    const whole = lines(HEADER, row(0), row(1))
    const bytes = Buffer.from(whole)
    for (let end = 0; end <= bytes.length; end++) {
      const path = fresh()
      await writeFile(path, bytes.subarray(0, end))
      const file = await RowFile.open(path, HEADER, false)
      for (let index = file.rows.length; index < 3; index++) await file.add(row(index))
      expect(await readFile(path, 'utf8')).toBe(lines(HEADER, row(0), row(1), row(2)))
    }
  })

  it.each([
    [
      lines({ ...HEADER, key: sweepKey('b') }, row(0)),
      'is another sweep: recipe, models, probes or options differ',
    ],
    [lines({ ...HEADER, adapter: 'other' }), 'was begun on another device (other)'],
    [lines({ ...HEADER, version: 2 }), 'is no sweep of this version'],
    ['a,b\n1,2\n', 'is no sweep of this version'],
    [lines(HEADER, row(1)), 'holds rows that are not this sweep’s'],
    [lines(HEADER, row(0), row(1), row(2), row(3)), 'holds rows that are not this sweep’s'],
    [`${lines(HEADER)}no json\n`, 'holds rows that are not this sweep’s'],
    ['something without an end', 'holds something else; --force replaces it'],
  ])('refuses %j unless forced', async (text, message) => {
    const path = fresh()
    await writeFile(path, text)
    await expect(RowFile.open(path, HEADER, false)).rejects.toThrow(message)
    expect(await readFile(path, 'utf8')).toBe(text)
    expect((await RowFile.open(path, HEADER, true)).rows).toEqual([])
    expect(await readFile(path, 'utf8')).toBe(lines(HEADER))
  })

  it('says what it cannot write', async () => {
    await expect(RowFile.open(join(folder.path, 'no/where.jsonl'), HEADER, false)).rejects.toThrow(
      'cannot write',
    )
    await expect(RowFile.open(folder.path, HEADER, false)).rejects.toThrow('cannot read')
  })
})
