// A labeller made of rules on words and phrases: no model, no device, the same scores on every machine. The time of a
// text of n words is at most n × (words of all phrases) × (gap + 1): there is nothing to backtrack into.

import { throwIfCancelled } from '../../errors.ts'
import { parseJsonObject } from '../../files/source.ts'
import { hasRepeats, isWord, tokensOf } from '../scorer.ts'
import { digestOf, LABELS, type Label, type LabelItem, type Labeller, type LabelScores } from './labeller.ts'
import {
  type Condition,
  type Field,
  type LabelRules,
  type Place,
  type RuleFile,
  readRules,
} from './ruleFormat.ts'

/** A rule set read from the text of its file; errors name `file` and the entry. */
export async function openRules(text: string, file: string): Promise<Labeller> {
  const rules = readRules(parseJsonObject(text, file), file)
  return rulesLabeller(rules, await digestOf(['rules', text]))
}

/** The labeller of a checked rule set. */
export function rulesLabeller(file: RuleFile, digest: string): Labeller {
  const gives = LABELS.filter((label) => file.labels[label] !== undefined)
  const scorers = gives.map((label) => ({ label, score: compile(file.labels[label]!) }))
  const counts = gives.map((label): [Label, number] => [label, file.labels[label]!.rules.length])
  return {
    name: file.name,
    about: file.about,
    digest,
    gives,
    source: { kind: 'rules', license: file.license, rules: Object.fromEntries(counts) },
    async label(items, { signal, onProgress } = {}) {
      throwIfCancelled(signal)
      const scores = items.map((item): LabelScores => {
        const texts = readTexts(item)
        return Object.fromEntries(scorers.map(({ label, score }) => [label, score(texts)]))
      })
      onProgress?.(items.length, items.length)
      return scores
    },
    async close() {},
  }
}

/** A text in words; undefined where the item has none. */
type Texts = Record<Field, { tokens: string[]; squeezed: string } | undefined>
type Test = (texts: Texts) => boolean

function readTexts({ prompt, answer, reference }: LabelItem): Texts {
  const read = (text: string) => ({
    tokens: tokensOf(text),
    squeezed: text.trim().replace(/\s+/g, ' ').toLowerCase(),
  })
  return {
    prompt: read(prompt),
    answer: read(answer),
    reference: reference === undefined ? undefined : read(reference),
  }
}

function compile({ combine, otherwise, rules }: LabelRules): (texts: Texts) => number {
  const compiled = rules.map(({ score, when, unless }) => {
    const all = when.map(compileCondition)
    const none = unless.map(compileCondition)
    const holds: Test = (texts) => all.every((test) => test(texts)) && !none.some((test) => test(texts))
    return { score, holds }
  })
  return (texts) => {
    if (combine === 'first') return compiled.find(({ holds }) => holds(texts))?.score ?? otherwise
    const scores = compiled.flatMap(({ score, holds }) => (holds(texts) ? [score] : []))
    if (combine === 'max') return scores.length === 0 ? otherwise : Math.max(...scores)
    return Math.min(
      1,
      Math.max(
        0,
        scores.reduce((sum, score) => sum + score, otherwise),
      ),
    )
  }
}

function compileCondition(condition: Condition): Test {
  const { in: field } = condition
  switch (condition.kind) {
    case 'has': {
      const index = indexPhrases(condition.phrases)
      return (texts) => hasPhrase(texts[field]?.tokens, index, condition.at)
    }
    case 'sequence': {
      const indices = condition.lists.map(indexPhrases)
      return (texts) => hasSequence(texts[field]?.tokens, indices, condition.gap)
    }
    case 'only': {
      const known = new Set(condition.words.flatMap(tokensOf))
      return (texts) => texts[field]?.tokens.every((token) => !isWord(token) || known.has(token)) === true
    }
    case 'repeats':
      return (texts) => texts[field] !== undefined && hasRepeats(texts[field].tokens)
    case 'equals':
      return (texts) =>
        texts[field] !== undefined && texts[field].squeezed === texts[condition.other]?.squeezed
  }
}

/** First word → phrases that begin with it. */
type PhraseIndex = ReadonlyMap<string, readonly (readonly string[])[]>

function indexPhrases(phrases: readonly string[]): PhraseIndex {
  const index = new Map<string, string[][]>()
  for (const phrase of phrases) {
    const tokens = tokensOf(phrase)
    if (tokens.length === 0) continue
    const same = index.get(tokens[0])
    if (same) same.push(tokens)
    else index.set(tokens[0], [tokens])
  }
  return index
}

/** Ends of the phrases that begin at `start`. */
function endsAt(tokens: readonly string[], start: number, index: PhraseIndex): number[] {
  return (index.get(tokens[start]) ?? []).flatMap((phrase) =>
    phrase.every((token, i) => tokens[start + i] === token) ? [start + phrase.length] : [],
  )
}

function hasPhrase(tokens: readonly string[] | undefined, index: PhraseIndex, at: Place): boolean {
  if (!tokens) return false
  const mustEnd = at === 'end' || at === 'whole'
  const starts = at === 'start' || at === 'whole' ? Math.min(1, tokens.length) : tokens.length
  for (let start = 0; start < starts; start++)
    if (endsAt(tokens, start, index).some((end) => !mustEnd || end === tokens.length)) return true
  return false
}

/** All places that a prefix of the lists can end at, list by list. */
function hasSequence(
  tokens: readonly string[] | undefined,
  indices: readonly PhraseIndex[],
  gap: number,
): boolean {
  if (!tokens) return false
  let starts = new Set<number>(tokens.keys())
  for (const index of indices) {
    const ends = new Set([...starts].flatMap((start) => endsAt(tokens, start, index)))
    if (ends.size === 0) return false
    starts = new Set<number>()
    for (const end of ends) for (let skip = 0; skip <= gap; skip++) starts.add(end + skip)
  }
  return true
}
