// The head of a model card (README.md): licence and base model, as the author says them.

import { parseDocument } from 'yaml'
import type { CheckpointFolder } from '../files/folder.ts'

export interface CardFacts {
  licence?: string
  /** ids of the models it was made from */
  baseModels: string[]
  tags: string[]
}

/** YAML heads are short; what follows them may be long. */
const HEAD_BYTES = 16384

const texts = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string')

/** Facts of a card's YAML, as parsed data. */
export function factsOfCard(head: Record<string, unknown>): CardFacts {
  // `other` says only that the name stands elsewhere.
  const licence = head.license === 'other' ? (head.license_name ?? 'other') : head.license
  const [text] = texts(licence)
  return {
    ...(text !== undefined && { licence: text.toLowerCase() }),
    baseModels: texts(head.base_model),
    tags: texts(head.tags),
  }
}

/** The facts of a folder's card; none when it has no card or no YAML head. A broken head is no fact either. */
export async function readCard(folder: CheckpointFolder, signal?: AbortSignal): Promise<CardFacts> {
  const source = await folder.file('README.md', signal)
  if (!source) return { baseModels: [], tags: [] }
  const bytes = await source.read(0, Math.min(source.size, HEAD_BYTES), signal)
  const text = new TextDecoder().decode(bytes)
  const head = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text)
  if (!head) return { baseModels: [], tags: [] }
  let parsed: unknown
  try {
    parsed = parseDocument(head[1], { version: '1.1', logLevel: 'silent' }).toJS({ maxAliasCount: 10 })
  } catch {
    // Aliases without end, or brackets deeper than a stack.
    return { baseModels: [], tags: [] }
  }
  if (typeof parsed !== 'object' || parsed === null) return { baseModels: [], tags: [] }
  return factsOfCard(parsed as Record<string, unknown>)
}
