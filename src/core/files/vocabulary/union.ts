// Several vocabularies made one: which tokens the result has, and, for every model and every row of the result, which
// of whose rows stand there. A model's own row always comes first; what it lacks comes from the base, else from the only
// model that has it, else from the mean of those that have it, else zeros (mergekit's order, tokenizer/embed.py).

import { EngineError } from '../../errors.ts'
import { type AddedToken, cut, type Vocabulary } from './vocabulary.ts'

/** A row of some model's embedding. */
export interface TokenRow {
  model: string
  row: number
}

/** Where a token's rows come from instead, mergekit's `tokenizer.tokens.<token>`. */
export interface TokenRule {
  source:
    | { kind: 'model'; model: string }
    | { kind: 'token'; model: string; token: string | number }
    | { kind: 'zero' }
  /** true: for models that have the token too */
  force: boolean
}

export interface VocabularyInput {
  name: string
  vocabulary: Vocabulary
  /** rows of its embedding, padding included */
  rowCount: number
}

export interface UnionOptions {
  /** whose ids stay as they are; also whose rows are taken first */
  base: string
  /** `union`: all tokens of all models; a model: its own tokens alone */
  source: 'union' | { model: string }
  tokens?: ReadonlyMap<string, TokenRule>
  padToMultipleOf?: number | undefined
}

export interface VocabularyUnion {
  /** model whose tokenizer files the result's are made from */
  from: string
  /** tokens by id, holes undefined */
  tokens: (string | undefined)[]
  /** tokens that `from` does not have, in the order of their ids */
  appended: { id: number; token: string; added?: AddedToken }[]
  /** merge rules that `from` does not have */
  appendedRules: string[]
  /** rows of the embedding, padding included */
  rowCount: number
  /** rows past the tokens that nobody has: filled with the mean of a model's own */
  padding: number[]
  /** model → for each row, the rows whose mean it is; empty is zeros */
  rows: Map<string, TokenRow[][]>
  /** tokens for which some model's row comes from elsewhere */
  borrowed: number
  notes: string[]
}

/** The plan of a union. Throws `tokenizer-mismatch` or `request-invalid` where it cannot be made. */
export function unionOf(inputs: readonly VocabularyInput[], options: UnionOptions): VocabularyUnion {
  const from = options.source === 'union' ? options.base : options.source.model
  const byName = new Map(inputs.map((input) => [input.name, input]))
  const start = byName.get(from)
  if (!start) throw new EngineError('request-invalid', `the vocabulary of ${from}: no such model`)
  for (const { name, vocabulary, rowCount } of inputs) {
    if (vocabulary.tokens.length > rowCount)
      throw new EngineError(
        'tokenizer-mismatch',
        `${name} has ${vocabulary.tokens.length} tokens and ${rowCount} rows of embedding`,
        { file: 'tokenizer.json' },
      )
    if (vocabulary.model !== start.vocabulary.model)
      throw new EngineError(
        'tokenizer-mismatch',
        `${name} has a ${vocabulary.model} tokenizer, ${from} a ${start.vocabulary.model}: they cannot be joined`,
        { file: 'tokenizer.json' },
      )
  }
  const tokens = [...start.vocabulary.tokens]
  const ids = new Map(tokens.flatMap((token, id) => (token === undefined ? [] : [[token, id] as const])))
  const appended: VocabularyUnion['appended'] = []
  const appendedRules: string[] = []
  const notes: string[] = []
  if (options.source === 'union') {
    const rules = new Set(start.vocabulary.rules)
    for (const { name, vocabulary } of inputs) {
      const added = new Map(vocabulary.added.map((token) => [token.content, token]))
      let fresh = 0
      vocabulary.tokens.forEach((token) => {
        if (token === undefined || ids.has(token)) return
        const id = tokens.length
        const entry = added.get(token)
        ids.set(token, id)
        tokens.push(token)
        appended.push({ id, token, ...(entry && { added: entry }) })
        if (!entry) fresh++
      })
      const unknown = vocabulary.model === 'BPE' ? vocabulary.rules.filter((rule) => !rules.has(rule)) : []
      for (const rule of unknown) {
        rules.add(rule)
        appendedRules.push(rule)
      }
      if (fresh > 0 || unknown.length > 0)
        notes.push(
          `${name} brings ${fresh} tokens and ${unknown.length} merge rules of its own: texts may be split otherwise than in ${from}`,
        )
    }
    if (appended.some(({ added }) => !added) && start.vocabulary.model !== 'BPE')
      throw new EngineError(
        'tokenizer-mismatch',
        `vocabularies of ${start.vocabulary.model} tokenizers differ: only added tokens can be joined`,
        { file: 'tokenizer.json' },
      )
  }
  for (const token of options.tokens?.keys() ?? [])
    if (!ids.has(token))
      throw new EngineError(
        'request-invalid',
        `tokens: ${cut(JSON.stringify(token))} is no token of the result`,
      )
  const rowCount = paddedRows(Math.max(tokens.length, start.rowCount), options.padToMultipleOf)
  const { rows, borrowed } = rowsOf(inputs, tokens, rowCount, options)
  const padding = Array.from({ length: rowCount }, (_, id) => id).filter(
    (id) => tokens[id] === undefined && inputs.every((input) => id >= input.rowCount),
  )
  return { from, tokens, appended, appendedRules, rowCount, padding, rows, borrowed, notes }
}

/** What a union did, for people; nothing where every model kept its own rows. */
export function notesOf({ from, tokens, rowCount, appended, borrowed, notes }: VocabularyUnion): string[] {
  if (appended.length === 0 && borrowed === 0) return notes
  return [
    `the vocabulary is that of ${from} with ${appended.length} tokens appended: ${tokens.length} tokens, ${rowCount} rows; for ${borrowed} of them some model has the row of another`,
    ...notes,
  ]
}

function paddedRows(count: number, multiple: number | undefined): number {
  if (multiple === undefined) return count
  if (!Number.isInteger(multiple) || multiple < 1 || multiple > 2 ** 16)
    throw new EngineError('request-invalid', `pad_to_multiple_of ${multiple}: expected 1 to 65536`)
  return Math.ceil(count / multiple) * multiple
}

function rowsOf(
  inputs: readonly VocabularyInput[],
  tokens: readonly (string | undefined)[],
  rowCount: number,
  { base, tokens: rules }: UnionOptions,
): { rows: Map<string, TokenRow[][]>; borrowed: number } {
  const places = new Map(
    inputs.map(({ name, vocabulary }) => [
      name,
      new Map(
        vocabulary.tokens.flatMap((token, row) => (token === undefined ? [] : [[token, row] as const])),
      ),
    ]),
  )
  const find = (model: string, token: string | number): TokenRow[] => {
    const row = typeof token === 'number' ? token : places.get(model)?.get(token)
    const input = inputs.find(({ name }) => name === model)
    if (!input || row === undefined || row >= input.rowCount)
      throw new EngineError(
        'request-invalid',
        `tokens: ${model} has no row for ${cut(JSON.stringify(token))}`,
      )
    return [{ model, row }]
  }
  const given = (token: string): { rows: TokenRow[]; force: boolean } | undefined => {
    const rule = rules?.get(token)
    if (!rule) return undefined
    const { source, force } = rule
    if (source.kind === 'zero') return { rows: [], force }
    return { rows: find(source.model, source.kind === 'model' ? token : source.token), force }
  }
  const rows = new Map<string, TokenRow[][]>(inputs.map(({ name }) => [name, []]))
  let borrowed = 0
  for (let id = 0; id < rowCount; id++) {
    const token = tokens[id]
    const rule = token === undefined ? undefined : given(token)
    // A row without a token belongs to whoever has a row there and no token on it: padding stays where it was.
    const owners = inputs.flatMap(({ name, vocabulary, rowCount: own }): TokenRow[] => {
      const row = token === undefined ? id : places.get(name)!.get(token)
      const isOwn =
        row !== undefined && row < own && (token !== undefined || vocabulary.tokens[id] === undefined)
      return isOwn ? [{ model: name, row }] : []
    })
    const fallback =
      rule?.rows ??
      (owners.some(({ model }) => model === base) ? owners.filter(({ model }) => model === base) : owners)
    let isBorrowed = false
    for (const { name } of inputs) {
      const own = owners.find(({ model }) => model === name)
      const isKept = own !== undefined && rule?.force !== true
      rows.get(name)!.push(isKept ? [own] : fallback)
      if (!isKept && token !== undefined) isBorrowed = true
    }
    if (isBorrowed) borrowed++
  }
  return { rows, borrowed }
}
