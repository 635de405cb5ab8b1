// What can be known of a tokenizer without reading all of it: published tokenizer.json files have 2 to 35 MB, and what
// tells two of them apart is mostly in the first kilobytes, or in the hash that a listing gives.

import type { CheckpointFolder } from '../files/folder.ts'
import { readJsonIfPresent } from '../files/folder.ts'
import { parseJsonObject } from '../files/source.ts'
import { readVocabulary, type Vocabulary } from '../files/vocabulary/vocabulary.ts'

export interface TokenFacts {
  /** bytes of tokenizer.json; undefined without one */
  size?: number
  /** content hash, where the folder's listing gives one */
  identity?: string
  /** id → text of the tokens added after training */
  added: Map<number, string>
  /** the whole vocabulary, where it was small enough to read */
  vocabulary?: Vocabulary
  /** of tokenizer_config.json or chat_template.jinja */
  template?: string
}

/** tokenizer.json up to this size is read whole, bytes. */
const WHOLE_BYTES = 262_144
/** Added tokens stand before the vocabulary. */
const HEAD_BYTES = 65_536

export async function readTokens(
  folder: CheckpointFolder,
  name: string,
  signal?: AbortSignal,
): Promise<TokenFacts> {
  const facts: TokenFacts = { added: new Map() }
  const config = (await readJsonIfPresent(folder, 'tokenizer_config.json', signal)) ?? {}
  const decoder = config.added_tokens_decoder
  if (typeof decoder === 'object' && decoder !== null)
    for (const [id, entry] of Object.entries(decoder)) {
      const content = (entry as { content?: unknown } | null)?.content
      if (typeof content === 'string' && /^\d{1,9}$/.test(id)) facts.added.set(Number(id), content)
    }
  const template = await templateOf(folder, config, signal)
  if (template !== undefined) facts.template = template
  const source = await folder.file('tokenizer.json', signal)
  if (!source) return facts
  facts.size = source.size
  const identity = folder.identity?.('tokenizer.json')
  if (identity !== undefined) facts.identity = identity
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
  if (source.size <= WHOLE_BYTES) {
    const json = parseJsonObject(decode(await source.read(0, source.size, signal)), 'tokenizer.json')
    facts.vocabulary = readVocabulary(json, name)
    for (const { id, content } of facts.vocabulary.added) facts.added.set(id, content)
  } else if (facts.added.size === 0) {
    const head = decode(await source.read(0, HEAD_BYTES, signal))
    for (const { id, content } of addedInHead(head)) facts.added.set(id, content)
  }
  return facts
}

async function templateOf(
  folder: CheckpointFolder,
  config: Record<string, unknown>,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { chat_template: template } = config
  if (typeof template === 'string') return template
  if (Array.isArray(template)) {
    const named = template.find((entry) => entry?.name === 'default')?.template
    return typeof named === 'string' ? named : undefined
  }
  const source = await folder.file('chat_template.jinja', signal)
  if (!source || source.size > WHOLE_BYTES) return undefined
  return new TextDecoder().decode(await source.read(0, source.size, signal))
}

/** The list `added_tokens` at the start of a tokenizer.json that is cut off somewhere after it. */
function addedInHead(head: string): { id: number; content: string }[] {
  const start = /"added_tokens"\s*:\s*\[/.exec(head)
  if (!start) return []
  const from = start.index + start[0].length - 1
  for (let depth = 0, at = from, isText = false; at < head.length; at++) {
    const character = head[at]
    if (character === '\\' && isText) at++
    else if (character === '"') isText = !isText
    else if (!isText && (character === '[' || character === '{')) depth++
    else if (!isText && (character === ']' || character === '}') && --depth === 0)
      return entriesOf(head.slice(from, at + 1))
  }
  return []
}

/** What is no token, or no list of them, is told when the whole file is read. */
function entriesOf(list: string): { id: number; content: string }[] {
  let entries: unknown
  try {
    entries = JSON.parse(list)
  } catch {
    return []
  }
  return (entries as ({ id?: unknown; content?: unknown } | null)[]).flatMap((entry) =>
    typeof entry?.id === 'number' && typeof entry.content === 'string'
      ? [{ id: entry.id, content: entry.content }]
      : [],
  )
}
