// The vocabulary of a tokenizer.json: which token has which id, the rules that make tokens, and the tokens that were
// added to it later. What it means to join several is union.ts.

import { EngineError } from '../../errors.ts'

/** A token that is matched as it stands, before the model splits the text. */
export interface AddedToken {
  id: number
  content: string
  special: boolean
  /** the entry as the file spells it */
  raw: Record<string, unknown>
}

export interface Vocabulary {
  /** BPE, Unigram, WordPiece … */
  model: string
  /** by id, added ones included; holes are undefined */
  tokens: (string | undefined)[]
  /** merges of BPE, scores of Unigram */
  rules: string[]
  added: AddedToken[]
}

const MAX_TOKENS = 2 ** 22

/** Checks and reads; `file-malformed` names the entry that is no token. */
export function readVocabulary(json: Record<string, unknown>, name: string): Vocabulary {
  const malformed = (message: string): never => {
    throw new EngineError('file-malformed', `${name}: ${message}`, { file: 'tokenizer.json' })
  }
  const model = json.model as Record<string, unknown> | null | undefined
  if (typeof model !== 'object' || model === null) return malformed('expected a model')
  const tokens: (string | undefined)[] = []
  const place = (token: unknown, id: unknown) => {
    if (typeof token !== 'string' || !Number.isInteger(id) || Number(id) < 0 || Number(id) > MAX_TOKENS)
      malformed(`expected a token and its id, found ${cut(JSON.stringify([token, id]))}`)
    tokens[id as number] = token as string
  }
  const rules: string[] = []
  if (Array.isArray(model.vocab)) {
    model.vocab.forEach((entry, id) => {
      place(Array.isArray(entry) ? entry[0] : entry, id)
      rules.push(JSON.stringify(entry))
    })
  } else if (typeof model.vocab === 'object' && model.vocab !== null) {
    for (const [token, id] of Object.entries(model.vocab)) place(token, id)
  } else malformed('expected model.vocab')
  // Two spellings of the same merge are in use: "a b" and ["a", "b"].
  for (const merge of Array.isArray(model.merges) ? model.merges : [])
    rules.push(Array.isArray(merge) ? merge.join(' ') : String(merge))
  const added: AddedToken[] = []
  for (const entry of Array.isArray(json.added_tokens) ? json.added_tokens : []) {
    place(entry?.content, entry?.id)
    added.push({ id: entry.id, content: entry.content, special: entry.special === true, raw: entry })
  }
  return { model: String(model.type ?? 'BPE'), tokens, rules, added }
}

/** A text for a message, cut short. */
export function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

export function showToken(value: string | undefined): string {
  return value === undefined ? 'absent' : cut(JSON.stringify(value))
}

/** The first things in which two vocabularies differ, in words, at most `limit`; empty when they are the same. */
export function vocabularyDifferences(
  anchor: { name: string; vocabulary: Vocabulary },
  other: { name: string; vocabulary: Vocabulary },
  limit = 1,
): string[] {
  const [a, b] = [anchor.vocabulary, other.vocabulary]
  if (a.model !== b.model) return [`${other.name} has a ${b.model} tokenizer, ${anchor.name} a ${a.model}`]
  const found: string[] = []
  for (let id = 0; id < Math.max(a.tokens.length, b.tokens.length) && found.length < limit; id++)
    if (a.tokens[id] !== b.tokens[id])
      found.push(
        `token ${id} is ${showToken(b.tokens[id])} in ${other.name} and ${showToken(a.tokens[id])} in ${anchor.name}`,
      )
  for (let i = 0; i < Math.max(a.rules.length, b.rules.length) && found.length < limit; i++)
    if (a.rules[i] !== b.rules[i])
      found.push(
        `merge rule ${i} is ${showToken(b.rules[i])} in ${other.name} and ${showToken(a.rules[i])} in ${anchor.name}`,
      )
  return found
}
