// YAML text to the neutral tree, with lines: anchors, aliases and merge keys are followed, within the budget.
// YAML 1.2 core with what mergekit's own parser (PyYAML, 1.1) reads otherwise in published recipes: yes, no, on, off.

import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, Scalar } from 'yaml'
import { EngineError } from '../../errors.ts'
import { cut, Problems } from './problems.ts'
import { assertTextSize, Budget, type Tree, type TreeMap } from './tree.ts'

const SHOWN_ERRORS = 5

/** Tree of the only document; `file-malformed` with lines for everything that is not YAML or not one document. */
export function treeOfYaml(text: string): Tree {
  assertTextSize(text)
  const counter = new LineCounter()
  let documents: Document.Parsed[]
  try {
    const parsed = parseAllDocuments(text, {
      lineCounter: counter,
      prettyErrors: false,
      logLevel: 'silent',
      // Quadratic in the library; `Reader.map` does it.
      uniqueKeys: false,
    })
    documents = Array.isArray(parsed) ? parsed : []
  } catch (error) {
    throw new EngineError('file-malformed', `the recipe: not YAML: ${sayError(String(error))}`)
  }
  const lineAt = (offset: number) => counter.linePos(offset).line
  const problems = new Problems()
  for (const { errors, warnings } of documents)
    for (const { message, pos } of [...errors, ...warnings].slice(0, SHOWN_ERRORS))
      problems.add('', `not YAML: ${sayError(message)}`, lineAt(pos[0]))
  problems.throwIfAny('file-malformed')
  // A closing `---` opens an empty one.
  const [first, second] = documents.filter(
    ({ contents }) => contents !== null && !(isScalar(contents) && contents.value === null),
  )
  if (!first?.contents) throw new EngineError('file-malformed', 'the recipe is empty')
  if (second)
    throw new EngineError(
      'file-malformed',
      `the recipe: line ${lineAt(second.range[0])}: more than one document; several merges in one file (mergekit-multi) are not supported, one file per merge`,
    )
  return new Reader(lineAt).read(first.contents, 1)
}

const sayError = (message: string) => (/call stack/i.test(message) ? 'nested too deeply' : cut(message, 160))

class Reader {
  private readonly lineAt: (offset: number) => number
  private readonly budget = new Budget()
  private readonly anchors = new Map<string, unknown>()

  constructor(lineAt: (offset: number) => number) {
    this.lineAt = lineAt
  }

  read(node: unknown, depth: number): Tree {
    const line = this.lineOf(node)
    this.budget.spend(depth, line)
    if (isAlias(node)) {
      const target = this.anchors.get(node.source)
      if (target === undefined)
        throw new EngineError(
          'file-malformed',
          `the recipe: line ${line}: *${cut(node.source)} stands before its anchor is complete`,
        )
      return this.read(target, depth + 1)
    }
    let tree: Tree
    if (isMap(node)) tree = this.map(node.items, line, depth)
    else if (isSeq(node))
      tree = { kind: 'list', line, items: node.items.map((item) => this.read(item, depth + 1)) }
    else tree = this.scalar(node, line)
    // Only now: an alias inside its own anchor would never end.
    if (isMap(node) || isSeq(node) || isScalar(node)) if (node.anchor) this.anchors.set(node.anchor, node)
    return tree
  }

  private map(
    items: readonly { key: unknown; value: unknown }[],
    line: number | undefined,
    depth: number,
  ): TreeMap {
    const own = new Map<string, TreeMap['entries'][number]>()
    const merged: TreeMap['entries'] = []
    for (const item of items) {
      const keyLine = this.lineOf(item.key) ?? line
      const where = keyLine === undefined ? '' : `line ${keyLine}: `
      const tree = this.read(item.key, depth + 1)
      if (tree.kind !== 'scalar')
        throw new EngineError('file-malformed', `the recipe: ${where}a key must be a word`)
      const key = String(tree.value)
      const value: Tree =
        item.value === null
          ? { kind: 'scalar', line: keyLine, value: null }
          : this.read(item.value, depth + 1)
      if (key === '<<' && tree.isPlain) {
        for (const source of value.kind === 'list' ? value.items : [value]) {
          if (source.kind !== 'map')
            throw new EngineError('file-malformed', `the recipe: ${where}<< needs a mapping`)
          merged.push(...source.entries)
        }
      } else if (own.has(key))
        throw new EngineError('file-malformed', `the recipe: ${where}${cut(key)} is given twice`)
      else own.set(key, { key, line: keyLine, value })
    }
    for (const entry of merged) if (!own.has(entry.key)) own.set(entry.key, entry)
    return { kind: 'map', line, entries: [...own.values()] }
  }

  private scalar(node: unknown, line: number | undefined): Tree {
    if (node === null) return { kind: 'scalar', line, value: null }
    const value = isScalar(node) ? node.value : undefined
    if (
      value === null ||
      typeof value === 'string' ||
      typeof value === 'number' ||
      typeof value === 'boolean'
    )
      return { kind: 'scalar', line, value, isPlain: isScalar(node) && node.type === Scalar.PLAIN }
    throw new EngineError(
      'file-malformed',
      `the recipe: line ${line}: expected a word, a number or true or false`,
    )
  }

  private lineOf(node: unknown): number | undefined {
    const range = isMap(node) || isSeq(node) || isScalar(node) || isAlias(node) ? node.range : undefined
    return range ? this.lineAt(range[0]) : undefined
  }
}
