// A small neutral tree that YAML and JSON are brought into before they are read as a recipe: maps, lists, scalars,
// each with its line where the format knows one. Limits on size and depth hold for both formats.

import { EngineError } from '../../errors.ts'
import { cut } from './problems.ts'

export interface TreeScalar {
  kind: 'scalar'
  line: number | undefined
  value: string | number | boolean | null
  /** an unquoted word, which YAML 1.1 may have read otherwise */
  isPlain?: boolean
}
export interface TreeMap {
  kind: 'map'
  line: number | undefined
  entries: { key: string; line: number | undefined; value: Tree }[]
}
export interface TreeList {
  kind: 'list'
  line: number | undefined
  items: Tree[]
}
export type Tree = TreeScalar | TreeMap | TreeList

/** Characters of a recipe's text; published ones have a few thousand, and the parser's errors are not cheap. */
export const TEXT_LIMIT = 2 ** 16
/** Levels; a recipe needs eight. */
export const DEPTH_LIMIT = 24
/** Nodes after aliases are followed; what a thousand layers of hand-written slices need. */
export const NODE_LIMIT = 100_000

/** `file-malformed` unless the text is short enough to be a recipe. */
export function assertTextSize(text: string): void {
  if (text.length > TEXT_LIMIT)
    throw new EngineError(
      'file-malformed',
      `the recipe: ${text.length} characters; expected at most ${TEXT_LIMIT}`,
    )
}

/** Counts nodes and levels on the way down; `file-malformed` beyond the limits. */
export class Budget {
  private nodes = 0
  spend(depth: number, line?: number): void {
    const where = line === undefined ? '' : `line ${line}: `
    if (depth > DEPTH_LIMIT)
      throw new EngineError('file-malformed', `the recipe: ${where}more than ${DEPTH_LIMIT} levels deep`)
    if (++this.nodes > NODE_LIMIT)
      throw new EngineError('file-malformed', `the recipe: ${where}more than ${NODE_LIMIT} values`)
  }
}

/** Tree of a parsed JSON value. */
export function treeOfJson(value: unknown, budget = new Budget(), depth = 1): Tree {
  budget.spend(depth)
  const line = undefined
  if (Array.isArray(value))
    return { kind: 'list', line, items: value.map((item) => treeOfJson(item, budget, depth + 1)) }
  if (typeof value === 'object' && value !== null)
    return {
      kind: 'map',
      line,
      entries: Object.entries(value).map(([key, item]) => ({
        key,
        line,
        value: treeOfJson(item, budget, depth + 1),
      })),
    }
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return { kind: 'scalar', line, value }
  throw new EngineError('file-malformed', `the recipe: a ${typeof value} is no JSON value`)
}

/** What a tree is, in words. */
export function describe(tree: Tree): string {
  if (tree.kind === 'map') return 'a mapping'
  if (tree.kind === 'list') return 'a list'
  return tree.value === null ? 'nothing' : cut(JSON.stringify(tree.value))
}
