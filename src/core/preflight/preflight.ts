// Before anything is downloaded: several models from their headers, every problem listed at once, and what merging them
// would cost. Says what is there, not whether the merge will be any good.

import type { CheckpointFolder } from '../files/folder.ts'
import { configDifferences, weightDifferences } from '../files/mergeable.ts'
import { vocabularyDifferences } from '../files/vocabulary/vocabulary.ts'
import { type Finding, type Inspected, inspectModel, listed, type ModelFacts } from './inspectModel.ts'
import { compareLicences } from './licences.ts'

export interface PreflightModel {
  name: string
  folder: CheckpointFolder & { card?: Record<string, unknown> }
}

export interface PreflightOptions {
  /** bytes an element of the result takes */
  outBytes?: number
  /** bytes a second that were measured: of the source, and of merging */
  rates?: { read?: number; merge?: number }
  signal?: AbortSignal | undefined
}

export interface Estimate {
  /** bytes to be read of all models, and to be written */
  readBytes: number
  writtenBytes: number
  /** largest tensor of one model in float32: what cannot be cut below a row is cut by rows */
  largestTensorBytes: number
  /** all models, the merge and a Fisher diagonal on the device at once, as the Studio page holds them */
  residentBytes: number
  /** seconds; undefined while nothing has been measured */
  seconds?: number
}

export interface Preflight {
  models: ModelFacts[]
  /** errors first */
  findings: Finding[]
  estimate: Estimate
  canMerge: boolean
}

/** The first model is the one that the others are compared with. Rejects only `cancelled`. */
export async function preflight(
  models: readonly PreflightModel[],
  options: PreflightOptions = {},
): Promise<Preflight> {
  const inspected = await Promise.all(
    models.map(({ name, folder }) => inspectModel(name, folder, options.signal)),
  )
  const findings = inspected.flatMap((one) => one.findings)
  const [anchor, ...others] = inspected
  if (anchor) for (const other of others) findings.push(...compare(anchor, other))
  findings.push(...compareLicences(inspected.map(({ facts }) => facts)))
  const order = { error: 0, warning: 1, note: 2 }
  return {
    models: inspected.map(({ facts }) => facts),
    findings: findings.sort((a, b) => order[a.level] - order[b.level]),
    estimate: estimateOf(inspected, options),
    canMerge: inspected.length > 0 && findings.every(({ level }) => level !== 'error'),
  }
}

const VOCABULARY_REMEDY = 'say whose vocabulary the result has: union, base or one of the models'

function compare(anchor: Inspected, other: Inspected): Finding[] {
  if (!anchor.config || !other.config) return []
  const named = (one: Inspected) => ({ name: one.facts.name, config: one.config!, weights: one.weights })
  const [a, b] = [named(anchor), named(other)]
  const model = other.facts.name
  const findings: Finding[] = []
  const isSameFamily = a.config.family === b.config.family
  for (const message of configDifferences(a, b)) {
    const isRows = message.startsWith('vocab_size ')
    findings.push({
      ...{ level: isRows ? ('warning' as const) : ('error' as const), model, message },
      topic: isRows ? 'vocabulary' : 'architecture',
      ...(isRows && { remedy: VOCABULARY_REMEDY }),
    })
  }
  const rows = new Set(
    a.weights.filter(({ role }) => role === 'embedding' || role === 'head').map(({ name }) => name),
  )
  const differing = isSameFamily ? weightDifferences(a, b).filter(({ tensor }) => !rows.has(tensor!)) : []
  if (differing.length > 0)
    findings.push({
      ...{ level: 'error', topic: 'weights', model },
      message: `${differing.length} weights differ in shape or name: ${listed(differing.map(({ message, tensor }) => `${tensor}: ${message}`))}`,
    })
  return [...findings, ...compareTokens(anchor.facts, other.facts)]
}

function compareTokens(anchor: ModelFacts, other: ModelFacts): Finding[] {
  const model = other.name
  const [a, b] = [anchor.tokens, other.tokens]
  const findings: Finding[] = []
  const add = (level: Finding['level'], topic: Finding['topic'], message: string, remedy?: string) =>
    findings.push({ level, topic, model, message, ...(remedy !== undefined && { remedy }) })
  if (a.template !== undefined && b.template !== undefined && a.template !== b.template)
    add(
      'warning',
      'template',
      `its chat template is another one than that of ${anchor.name}`,
      'prompts are written with the template of the first model; a merge may follow neither well',
    )
  if (a.size === undefined || b.size === undefined) return findings
  if (a.identity !== undefined && a.identity === b.identity) return findings
  const strange = [...b.added].filter(([id, content]) => a.added.has(id) && a.added.get(id) !== content)
  const known = new Set(a.added.values())
  const fresh = [...b.added].filter(([, content]) => !known.has(content))
  if (strange.length > 0)
    add(
      'warning',
      'vocabulary',
      `${strange.length} ids stand for other tokens than in ${anchor.name}: ${listed(strange.map(([id, content]) => `${id} is ${content}, there ${a.added.get(id)}`))}`,
      VOCABULARY_REMEDY,
    )
  else if (fresh.length > 0)
    add(
      'warning',
      'vocabulary',
      `${fresh.length} tokens that ${anchor.name} does not have: ${listed(fresh.map(([, content]) => content))}`,
      VOCABULARY_REMEDY,
    )
  else if (a.vocabulary && b.vocabulary) {
    const differences = vocabularyDifferences(
      { name: anchor.name, vocabulary: a.vocabulary },
      { name: other.name, vocabulary: b.vocabulary },
      4,
    )
    if (differences.length > 0) add('warning', 'vocabulary', listed(differences), VOCABULARY_REMEDY)
  } else if (a.size !== b.size || a.identity !== undefined || b.identity !== undefined)
    add(
      'note',
      'vocabulary',
      `its tokenizer.json (${b.size} bytes) is another file than that of ${anchor.name} (${a.size} bytes): compared when it is opened`,
    )
  return findings
}

function estimateOf(inspected: readonly Inspected[], options: PreflightOptions): Estimate {
  const [anchor] = inspected
  const parameters = anchor?.facts.parameterCount ?? 0
  const readBytes = inspected.reduce((sum, { facts }) => sum + facts.byteLength, 0)
  const writtenBytes = parameters * (options.outBytes ?? 2)
  const largest = Math.max(0, ...(anchor?.weights ?? []).map(({ shape }) => shape.reduce((a, b) => a * b, 1)))
  const { read, merge } = options.rates ?? {}
  const seconds = read && merge ? readBytes / read + (readBytes + writtenBytes) / merge : undefined
  return {
    readBytes,
    writtenBytes,
    largestTensorBytes: largest * 4,
    residentBytes: inspected.reduce((sum, { facts }) => sum + heldBytes(facts), 0) + parameters * 8,
    ...(seconds !== undefined && { seconds }),
  }
}

/** On the device a weight has two or four bytes. */
function heldBytes({ types }: ModelFacts): number {
  return Object.entries(types).reduce(
    (sum, [type, count]) => sum + count * (type === 'F16' || type === 'BF16' ? 2 : 4),
    0,
  )
}
