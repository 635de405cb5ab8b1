// Texts made to exhaust a reader of YAML: every one ends in our error, soon.

import { describe, expect, it } from 'vitest'
import { EngineError } from '../../errors.ts'
import { TEXT_LIMIT } from './tree.ts'
import { readRecipeYaml } from './yaml.ts'

const fill = (unit: string) => unit.repeat(Math.floor(TEXT_LIMIT / unit.length))
const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n')

const TEXTS: Record<string, string> = {
  'ten megabytes': 'a'.repeat(1e7),
  'flow lists': fill('['),
  'flow maps': fill('{a: '),
  'compact lists': fill('- '),
  'explicit keys': fill('? '),
  'nested blocks': lines(300, (i) => `${' '.repeat(i)}a:`),
  'closing brackets': fill(']'),
  commas: `[${fill(',')}`.slice(0, TEXT_LIMIT),
  quotes: fill('"'),
  colons: fill('a: '),
  anchors: fill('&a '),
  tags: fill('!'),
  stars: fill('*'),
  percent: fill('%'),
  nul: fill('\0'),
  tabs: fill('\t'),
  'a comment alone': fill('#'),
  documents: fill('---\n'),
  'many keys': lines(6000, (i) => `k${i}: 1`),
  'one long key': `${'a'.repeat(TEXT_LIMIT - 4)}: 1`,
  'an open quote': `a: "${'x\n'.repeat(30_000)}`,
  'billion laughs': `a: &a [l,l,l,l,l,l,l,l,l]\n${[...'bcdefghij'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghij'[i]}`).join(',')}]`).join('\n')}`,
  'merged laughs': `a: &a {x: 1, y: 2, z: 3}\n${[...'bcdefghij'].map((name, i) => `${name}: &${name} {${Array.from({ length: 9 }, (_, k) => `k${k}: {<<: *${'abcdefghij'[i]}}`).join(',')}}`).join('\n')}`,
  'many aliases': `a: &a [1]\nb:\n${lines(8000, () => '- *a')}`,
  'a list in itself': '&a [*a]',
  'a map in itself': 'models: &a {x: *a}',
  'a map merged into itself': '&a\n<<: *a\nmerge_method: x',
  'an unknown anchor': 'models: *nobody',
  'a python object': 'models: !!python/object/apply:os.system [ls]',
  'bytes as a word': 'merge_method: !!binary aGVsbG8=',
  'a set': 'merge_method: !!set {a, b}',
}

describe('hostile YAML', () => {
  it.each(Object.entries(TEXTS))('%s', (_, text) => {
    const start = process.cpuUsage()
    let error: unknown
    try {
      readRecipeYaml(text)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(EngineError)
    expect((error as EngineError).code).toBe('file-malformed')
    expect((error as EngineError).message.length).toBeLessThan(12_000)
    // Processor time, so that a busy machine is no matter: below a second each; a blow-up takes minutes.
    const { user, system } = process.cpuUsage(start)
    expect((user + system) / 1e6).toBeLessThan(5)
  })

  it('keeps the prototype as it was', () => {
    expect(() =>
      readRecipeYaml('__proto__: {polluted: 1}\nmodels: [{model: a}]\nmerge_method: linear'),
    ).toThrow(/unknown key/)
    const { recipe } = readRecipeYaml(
      'models: [{model: a, parameters: {constructor: 1}}]\nmerge_method: linear',
    )
    expect(Object.keys(recipe.models![0].parameters)).toEqual(['constructor'])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})
