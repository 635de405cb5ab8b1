import { describe, expect, it } from 'vitest'
import { expectFailure } from '../../../testing/tinyCheckpoint.ts'
import { Random } from '../../tensors/random.ts'
import { Pattern } from './pattern.ts'

const MODULES = [
  'model.layers.0.self_attn.q_proj',
  'model.layers.11.self_attn.qkv_proj',
  'model.layers.2.mlp.down_proj',
  'model.vision.layers.2.mlp.down_proj',
  'model.embed_tokens',
  'lm_head',
  '',
]

/** Patterns as published adapters have them, and the corners of the syntax. */
const PATTERNS = [
  '.*layers\\.(0|11)\\..*(q|qkv)_proj',
  '^(?!.*vision).*(?:q_proj|k_proj|down_proj).*',
  '(?:.*?(?:layers|blocks).*?(?:self_attn|mlp).*?(?:q_proj|down_proj).*?)|(?:\\bmodel\\.layers\\.[\\d]{1,}\\.mlp\\.(?:down_proj))',
  'model\\.layers\\.\\d+\\.mlp\\.down_proj$',
  '(.*\\.)?(down_proj)$',
  '(?=.*mlp)model\\..*',
  '[a-l]\\w*_head',
  '[^.]+(\\.[^.]+){2,3}',
  'model\\.(layers\\.\\d\\.)?.*_(tokens|proj)',
  '.{5}',
  'lm_head|',
  '\\Blm_head',
  '[\\w.]*[]\\]d]',
  'a{,2}lm_head',
  'lm_{2}head',
]

describe('patterns', () => {
  it.each(PATTERNS)('%s matches what a backtracking matcher does', (source) => {
    const pattern = new Pattern(source, 'test')
    // JavaScript spells two of them otherwise.
    const same = source.replace('{,2}', '{0,2}').replace('[]\\]d]', '[\\]d]')
    for (const text of MODULES) {
      expect(pattern.matchesWhole(text), text).toBe(new RegExp(`^(?:${same})$`).test(text))
      expect(pattern.matchesStart(text), text).toBe(new RegExp(`^(?:${same})`).test(text))
    }
  })

  it('agrees on random patterns and texts', () => {
    const random = new Random(5)
    const pick = (from: string[]) => from[random.integer(from.length)]
    const build = (depth: number): string => {
      const parts = Array.from({ length: 1 + random.integer(3) }, () => {
        const atom =
          depth > 0 && random.integer(3) === 0
            ? `(${pick(['', '?:', '?=', '?!'])}${build(depth - 1)}|${build(depth - 1)})`
            : pick(['a', 'b', '.', '[ab]', '[^a]', '\\d', '\\b', '\\.'])
        const canRepeat = !atom.startsWith('(?=') && !atom.startsWith('(?!') && atom !== '\\b'
        return atom + (canRepeat ? pick(['', '', '*', '+', '?', '{1,2}', '*?']) : '')
      })
      return parts.join('')
    }
    let matched = 0
    for (let n = 0; n < 3000; n++) {
      const source = build(2)
      const text = Array.from({ length: random.integer(7) }, () => pick(['a', 'b', '1', '.'])).join('')
      const found = new Pattern(source, 'test').matchesWhole(text)
      expect(found, `${source} on ${text}`).toBe(new RegExp(`^(?:${source})$`).test(text))
      if (found) matched++
    }
    expect(matched).toBeGreaterThan(300)
  })

  it('takes bounded time where backtracking does not end', async () => {
    const text = `${'a'.repeat(200)}!`
    for (const source of ['(a+)+$', '(a|a)*b', '(.*)*(.*)*(.*)*x', '((a{0,40}){0,40})b', '(?=(a+)+b)(a*)*']) {
      const begun = performance.now()
      try {
        expect(new Pattern(source, 'test').matchesWhole(text)).toBe(false)
      } catch (error) {
        await expectFailure(() => {
          throw error
        }, 'file-unsupported')
      }
      expect(performance.now() - begun).toBeLessThan(3000)
    }
  })

  it.each([
    ['(a)\\1', 'a back-reference'],
    ['(?<=a)b', '(?<='],
    ['(?i)a', '(?i)'],
    ['a*+', 'a possessive repetition'],
    ['\\p', '\\p'],
    ['a{999}', 'more than 256 repetitions'],
  ])('%s is refused by name', async (source, what) => {
    const error = await expectFailure(() => new Pattern(source, 'target_modules'), 'file-unsupported')
    expect(error.message).toContain(what)
    expect(error.message).toContain('target_modules')
  })

  it.each(['(a', 'a)', '*a', 'a**', '[a', '[b-a]', 'a{3,2}', '\\'])('%s is no pattern', async (source) => {
    await expectFailure(() => new Pattern(source, 'target_modules'), 'file-malformed')
  })
})
