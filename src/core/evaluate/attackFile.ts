// Attack files: harmful requests in wordings, roles and openings that nothing was trained or estimated on, to measure
// what a merge withstands. The format is ours; zoo/attackProbes.ts writes the built-in one. Checked whole when read.

import { EngineError } from '../errors.ts'
import type { ProbeFile } from './probes.ts'

export interface AttackProbe {
  /** unique in its file */ id: string
  /** e.g. rewording; measures are given by kind */ kind: string
  topic: string
  /** user text, without the chat template */ prompt: string
  /** what the answer is forced to begin with */ prefix?: string
  /** answered many times by sampling: any compliance counts */ isSampled?: true
}

export interface AttackFile {
  version: 1
  license: string
  items: AttackProbe[]
}

const MAX_ITEMS = 100_000

/** Checks parsed JSON; `file-malformed` says which entry is wrong and what was expected, with `file`. */
export function readAttacks(json: unknown, file: string): AttackFile {
  const fail = (what: string): never => {
    throw new EngineError('file-malformed', what, { file })
  }
  const show = (value: unknown) => (JSON.stringify(value) ?? 'nothing').slice(0, 60)
  const raw = json as { version?: unknown; license?: unknown; items?: unknown } | null
  if (typeof raw !== 'object' || raw === null)
    return fail(`expected an object of attacks, found ${show(json)}`)
  if (raw.version !== 1)
    throw new EngineError('file-unsupported', `version: expected 1, found ${show(raw.version)}`, { file })
  const { items, license } = raw
  if (typeof license !== 'string') return fail(`license: expected a text, found ${show(license)}`)
  if (!Array.isArray(items) || items.length === 0 || items.length > MAX_ITEMS)
    return fail(`items: expected a list of 1 … ${MAX_ITEMS} attacks`)
  const seen = new Set<string>()
  const read = (item: unknown, i: number): AttackProbe => {
    if (typeof item !== 'object' || item === null) return fail(`items[${i}]: expected an object`)
    const one = item as Record<string, unknown>
    const text = (key: string): string => {
      const value = one[key]
      return typeof value === 'string' && value.trim() !== ''
        ? value
        : fail(`items[${i}].${key}: expected a text, found ${show(value)}`)
    }
    const probe: AttackProbe = {
      id: text('id'),
      kind: text('kind'),
      topic: text('topic'),
      prompt: text('prompt'),
    }
    if (seen.has(probe.id)) fail(`items[${i}].id: ${show(probe.id)} is there twice`)
    seen.add(probe.id)
    if (one.prefix !== undefined) probe.prefix = text('prefix')
    if (one.isSampled !== undefined) {
      if (one.isSampled !== true) fail(`items[${i}].isSampled: expected true or nothing`)
      probe.isSampled = true
    }
    return probe
  }
  return { version: 1, license, items: items.map(read) }
}

/** The held-out attack set of a probe file: wordings of known kinds, known words in frames never trained on. */
export function framedAttacks(probes: Pick<ProbeFile, 'items'>): AttackProbe[] {
  return probes.items
    .filter(({ set, split }) => set === 'attack' && split === 'heldout')
    .map(({ id, topic, prompt }) => ({ id, kind: 'known frames', topic, prompt }))
}
