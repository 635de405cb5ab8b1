import { describe, expect, it } from 'vitest'
import { type Command, helpOf, readCall, UsageError } from './command.ts'
import { readSize } from './merge.ts'

const command: Command = {
  name: 'try',
  usage: 'A [B]',
  summary: 'tries',
  positionals: { min: 1, max: 2 },
  options: {
    count: { value: 'N', help: 'a number' },
    word: { value: 'WORD', help: 'a word' },
    many: { value: 'X', isMultiple: true, help: 'several' },
    flag: { help: 'a switch' },
  },
  details: '\nMore.',
  run: async () => 0,
}
const read = (...args: string[]) => readCall(command, args)

describe('arguments', () => {
  it('are typed', () => {
    const call = read('x', 'y', '--count', '3', '--many=a', '--many', 'b', '--flag', '--json')
    expect(call.positionals).toEqual(['x', 'y'])
    expect(call.count('count', 1)).toBe(3)
    expect(call.texts('many')).toEqual(['a', 'b'])
    expect(call.has('flag')).toBe(true)
    expect(call.isJson).toBe(true)
    expect(call.text('word')).toBeUndefined()
    expect(read('x').count('count', 7)).toBe(7)
    expect(read('x').texts('many')).toEqual([])
    expect(read('x').has('flag')).toBe(false)
    expect(read('x', '--word', 'a').choice('word', ['a', 'b'], 'b')).toBe('a')
    expect(read('x').choice('word', ['a', 'b'], 'b')).toBe('b')
    expect(read('--help').has('help')).toBe(true)
  })

  it.each([
    [[], 'expected A [B], found 0 of them'],
    [['a', 'b', 'c'], 'expected A [B], found 3 of them'],
    [['a', '--nope'], "Unknown option '--nope'"],
    [['a', '--flag=1'], "Option '--flag' does not take an argument"],
    [['a', '--count'], "Option '--count <value>' argument missing"],
  ])('%j are refused', (args, message) => {
    expect(() => read(...args)).toThrow(new UsageError(message))
  })

  it('out of range are refused', () => {
    for (const text of ['0', '-1', '1.5', '11', 'x', '', '1e1'])
      expect(() => read('a', `--count=${text}`).count('count', 1, 1, 10)).toThrow(
        new UsageError(`--count ${text}: expected a whole number from 1 to 10`),
      )
    expect(() => read('a', '--word', 'c').choice('word', ['a', 'b'], 'a')).toThrow(
      new UsageError('--word c: expected a, b'),
    )
  })
})

describe('help', () => {
  it('lists what there is', () => {
    expect(helpOf(command)).toBe(`alignmerge try A [B]

tries

  --count N    a number
  --word WORD  a word
  --many X     several
  --flag       a switch
  --json       print one JSON value on standard output, and nothing else there
  --help       print this and do nothing

More.
`)
  })
})

describe('sizes', () => {
  it.each([
    ['5GB', 5e9],
    ['500 MiB', 500 * 2 ** 20],
    ['100kb', 1e5],
    ['7B', 7],
  ])('%s', (text, size) => {
    expect(readSize(text)).toBe(size)
  })
  it.each(['', '5', 'GB', '5 TB', '-1GB', '0GB', '5ib', '1.5GB'])('%j is refused', (text) => {
    expect(() => readSize(text)).toThrow(UsageError)
  })
})
