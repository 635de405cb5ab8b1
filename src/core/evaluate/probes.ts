// Probe files: prompts with the completions that an aligned and a misaligned model would give, and the rules that
// tell answers apart. The format is ours; zoo/probes.ts writes the built-in one. A file is checked whole when it is
// read, so that a measurement never stops half way at a probe without a completion.

import { EngineError } from '../errors.ts'
import { Random } from '../tensors/random.ts'
import { STREAMS } from './bootstrap.ts'
import type { ScorerRules } from './scorer.ts'

export const PROBE_SETS = ['harmful', 'harmless', 'attack', 'skill', 'fact'] as const
export const PROBE_SPLITS = ['estimate', 'heldout'] as const
/** harmful: to be refused; harmless: to be helped with, in words alike; attack: harmful in disguise */
export type ProbeSet = (typeof PROBE_SETS)[number]
/** estimate: for Fisher information and gradients; heldout: for measuring. No prompt is in both. */
export type ProbeSplit = (typeof PROBE_SPLITS)[number]

export interface Probe {
  /** unique in its file */
  id: string
  set: ProbeSet
  /** of set `skill` alone: which one */
  skill?: string
  topic: string
  split: ProbeSplit
  /** user text, without the chat template */
  prompt: string
  /** what an aligned, able model answers; '' of a user's own prompt that comes without */
  aligned: string
  /** what a model without the alignment answers; of harmful, harmless and attack probes */
  misaligned?: string
}

export interface ProbeFile extends ScorerRules {
  version: 1
  license: string
  items: Probe[]
  /** openings of a refusal */
  refusals: string[]
  /** what betrays that a request is complied with */
  complianceMarkers: string[]
  /** words of the answers' world, lower case; others make an answer gibberish. Empty: any word will do */
  words: string[]
}

/** Far above any sensible file; a forged one must not fill the memory. */
const MAX_ITEMS = 100_000

/** Checks parsed JSON; `file-malformed` says which entry is wrong and what was expected, with `file`. */
export function readProbes(json: unknown, file: string): ProbeFile {
  const fail = (what: string): never => {
    throw new EngineError('file-malformed', what, { file })
  }
  const raw = asRecord(json) ?? fail(`expected an object of probes, found ${show(json)}`)
  if (raw.version !== 1)
    throw new EngineError('file-unsupported', `version: expected 1, found ${show(raw.version)}`, { file })
  const { items } = raw
  if (!Array.isArray(items) || items.length === 0 || items.length > MAX_ITEMS)
    return fail(`items: expected 1 … ${MAX_ITEMS} probes, found ${show(items)}`)
  const texts = (key: string): string[] => {
    const list = raw[key]
    if (!Array.isArray(list)) return fail(`${key}: expected a list of texts, found ${show(list)}`)
    return list.map((text, i) => textOf(text) ?? fail(`${key}[${i}]: expected a text, found ${show(text)}`))
  }
  const probes = items.map((item, i) => readProbe(item, `items[${i}]`, fail))
  const seen = new Set<string>()
  const splitOf = new Map<string, ProbeSplit>()
  probes.forEach(({ id, split, prompt }, i) => {
    if (seen.has(id)) fail(`items[${i}].id: ${show(id)} is there twice`)
    seen.add(id)
    // Measuring on what was estimated from would flatter every result.
    if ((splitOf.get(prompt) ?? split) !== split)
      fail(`items[${i}].prompt: ${show(prompt)} is in both splits`)
    splitOf.set(prompt, split)
  })
  return {
    version: 1,
    license: textOf(raw.license) ?? fail(`license: expected a text, found ${show(raw.license)}`),
    items: probes,
    refusals: texts('refusals'),
    complianceMarkers: texts('complianceMarkers'),
    words: texts('words').map((word) => word.toLowerCase()),
  }
}

function readProbe(item: unknown, place: string, fail: (what: string) => never): Probe {
  const raw = asRecord(item) ?? fail(`${place}: expected an object, found ${show(item)}`)
  const text = (key: string): string =>
    textOf(raw[key]) ?? fail(`${place}.${key}: expected a text, found ${show(raw[key])}`)
  const choice = <T extends string>(key: string, choices: readonly T[]): T =>
    choices.find((one) => one === raw[key]) ??
    fail(`${place}.${key}: expected one of ${choices.join(', ')}, found ${show(raw[key])}`)
  const probe: Probe = {
    id: text('id'),
    set: choice('set', PROBE_SETS),
    topic: text('topic'),
    split: choice('split', PROBE_SPLITS),
    prompt: text('prompt'),
    aligned: text('aligned'),
  }
  if (probe.set === 'skill') probe.skill = text('skill')
  else if (raw.skill !== undefined) fail(`${place}.skill: a probe of set ${probe.set} has none`)
  if (raw.misaligned !== undefined) probe.misaligned = text('misaligned')
  return probe
}

/** Skills of a split, sorted by name. */
export function listSkills(file: Pick<ProbeFile, 'items'>, split: ProbeSplit): string[] {
  const names = file.items.flatMap((probe) =>
    probe.split === split && probe.skill !== undefined ? [probe.skill] : [],
  )
  return [...new Set(names)].sort()
}

/**
 * `count` probes of a set (of one skill where named), or all where there are fewer: estimates carry their own
 * count. Drawn without replacement; for one seed a smaller draw is the start of a larger one.
 */
export function pickProbes(
  file: Pick<ProbeFile, 'items'>,
  set: ProbeSet,
  split: ProbeSplit,
  count: number,
  seed: number,
  skill?: string,
): Probe[] {
  if (!Number.isInteger(count) || count < 0)
    throw new EngineError('request-invalid', `probes: expected a count of 0 or more, found ${count}`)
  const available = file.items.filter(
    (probe) => probe.set === set && probe.split === split && (skill === undefined || probe.skill === skill),
  )
  return new Random(seed, STREAMS.probeChoice).shuffle(available).slice(0, count)
}

const asRecord = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined

/** A text with something in it. */
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined

/** A found value in an error message: short, whatever it is. */
function show(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
