// Fields of a map in a recipe's tree: known keys found, unknown and unsupported ones named with their line.

import { type Problems, suggestion } from './problems.ts'
import { describe, type Tree } from './tree.ts'

/** How a format spells the keys that are not single words. */
export interface Spelling {
  method: string
  base: string
  layerRange: string
  outDtype: string
  tokenizer: string
  chatTemplate: string
  extension: string
  /** keys of the format beside those of a recipe */
  envelope: readonly string[]
  /** keys that only mergekit has are named as such */
  isMergekit: boolean
}

export interface ReadContext {
  problems: Problems
  /** place → line */
  lines: Map<string, number>
  spelling: Spelling
}

export type Fields = Map<string, { value: Tree; place: string }>

/** The entries of a map with unknown ones named; undefined, with a problem, when it is none. */
export function fieldsOf(
  context: ReadContext,
  tree: Tree,
  place: string,
  known: readonly string[],
  unsupported: Readonly<Record<string, string>> = {},
): Fields | undefined {
  const { problems, lines } = context
  if (tree.kind !== 'map') {
    problems.add(place, `expected a mapping, found ${describe(tree)}`, tree.line)
    return undefined
  }
  const fields: Fields = new Map()
  for (const { key, line, value } of tree.entries) {
    const inner = place === '' ? key : `${place}.${key}`
    if (line !== undefined) lines.set(inner, line)
    if (known.includes(key)) fields.set(key, { value, place: inner })
    else if (Object.hasOwn(unsupported, key)) problems.add(inner, unsupported[key], line)
    else problems.add(inner, `unknown key${suggestion(key, known)}; expected ${known.join(', ')}`, line)
  }
  return fields
}
