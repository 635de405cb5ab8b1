// Everything that is wrong with a recipe, told at once: each problem with its line, where one is known, and its
// place in the recipe (models[1].parameters.weight).

import { EngineError, type ErrorCode } from '../../errors.ts'

/** More are counted only: a hostile file must not make a message of megabytes. */
const SHOWN = 40

/** Place in a recipe → line of the file it came from, 1-based. */
export type Lines = ReadonlyMap<string, number>

export class Problems {
  /** text → line; problems without a line come first */
  private readonly messages = new Map<string, number>()
  private unshown = 0
  private readonly lines: Lines | undefined

  constructor(lines?: Lines) {
    this.lines = lines
  }

  /** `place` is a path such as `slices[0].sources[1].layer_range`, or '' for the recipe as a whole. */
  add(place: string, message: string, line: number | undefined = this.lineOf(place)): void {
    const where = [line !== undefined && `line ${line}`, place && cut(place, 120)].filter(Boolean).join(', ')
    const text = where ? `${where}: ${message}` : message
    if (this.messages.size < SHOWN) this.messages.set(text, line ?? 0)
    else if (!this.messages.has(text)) this.unshown++
  }

  /** One error that lists every problem in the order of the file. */
  throwIfAny(code: ErrorCode = 'request-invalid'): void {
    const list = [...this.messages].sort((a, b) => a[1] - b[1]).map(([text]) => text)
    if (list.length === 0) return
    if (list.length === 1) throw new EngineError(code, `the recipe: ${list[0]}`)
    if (this.unshown > 0) list.push(`and ${this.unshown} more`)
    const count = this.messages.size + this.unshown
    throw new EngineError(
      code,
      `the recipe has ${count} problems:\n${list.map((text) => `- ${text}`).join('\n')}`,
    )
  }

  /** Line of the place or of the nearest one around it. */
  private lineOf(place: string): number | undefined {
    if (!this.lines) return undefined
    for (let path = place; ; path = path.replace(/(\.[^.[\]]*|\[\d+\]|^[^.[\]]*)$/, '')) {
      const line = this.lines.get(path)
      if (line !== undefined || path === '') return line
    }
  }
}

/** The known name that a misspelt one most likely means: at most two in five of its letters off. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_\s]/g, '')
  if (name.length > 64) return undefined
  let best: string | undefined
  let least = Math.min(name.length - 1, Math.max(1, Math.floor(name.length * 0.4))) + 0.5
  for (const candidate of known) {
    const distance = editDistance(plain(name), plain(candidate))
    if (distance < least) {
      least = distance
      best = candidate
    }
  }
  return best
}

/** Letters to insert, drop or replace (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length]
}

/** `, did you mean x?` or nothing. */
export function suggestion(name: string, known: Iterable<string>): string {
  const found = nearest(name, known)
  return found === undefined ? '' : `, did you mean ${found}?`
}

export function cut(text: string, length = 80): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}

/** A value as it stands in a message. */
export function show(value: unknown): string {
  return cut(JSON.stringify(value) ?? String(value))
}
