// The file of a rule set: our own JSON format, version 1, described in docs/labellers.md. Checked whole when it is
// read. Rules match words and phrases alone: no regular expressions, so that no file can make matching slow.

import { EngineError } from '../../errors.ts'
import { LABELS, type Label } from './labeller.ts'

export const RULES_FORMAT = 'alignmerge-labeller'

/**
 * How the scores of the rules that hold become one, `otherwise` where none holds:
 * first  score of the first of them
 * max    the largest of them
 * sum    otherwise + their sum, cut to [0, 1]; scores may be negative
 */
export const COMBINATIONS = ['first', 'max', 'sum'] as const
export type Combination = (typeof COMBINATIONS)[number]

export const FIELDS = ['prompt', 'answer', 'reference'] as const
export type Field = (typeof FIELDS)[number]

/** Where in the text a phrase must stand. */
export const PLACES = ['anywhere', 'start', 'end', 'whole'] as const
export type Place = (typeof PLACES)[number]

/** One test of one text; words are compared in lower case. */
export type Condition =
  /** any of the phrases stands there, word by word */
  | { kind: 'has'; in: Field; phrases: string[]; at: Place }
  /** a phrase of each list after the other, with at most `gap` words between */
  | { kind: 'sequence'; in: Field; lists: string[][]; gap: number }
  /** no word but these; signs do not count */
  | { kind: 'only'; in: Field; words: string[] }
  /** a word twice in a row, or any three words and signs in a row twice */
  | { kind: 'repeats'; in: Field }
  /** the same text, case and spaces aside; never true where one of them is missing */
  | { kind: 'equals'; in: Field; other: Field }

export interface Rule {
  score: number
  /** all must hold */ when: Condition[]
  /** none may hold */ unless: Condition[]
}

export interface LabelRules {
  about: string
  combine: Combination
  /** the score where no rule holds; the start of a sum */ otherwise: number
  rules: Rule[]
}

export interface RuleFile {
  name: string
  about: string
  license: string
  labels: Partial<Record<Label, LabelRules>>
}

/** Far above any sensible file. Together they bound the time of a match. */
const MAX = { rules: 1000, conditions: 16, lists: 8, gap: 16, phrases: 20_000, text: 2000 }

type Fail = (what: string) => never

/** Checks parsed JSON; `file-malformed` or `file-unsupported` say which entry is wrong and what was expected. */
export function readRules(json: unknown, file: string): RuleFile {
  const fail: Fail = (what) => {
    throw new EngineError('file-malformed', what, { file })
  }
  const raw = recordOf(json, 'a rule set', fail)
  if (raw.format !== RULES_FORMAT) fail(`format: expected "${RULES_FORMAT}", found ${show(raw.format)}`)
  if (raw.version !== 1)
    throw new EngineError('file-unsupported', `version: expected 1, found ${show(raw.version)}`, { file })
  checkKeys(raw, ['format', 'version', 'name', 'about', 'license', 'lists', 'labels'], 'a rule set', fail)
  const lists = new Map<string, string[]>()
  for (const [name, list] of Object.entries(recordOf(raw.lists ?? {}, 'lists', fail)))
    lists.set(name, phrasesOf(list, `lists.${name}`, new Map(), fail))
  const given = recordOf(raw.labels, 'labels', fail)
  checkKeys(given, LABELS, 'labels', fail)
  const labels: RuleFile['labels'] = {}
  for (const label of LABELS)
    if (given[label] !== undefined) labels[label] = readLabel(given[label], `labels.${label}`, lists, fail)
  if (Object.keys(labels).length === 0)
    fail(`labels: expected at least one of ${LABELS.join(', ')}, found none`)
  return {
    name: textOf(raw.name, 'name', fail, 80),
    about: textOf(raw.about, 'about', fail),
    license: textOf(raw.license, 'license', fail, 80),
    labels,
  }
}

function readLabel(
  json: unknown,
  place: string,
  lists: ReadonlyMap<string, string[]>,
  fail: Fail,
): LabelRules {
  const raw = recordOf(json, place, fail)
  checkKeys(raw, ['about', 'combine', 'otherwise', 'rules'], place, fail)
  const combine = choiceOf(raw.combine, COMBINATIONS, `${place}.combine`, fail)
  const rules = listOf(raw.rules, `${place}.rules`, MAX.rules, fail)
  return {
    about: textOf(raw.about, `${place}.about`, fail),
    combine,
    otherwise: numberOf(raw.otherwise, 0, 1, `${place}.otherwise`, fail),
    rules: rules.map((entry, i): Rule => {
      const at = `${place}.rules[${i}]`
      const rule = recordOf(entry, at, fail)
      checkKeys(rule, ['score', 'when', 'unless', 'note'], at, fail)
      const conditions = (key: 'when' | 'unless', found: unknown) =>
        listOf(found, `${at}.${key}`, MAX.conditions, fail).map((condition, j) =>
          readCondition(condition, `${at}.${key}[${j}]`, lists, fail),
        )
      return {
        score: numberOf(rule.score, combine === 'sum' ? -1 : 0, 1, `${at}.score`, fail),
        when: conditions('when', rule.when),
        unless: rule.unless === undefined ? [] : conditions('unless', rule.unless),
      }
    }),
  }
}

const TESTS = ['has', 'sequence', 'only', 'repeats', 'equals'] as const

function readCondition(
  json: unknown,
  place: string,
  lists: ReadonlyMap<string, string[]>,
  fail: Fail,
): Condition {
  const raw = recordOf(json, place, fail)
  const kinds = TESTS.filter((test) => raw[test] !== undefined)
  if (kinds.length !== 1)
    fail(
      `${place}: expected one of ${TESTS.join(', ')}, found ${kinds.length === 0 ? 'none' : kinds.join(' and ')}`,
    )
  const kind = kinds[0]
  const extra = kind === 'has' ? ['at'] : kind === 'sequence' ? ['gap'] : []
  checkKeys(raw, ['in', kind, ...extra], place, fail)
  const field = choiceOf(raw.in, FIELDS, `${place}.in`, fail)
  switch (kind) {
    case 'has':
      return {
        kind,
        in: field,
        phrases: phrasesOf(raw.has, `${place}.has`, lists, fail),
        at: raw.at === undefined ? 'anywhere' : choiceOf(raw.at, PLACES, `${place}.at`, fail),
      }
    case 'sequence':
      return {
        kind,
        in: field,
        lists: listOf(raw.sequence, `${place}.sequence`, MAX.lists, fail).map((list, i) =>
          phrasesOf(list, `${place}.sequence[${i}]`, lists, fail),
        ),
        gap: raw.gap === undefined ? 0 : integerOf(raw.gap, MAX.gap, `${place}.gap`, fail),
      }
    case 'only':
      return { kind, in: field, words: phrasesOf(raw.only, `${place}.only`, lists, fail) }
    case 'repeats':
      if (raw.repeats !== true) fail(`${place}.repeats: expected true, found ${show(raw.repeats)}`)
      return { kind, in: field }
    case 'equals': {
      const other = choiceOf(raw.equals, FIELDS, `${place}.equals`, fail)
      if (other === field) fail(`${place}.equals: ${field} always equals itself`)
      return { kind, in: field, other }
    }
  }
}

/** Phrases; "@name" stands for a list of the file. */
function phrasesOf(json: unknown, place: string, lists: ReadonlyMap<string, string[]>, fail: Fail): string[] {
  const phrases = listOf(json, place, MAX.phrases, fail).flatMap((entry, i) => {
    const phrase = textOf(entry, `${place}[${i}]`, fail, 200)
    if (!phrase.startsWith('@')) return [phrase]
    return lists.get(phrase.slice(1)) ?? fail(`${place}[${i}]: there is no list ${show(phrase.slice(1))}`)
  })
  if (phrases.length > MAX.phrases) fail(`${place}: more than ${MAX.phrases} phrases`)
  return phrases
}

function recordOf(value: unknown, place: string, fail: Fail): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail(`${place}: expected an object, found ${show(value)}`)
  return value as Record<string, unknown>
}

/** A key that nobody reads is a rule that its author believes in. */
function checkKeys(raw: Record<string, unknown>, known: readonly string[], place: string, fail: Fail): void {
  const wrong = Object.keys(raw).find((key) => !known.includes(key))
  if (wrong !== undefined) fail(`${place}: unknown key ${show(wrong)}, expected ${known.join(', ')}`)
}

function listOf(value: unknown, place: string, most: number, fail: Fail): unknown[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > most)
    return fail(`${place}: expected a list of 1 … ${most} entries, found ${show(value)}`)
  return value
}

function textOf(value: unknown, place: string, fail: Fail, most = MAX.text): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > most)
    return fail(`${place}: expected a text of 1 … ${most} characters, found ${show(value)}`)
  return value
}

function numberOf(value: unknown, low: number, high: number, place: string, fail: Fail): number {
  if (typeof value !== 'number' || !(value >= low && value <= high))
    return fail(`${place}: expected a number from ${low} to ${high}, found ${show(value)}`)
  return value
}

function integerOf(value: unknown, high: number, place: string, fail: Fail): number {
  const found = numberOf(value, 0, high, place, fail)
  return Number.isInteger(found) ? found : fail(`${place}: expected a whole number, found ${found}`)
}

function choiceOf<T extends string>(value: unknown, choices: readonly T[], place: string, fail: Fail): T {
  return (
    choices.find((choice) => choice === value) ??
    fail(`${place}: expected one of ${choices.join(', ')}, found ${show(value)}`)
  )
}

/** A found value in an error message: short, whatever it is. */
function show(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
