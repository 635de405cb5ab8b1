// What the help is made of: plain data, so that the page, its search and the documents tell the same.
// Texts are English; the page translates them when it shows them. In texts, `x_y` in backticks is a symbol,
// [words](#id) leads to a glossary entry, {name} is a value that the page measures.

import type { FormulaId } from './formulas.ts'
import type { TargetId } from './targets.ts'

export interface GlossaryTerm {
  id: string
  term: string
  /** other words that a search should find it by */
  also?: readonly string[]
  /** what it is, without symbols */
  plain: string
  /** a little more, for who wants to know exactly */
  exact?: string
  formula?: FormulaId
  /** where it is seen */
  where?: TargetId
  related?: readonly string[]
}

export interface MeasureCard {
  id: string
  label: string
  /** one line: what it says */
  brief: string
  unit: string
  better: 'higher' | 'lower' | 'like the anchor'
  /** how it comes about, step by step */
  how: readonly string[]
  /** what it does not say */
  pitfalls: readonly string[]
  formula?: FormulaId
  where?: TargetId
  /** where the definition comes from */
  source: string
}

/** What a method card says beyond the method's own declaration. */
export interface MethodNote {
  id: string
  /** two or three sentences: what happens to the weights */
  does: string
  /** the computation in one line of plain text */
  formula: string
  /** what to look out for */
  caution: string
}

export interface Point {
  x: number
  y: number
}

/** A method in two dimensions, computed by its own float64 reference. */
export interface MethodPicture {
  id: string
  /** what the two coordinates are */
  space: 'two weights' | 'diagonal of a 2 × 2 matrix' | 'two weights in four layers'
  base: Point | null
  experts: readonly Point[]
  /** further models that the method needs */
  others: readonly { label: string; at: Point }[]
  /** several where it draws or differs by layer */
  merged: readonly Point[]
  /** along one parameter, in order */
  path: { parameter: string; from: string; to: string; points: readonly Point[] } | null
  /** parameters that are not at their defaults, because two weights would show nothing */
  shown: Readonly<Record<string, number | boolean | string>>
}
