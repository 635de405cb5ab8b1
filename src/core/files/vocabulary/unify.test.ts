// Vocabularies joined: whose row stands where, in values, and a tokenizer that still opens.

import { describe, expect, it } from 'vitest'
import {
  expectFailure,
  packTensors,
  tinyConfig,
  tinyFiles,
  tinyTensors,
  tinyTokenizer,
} from '../../../testing/tinyCheckpoint.ts'
import { type Checkpoint, openCheckpoint } from '../checkpoint.ts'
import { memoryFolder } from '../folder.ts'
import { readElements } from '../storedWeight.ts'
import { TextCodec } from '../tokenizer.ts'
import { unifyVocabularies } from './unify.ts'
import { notesOf, type TokenRule, type UnionOptions } from './union.ts'

const C = 8
const EMBED = 'model.embed_tokens.weight'

interface Changes {
  rows?: number
  added?: string[]
  /** ordinary tokens with the merge rule that makes them */
  learned?: { token: string; rule: string }[]
}

/** A tiny model with `rows` rows and more tokens after its 103. */
async function model(name: string, seed: number, { rows = 104, added = [], learned = [] }: Changes = {}) {
  const config = { ...tinyConfig(), vocab_size: rows }
  const files = tinyFiles(config, 'f32', seed)
  files.set('config.json', JSON.stringify(config))
  files.set('model.safetensors', packTensors(tinyTensors(config, 'f32', seed)))
  const tokenizer = tinyTokenizer() as {
    added_tokens: Record<string, unknown>[]
    model: { vocab: Record<string, number>; merges: string[] }
  }
  let next = 103
  for (const { token, rule } of learned) {
    tokenizer.model.vocab[token] = next++
    tokenizer.model.merges.push(rule)
  }
  for (const content of added)
    tokenizer.added_tokens.push({ ...tokenizer.added_tokens[0], id: next++, content })
  files.set('tokenizer.json', JSON.stringify(tokenizer))
  return openCheckpoint(memoryFolder(name, files))
}

async function rowOf(checkpoint: Checkpoint, row: number, tensor = EMBED): Promise<number[]> {
  return [...(await readElements(checkpoint.stored.get(tensor)!, row * C, C))]
}

const union = (models: Record<string, Checkpoint>, options: Partial<UnionOptions> = {}) =>
  unifyVocabularies(new Map(Object.entries(models)), {
    base: Object.keys(models)[0],
    source: 'union',
    ...options,
  })

const mean = (...rows: number[][]) =>
  rows[0].map((_, c) => rows.reduce((sum, row) => sum + row[c], 0) / rows.length)

describe('added tokens', () => {
  it('come from the base, else from the only owner, else from the mean of the owners', async () => {
    const [a, b, c] = [
      await model('a', 1, { added: ['<|tool|>'] }),
      await model('b', 2, { rows: 106, added: ['<|think|>', '<|both|>'] }),
      await model('c', 3, { rows: 105, added: ['<|both|>'] }),
    ]
    const { checkpoints, union: plan } = union({ a, b, c })
    // a keeps its ids: <|tool|> 103; then b's <|think|> and <|both|>.
    expect(plan.tokens.slice(103)).toEqual(['<|tool|>', '<|think|>', '<|both|>'])
    expect(plan.rowCount).toBe(106)
    const [A, B, D] = ['a', 'b', 'c'].map((name) => checkpoints.get(name)!)
    for (const checkpoint of [A, B, D]) expect(checkpoint.config.vocabSize).toBe(106)
    const tool = await rowOf(a, 103)
    expect(await rowOf(A, 103)).toEqual(tool)
    expect(await rowOf(B, 103)).toEqual(tool)
    const think = await rowOf(b, 103)
    expect(await rowOf(A, 104)).toEqual(think)
    expect(await rowOf(B, 104)).toEqual(think)
    const both = mean(await rowOf(b, 104), await rowOf(c, 103)).map(Math.fround)
    expect(await rowOf(A, 105)).toEqual(both)
    expect(await rowOf(B, 105)).toEqual(await rowOf(b, 104))
    expect(await rowOf(D, 105, 'lm_head.weight')).toEqual(await rowOf(c, 103, 'lm_head.weight'))
    // The first rows are everybody's own, in one read or in many.
    expect(await readElements(B.stored.get(EMBED)!, 0, 103 * C)).toEqual(
      await readElements(b.stored.get(EMBED)!, 0, 103 * C),
    )
    expect(plan.borrowed).toBe(3)
  })

  it('make a tokenizer that knows them, in every file that says so', async () => {
    const [a, b] = [await model('a', 1), await model('b', 2, { rows: 106, added: ['<|think|>'] })]
    const { checkpoints } = union({ a, b })
    const merged = checkpoints.get('b')!
    const codec = new TextCodec(merged)
    expect(codec.encodeText('hel<|think|>')).toEqual([97, 103])
    const copied = await merged.folder.file('tokenizer.json')
    const json = JSON.parse(new TextDecoder().decode(await copied!.read(0, copied!.size)))
    expect(json.added_tokens.at(-1)).toMatchObject({ id: 103, content: '<|think|>' })
    expect(merged.rawConfig.vocab_size).toBe(104)
    expect(await merged.folder.file('vocab.json')).toBeUndefined()
  })

  it('leave special tokens what they are in the vocabulary that is taken', async () => {
    const [a, b] = [await model('a', 1), await model('b', 2, { rows: 106, added: ['<|stop|>'] })]
    const ended = {
      ...b,
      rawConfig: { ...b.rawConfig, eos_token_id: 103 },
      config: { ...b.config, endTokens: [103] },
    }
    const first = { ...a, rawConfig: { ...a.rawConfig, eos_token_id: 7, pad_token_id: 5 } }
    const { checkpoints, union: plan } = union({ a: first, b: ended }, { source: { model: 'b' } })
    const { rawConfig, config } = checkpoints.get('a')!
    expect(rawConfig.eos_token_id).toBe(103)
    expect(rawConfig.pad_token_id).toBe(b.rawConfig.pad_token_id)
    expect(config.endTokens).toEqual([103])
    expect(rawConfig.vocab_size).toBe(106)
    expect(notesOf(plan)).toEqual([
      'the vocabulary is that of b with 0 tokens appended: 104 tokens, 106 rows; for 1 of them some model has the row of another',
    ])
  })

  it('follow the rules given for a token', async () => {
    const [a, b] = [await model('a', 1, { added: ['<|x|>'] }), await model('b', 2, { added: ['<|x|>'] })]
    const rule = (source: TokenRule['source'], force: boolean) => {
      tokens.set('<|x|>', { source, force })
      return union({ a, b }, { tokens }).checkpoints
    }
    const tokens = new Map<string, TokenRule>()
    const forced = rule({ kind: 'model', model: 'b' }, true)
    expect(await rowOf(forced.get('a')!, 103)).toEqual(await rowOf(b, 103))
    const kept = rule({ kind: 'model', model: 'b' }, false)
    expect(await rowOf(kept.get('a')!, 103)).toEqual(await rowOf(a, 103))
    const other = rule({ kind: 'token', model: 'a', token: 'he' }, true)
    expect(await rowOf(other.get('b')!, 103)).toEqual(await rowOf(a, 96))
    const zero = rule({ kind: 'zero' }, true)
    expect(await rowOf(zero.get('b')!, 103)).toEqual(new Array(C).fill(0))
    await expectFailure(() => rule({ kind: 'token', model: 'a', token: 'nope' }, true), 'request-invalid')
    tokens.clear()
    tokens.set('<|y|>', { source: { kind: 'zero' }, force: true })
    await expectFailure(() => union({ a, b }, { tokens }), 'request-invalid')
  })
})

describe('rows', () => {
  it('of padding keep to their owner, or are the mean of the model’s own', async () => {
    const [a, b] = [await model('a', 1), await model('b', 2, { rows: 110 })]
    const padded = union({ a, b }, { padToMultipleOf: 16 }).checkpoints
    const [A, B] = [padded.get('a')!, padded.get('b')!]
    expect(A.config.vocabSize).toBe(112)
    expect(await rowOf(A, 103)).toEqual(await rowOf(a, 103))
    expect(await rowOf(A, 107)).toEqual(await rowOf(b, 107))
    const all = await Promise.all(Array.from({ length: 110 }, (_, row) => rowOf(b, row)))
    const expected = mean(...all)
    for (const [c, value] of (await rowOf(B, 111)).entries()) expect(value).toBeCloseTo(expected[c], 6)
    // Padding of the base is no token of the other.
    const base = union({ a, b }, { source: { model: 'a' } }).checkpoints
    expect(base.get('b')!.config.vocabSize).toBe(104)
  })

  it('of a base vocabulary drop what the base does not have', async () => {
    const [a, b] = [await model('a', 1), await model('b', 2, { rows: 105, added: ['<|x|>'] })]
    const { checkpoints, union: plan } = union({ a, b }, { source: { model: 'a' } })
    expect(plan.tokens).toHaveLength(103)
    const B = checkpoints.get('b')!
    expect(B.config.vocabSize).toBe(104)
    // Row 103 is padding in a and <|x|> in b: it belongs to a.
    expect(await rowOf(B, 103)).toEqual(await rowOf(a, 103))
    expect((await B.readWeight(EMBED)).bytes.byteLength).toBe(104 * C * 4)
    expect(B.parameterCount).toBe(b.parameterCount - 2 * C)
  })
})

describe('vocabularies that differ in their core', () => {
  it('are joined token by token and rule by rule, and it is said', async () => {
    const [a, b] = [
      await model('a', 1),
      await model('b', 2, { rows: 105, learned: [{ token: 'lo', rule: 'l o' }] }),
    ]
    const { checkpoints, union: plan } = union({ a, b })
    expect(plan.notes[0]).toContain('b brings 1 tokens and 1 merge rules')
    expect(new TextCodec(checkpoints.get('a')!).encodeText('lo')).toEqual([103])
    expect(await rowOf(checkpoints.get('a')!, 103)).toEqual(await rowOf(b, 103))
  })

  it('are refused when they are of another kind, and when a token has no row', async () => {
    const [a, b] = [await model('a', 1), await model('b', 2)]
    const wordPiece = {
      ...b,
      tokenizerJson: { ...b.tokenizerJson, model: { type: 'WordPiece', vocab: { a: 0 } } },
    }
    await expectFailure(() => union({ a, b: wordPiece }), 'tokenizer-mismatch')
    await expectFailure(() => union({ a, b: { ...b, tokenizerJson: undefined } }), 'file-missing')
    const many = await model('c', 3, { rows: 104, added: ['<|x|>', '<|y|>'] })
    await expectFailure(() => union({ a, c: many }), 'tokenizer-mismatch')
    await expectFailure(() => union({ a, b }, { padToMultipleOf: 0.5 }), 'request-invalid')
  })

  it('leave models alone that have one vocabulary already', async () => {
    const [a, b] = [await model('a', 1), await model('b', 2)]
    const { checkpoints, union: plan } = union({ a, b })
    expect(plan).toMatchObject({ appended: [], borrowed: 0, rowCount: 104, padding: [] })
    expect(checkpoints.get('b')).toBe(b)
  })
})
