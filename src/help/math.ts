// Formulas as small trees, and their MathML as plain elements: the page makes them its own, the documents' generator
// writes them as text. A symbol is a leaf with an id, so that a formula knows what it is made of.

import { type SymbolId, symbolEntry } from './symbols.ts'

export type MathNode =
  | { kind: 'symbol'; id: SymbolId }
  /** a letter that needs no explanation: an index */
  | { kind: 'letter'; text: string }
  | { kind: 'operator'; text: string }
  | { kind: 'number'; text: string }
  /** upright words, as the name of a function */
  | { kind: 'word'; text: string }
  | { kind: 'row'; of: readonly MathNode[] }
  | { kind: 'fraction'; over: MathNode; under: MathNode }
  | { kind: 'raised'; base: MathNode; by: MathNode }
  | { kind: 'scripts'; base: MathNode; below: MathNode; above: MathNode }
  | { kind: 'lowered'; base: MathNode; by: MathNode }
  | { kind: 'sum'; index: string; of: MathNode }
  | { kind: 'root'; of: MathNode }

type Piece = MathNode | string

const node = (piece: Piece): MathNode => (typeof piece === 'string' ? parsed(piece) : piece)

/** Single characters that are operators; digits are numbers; other text is a letter. */
function parsed(text: string): MathNode {
  if (/^[\d.]+$/.test(text)) return { kind: 'number', text }
  if (/^[=+−·×/∈≈≥≤()[\]‖|,∇]+$/u.test(text)) return { kind: 'operator', text }
  return { kind: 'letter', text }
}

export const symbol = (id: SymbolId): MathNode => ({ kind: 'symbol', id })
export const row = (...of: Piece[]): MathNode => ({ kind: 'row', of: of.map(node) })
export const word = (text: string): MathNode => ({ kind: 'word', text })
export const fraction = (over: Piece, under: Piece): MathNode => ({
  kind: 'fraction',
  over: node(over),
  under: node(under),
})
export const raised = (base: Piece, by: Piece): MathNode => ({
  kind: 'raised',
  base: node(base),
  by: node(by),
})
export const lowered = (base: Piece, by: Piece): MathNode => ({
  kind: 'lowered',
  base: node(base),
  by: node(by),
})
export const scripts = (base: Piece, below: Piece, above: Piece): MathNode => ({
  kind: 'scripts',
  base: node(base),
  below: node(below),
  above: node(above),
})
export const sum = (index: string, ...of: Piece[]): MathNode => ({ kind: 'sum', index, of: row(...of) })
export const root = (...of: Piece[]): MathNode => ({ kind: 'root', of: row(...of) })
/** xᵀ */
export const transposed = (base: Piece): MathNode => raised(base, { kind: 'word', text: 'T' })
/** ‖…‖_G or ‖…‖²_G */
export const normG = (inside: MathNode, isSquared: boolean): MathNode => {
  const bars = row('‖', inside, '‖')
  return isSquared ? scripts(bars, symbol('G'), '2') : lowered(bars, symbol('G'))
}

/** Ids of the symbols of a formula, in reading order, each once. */
export function symbolsOf(tree: MathNode): SymbolId[] {
  const found = new Set<SymbolId>()
  const visit = (at: MathNode): void => {
    switch (at.kind) {
      case 'symbol':
        found.add(at.id)
        return
      case 'row':
        at.of.forEach(visit)
        return
      case 'fraction':
        visit(at.over)
        visit(at.under)
        return
      case 'raised':
      case 'lowered':
        visit(at.base)
        visit(at.by)
        return
      case 'scripts':
        visit(at.base)
        visit(at.below)
        visit(at.above)
        return
      case 'sum':
      case 'root':
        visit(at.of)
    }
  }
  visit(tree)
  return [...found]
}

/** One MathML element; `symbol` marks what may be pointed at. */
export interface MathElement {
  tag: string
  text?: string
  attributes?: Readonly<Record<string, string>>
  symbol?: SymbolId
  children?: readonly MathElement[]
}

export type SymbolValues = Partial<Record<SymbolId, string>>

/** Elements of a formula; where `values` names a symbol, its value stands in its place. */
export function mathElements(tree: MathNode, values: SymbolValues = {}): MathElement {
  const inner = (at: MathNode): MathElement => mathElements(at, values)
  switch (tree.kind) {
    case 'symbol': {
      const value = values[tree.id]
      if (value !== undefined) return { tag: 'mn', text: value, symbol: tree.id }
      return { ...letters(tree.id), symbol: tree.id }
    }
    case 'letter':
      return { tag: 'mi', text: tree.text }
    case 'operator':
      return { tag: 'mo', text: tree.text, ...(/^[()[\]‖]$/.test(tree.text) && { attributes: fixed }) }
    case 'number':
      return { tag: 'mn', text: tree.text }
    case 'word':
      return { tag: 'mtext', text: tree.text }
    case 'row':
      return { tag: 'mrow', children: tree.of.map(inner) }
    case 'fraction':
      return { tag: 'mfrac', children: [inner(tree.over), inner(tree.under)] }
    case 'raised':
      return { tag: 'msup', children: [inner(tree.base), inner(tree.by)] }
    case 'lowered':
      return { tag: 'msub', children: [inner(tree.base), inner(tree.by)] }
    case 'scripts':
      return { tag: 'msubsup', children: [inner(tree.base), inner(tree.below), inner(tree.above)] }
    case 'sum':
      return {
        tag: 'mrow',
        children: [
          {
            tag: 'msub',
            children: [
              { tag: 'mo', text: '∑', attributes: { largeop: 'false' } },
              { tag: 'mi', text: tree.index },
            ],
          },
          inner(tree.of),
        ],
      }
    case 'root':
      return { tag: 'msqrt', children: [inner(tree.of)] }
  }
}

/** Fences keep their height: formulas stand in lines of text. */
const fixed = { stretchy: 'false' }

/** A symbol as letters: base, then what stands over, below and above it. */
export function letters(id: SymbolId): MathElement {
  const { base, over, below, above } = symbolEntry(id).write
  const head: MathElement =
    base.length > 1 && /^[A-Z]+$/.test(base) ? { tag: 'mtext', text: base } : { tag: 'mi', text: base }
  const topped: MathElement = over
    ? { tag: 'mover', attributes: { accent: 'true' }, children: [head, { tag: 'mo', text: over }] }
    : head
  const lower: MathElement | undefined = below
    ? { tag: below.length > 1 ? 'mtext' : 'mi', text: below }
    : undefined
  const upper: MathElement | undefined = above ? { tag: 'mo', text: above } : undefined
  if (lower && upper) return { tag: 'msubsup', children: [topped, lower, upper] }
  if (lower) return { tag: 'msub', children: [topped, lower] }
  if (upper) return { tag: 'msup', children: [topped, upper] }
  return topped
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

function elementText({ tag, text, attributes = {}, children = [] }: MathElement): string {
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`)
  const inside = text === undefined ? children.map(elementText).join('') : escaped(text)
  return `<${tag}${written.join('')}>${inside}</${tag}>`
}

/** A formula as MathML text, for pages that are written once. */
export const mathText = (tree: MathNode): string => `<math>${elementText(mathElements(tree))}</math>`
