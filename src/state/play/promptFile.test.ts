import { describe, expect, it } from 'vitest'
import { MAX_FILE_BYTES, MAX_ROWS, readTable, readText, writeCsv } from './promptFile.ts'

const csv = (text: string, hasHeader = true) => readTable(text, 'a.csv', { hasHeader })

describe('separated values', () => {
  it('cells in quotes hold separators, quotes and line breaks', () => {
    expect(csv('id,prompt\n1,"a, ""b""\nc"\n2,plain\n')).toEqual({
      columns: ['id', 'prompt'],
      rows: [
        ['1', 'a, "b"\nc'],
        ['2', 'plain'],
      ],
      uneven: null,
    })
  })

  it.each([
    ['a byte-order mark', '\uFEFFprompt,label\nx,safe'],
    ['line ends of Windows', 'prompt,label\r\nx,safe\r\n'],
    ['semicolons', 'prompt;label\nx;safe'],
    ['tabs', 'prompt\tlabel\nx\tsafe'],
    ['empty lines', 'prompt,label\n\n\nx,safe\n\n , \n'],
  ])('%s', (_, text) => {
    expect(csv(text)).toMatchObject({ columns: ['prompt', 'label'], rows: [['x', 'safe']] })
  })

  it('rows of another width are kept and counted', () => {
    const { rows, uneven } = csv('prompt,label\na,safe\nb\nc,unsafe,more\n')
    expect(rows).toEqual([
      ['a', 'safe'],
      ['b', ''],
      ['c', 'unsafe'],
    ])
    expect(uneven).toEqual({ count: 2, line: 3 })
  })

  it('columns of one name get different ones, and without a header all get a number', () => {
    expect(csv('a,a,\n1,2,3').columns).toEqual(['a', 'a 2', 'column 3'])
    expect(csv('how do i\nwhat is', false)).toMatchObject({
      columns: ['column 1'],
      rows: [['how do i'], ['what is']],
    })
  })

  it('a quote that never ends is a fault with its row', () => {
    expect(() => csv('prompt,label\na,safe\n"b,unsafe\n')).toThrow(
      expect.objectContaining({ code: 'file-malformed', message: expect.stringContaining('row 3') }),
    )
  })
})

describe('JSON', () => {
  const json = (text: string) => readTable(text, 'a.jsonl', { hasHeader: true })
  it('lines, lists and texts; columns in order of appearance, other values as JSON', () => {
    const expected = {
      columns: ['prompt', 'n', 'more'],
      rows: [
        ['a\nb', '', ''],
        ['c', '2', '{"x":[1]}'],
      ],
      uneven: null,
    }
    expect(json('{"prompt":"a\\nb"}\r\n\r\n{"prompt":"c","n":2,"more":{"x":[1]}}\n')).toEqual(expected)
    expect(json('[{"prompt":"a\\nb"},{"prompt":"c","n":2,"more":{"x":[1]}}]')).toEqual(expected)
    expect(json('["a", "b"]').rows).toEqual([['a'], ['b']])
    // Told by its first letter where the name does not say.
    expect(readTable('\uFEFF{"prompt":"x"}', 'a.txt', { hasHeader: true }).rows).toEqual([['x']])
  })

  it.each([
    ['{"prompt":"a"}\n{"prompt":', 'line 2'],
    ['{"prompt":"a"}\n\n[1]', 'line 3'],
    ['[{"prompt":"a"}', 'line 1'],
    ['["a", 7]', 'line 2'],
  ])('%j is a fault in %s', (text, place) => {
    expect(() => json(text)).toThrow(
      expect.objectContaining({ code: 'file-malformed', message: expect.stringContaining(place) }),
    )
  })

  it('a key named like a prototype’s is a column like any other', () => {
    expect(json('{"__proto__":"x","prompt":"a"}').columns).toEqual(['__proto__', 'prompt'])
  })
})

describe('limits', () => {
  it.each(['', '  \n\n', '\uFEFF'])('%j holds nothing', (text) => {
    expect(() => csv(text)).toThrow(expect.objectContaining({ code: 'file-malformed' }))
  })

  it('ten thousand rows are read in no time to speak of, too many and too large files are refused', async () => {
    const rows = (count: number) =>
      `prompt,label\n${Array.from({ length: count }, (_, i) => `"how do i open door ${i}?",safe`).join('\n')}`
    const begun = performance.now()
    expect(csv(rows(10_000)).rows).toHaveLength(10_000)
    // Two hundredths of a second on an idle machine; quadratic reading would take minutes.
    expect(performance.now() - begun).toBeLessThan(5000)
    expect(() => csv(rows(MAX_ROWS + 1))).toThrow(expect.objectContaining({ code: 'file-unsupported' }))
    const huge = { name: 'a.csv', size: MAX_FILE_BYTES + 1 } as File
    await expect(readText(huge)).rejects.toMatchObject({ code: 'file-unsupported' })
  })

  it('UTF-16 with a mark is read, bytes that are no text are refused', async () => {
    const wide = new File([new Uint8Array([0xff, 0xfe, 0x61, 0, 0xe9, 0])], 'a.csv')
    expect(await readText(wide)).toBe('aé')
    const broken = new File([new Uint8Array([0x61, 0xc3, 0x28])], 'a.csv')
    await expect(readText(broken)).rejects.toMatchObject({ code: 'file-malformed' })
  })
})

it('what is written is read again', () => {
  const columns = ['prompt', 'note']
  const rows = [
    ['a, "b"\nc', ' =1+1 '],
    ['größe', ''],
  ]
  const text = writeCsv(columns, rows)
  expect(csv(text)).toEqual({ columns, rows, uneven: null })
})
