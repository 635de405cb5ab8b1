// Python regular expressions as adapter configs use them for module names, matched in time bounded by pattern × text:
// a state set is stepped along the text (Thompson 1968), nothing is tried twice. A pattern of a stranger's file must not
// be able to hang the page, as it could with the browser's own matcher. Back-references, look-behind and flags inside the
// pattern are refused by name.

import { EngineError } from '../../errors.ts'

type Test = (code: number) => boolean

type Step =
  | { kind: 'character'; test: Test }
  | { kind: 'split'; to: number[] }
  | { kind: 'edge'; holds: (text: string, at: number) => boolean }
  | { kind: 'look'; program: Step[]; isNegative: boolean }
  | { kind: 'match' }

type Node =
  | { kind: 'character'; test: Test }
  | { kind: 'edge'; holds: (text: string, at: number) => boolean }
  | { kind: 'look'; node: Node; isNegative: boolean }
  | { kind: 'sequence'; nodes: Node[] }
  | { kind: 'choice'; nodes: Node[] }
  | { kind: 'repeat'; node: Node; min: number; max: number }

const MAX_PATTERN = 8192
const MAX_STEPS = 20_000
const MAX_DEPTH = 64
const MAX_REPEAT = 256
/** State transitions that one pattern may cost over its life; real ones take some thousand a module. */
const BUDGET = 20_000_000

const isWord: Test = (c) =>
  c === 95 || (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c >= 128
const isDigit: Test = (c) => c >= 48 && c <= 57
const isSpace: Test = (c) => c === 32 || (c >= 9 && c <= 13)
const isWordAt = (text: string, at: number): boolean =>
  at >= 0 && at < text.length && isWord(text.charCodeAt(at))
const isWordEdge = (text: string, at: number): boolean => isWordAt(text, at - 1) !== isWordAt(text, at)

const CLASSES: Readonly<Record<string, Test>> = {
  d: isDigit,
  D: (c) => !isDigit(c),
  w: isWord,
  W: (c) => !isWord(c),
  s: isSpace,
  S: (c) => !isSpace(c),
}
const EDGES: Readonly<Record<string, (text: string, at: number) => boolean>> = {
  b: isWordEdge,
  B: (text, at) => !isWordEdge(text, at),
  A: (_, at) => at === 0,
  Z: (text, at) => at === text.length,
}
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v' }

/** A pattern of a config; `where` names its key in messages. */
export class Pattern {
  private readonly program: Step[]
  private readonly where: string
  private budget = BUDGET

  /** Throws `file-unsupported` for what is not matched here, `file-malformed` for what is no pattern. */
  constructor(source: string, where: string) {
    this.where = where
    this.program = compile(new Parser(source, where).parse(), where)
  }

  /** As re.fullmatch. */
  matchesWhole(text: string): boolean {
    return this.run(this.program, text, 0, true)
  }

  /** As re.match. */
  matchesStart(text: string): boolean {
    return this.run(this.program, text, 0, false)
  }

  private run(program: Step[], text: string, begin: number, isWhole: boolean): boolean {
    let states = new Set<number>()
    this.enter(program, states, 0, text, begin)
    for (let at = begin; ; at++) {
      for (const state of states)
        if (program[state].kind === 'match' && (!isWhole || at === text.length)) return true
      if (at >= text.length || states.size === 0) return false
      const next = new Set<number>()
      const code = text.charCodeAt(at)
      for (const state of states) {
        const step = program[state]
        if (step.kind === 'character' && step.test(code)) this.enter(program, next, state + 1, text, at + 1)
      }
      states = next
    }
  }

  /** Adds a state and all that follow from it without a character. */
  private enter(program: Step[], states: Set<number>, from: number, text: string, at: number): void {
    const pending = [from]
    while (pending.length > 0) {
      const state = pending.pop()!
      if (states.has(state)) continue
      if (--this.budget < 0)
        throw new EngineError('file-unsupported', `${this.where}: the pattern takes too long to match`)
      states.add(state)
      const step = program[state]
      if (step.kind === 'split') pending.push(...step.to)
      else if (step.kind === 'edge' && step.holds(text, at)) pending.push(state + 1)
      else if (step.kind === 'look' && this.run(step.program, text, at, false) !== step.isNegative)
        pending.push(state + 1)
    }
  }
}

function compile(node: Node, where: string): Step[] {
  const program: Step[] = []
  const emit = (part: Node): void => {
    if (program.length > MAX_STEPS)
      throw new EngineError('file-unsupported', `${where}: the pattern is too large`)
    switch (part.kind) {
      case 'character':
      case 'edge':
        program.push(part)
        return
      case 'look':
        program.push({ kind: 'look', program: compile(part.node, where), isNegative: part.isNegative })
        return
      case 'sequence':
        part.nodes.forEach(emit)
        return
      case 'choice': {
        const split: Step = { kind: 'split', to: [] }
        program.push(split)
        const ends: { kind: 'split'; to: number[] }[] = []
        for (const branch of part.nodes) {
          split.to.push(program.length)
          emit(branch)
          const end: { kind: 'split'; to: number[] } = { kind: 'split', to: [] }
          ends.push(end)
          program.push(end)
        }
        for (const end of ends) end.to.push(program.length)
        return
      }
      case 'repeat': {
        for (let i = 0; i < part.min; i++) emit(part.node)
        if (part.max === Number.POSITIVE_INFINITY) {
          const loop = program.length
          const split: { kind: 'split'; to: number[] } = { kind: 'split', to: [loop + 1] }
          program.push(split)
          emit(part.node)
          program.push({ kind: 'split', to: [loop] })
          split.to.push(program.length)
          return
        }
        const splits: { kind: 'split'; to: number[] }[] = []
        for (let i = part.min; i < part.max; i++) {
          const split: { kind: 'split'; to: number[] } = { kind: 'split', to: [program.length + 1] }
          splits.push(split)
          program.push(split)
          emit(part.node)
        }
        for (const split of splits) split.to.push(program.length)
        return
      }
    }
  }
  emit(node)
  program.push({ kind: 'match' })
  return program
}

class Parser {
  private at = 0
  private depth = 0
  private readonly source: string
  private readonly where: string

  constructor(source: string, where: string) {
    this.source = source
    this.where = where
    if (source.length > MAX_PATTERN) this.refuse(`a pattern of ${source.length} characters`)
  }

  parse(): Node {
    const node = this.choice()
    if (this.at < this.source.length) this.fail('an unopened )')
    return node
  }

  private fail(message: string): never {
    throw new EngineError(
      'file-malformed',
      `${this.where}: ${message} in pattern ${JSON.stringify(this.source.slice(0, 120))} at character ${this.at}`,
    )
  }

  private refuse(what: string): never {
    throw new EngineError(
      'file-unsupported',
      `${this.where}: ${what} is not matched, in pattern ${JSON.stringify(this.source.slice(0, 120))}`,
    )
  }

  private eat(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false
    this.at += text.length
    return true
  }

  private choice(): Node {
    if (++this.depth > MAX_DEPTH) this.refuse(`nesting deeper than ${MAX_DEPTH}`)
    const nodes = [this.sequence()]
    while (this.eat('|')) nodes.push(this.sequence())
    this.depth--
    return nodes.length === 1 ? nodes[0] : { kind: 'choice', nodes }
  }

  private sequence(): Node {
    const nodes: Node[] = []
    while (this.at < this.source.length && !'|)'.includes(this.source[this.at])) nodes.push(this.repeated())
    return { kind: 'sequence', nodes }
  }

  private repeated(): Node {
    let node = this.atom()
    for (let count = 0; ; count++) {
      const bounds = this.bounds()
      if (!bounds) return node
      if (count > 0) this.fail('a repetition of a repetition')
      // Lazy repetitions match the same texts.
      this.eat('?')
      if (this.source[this.at] === '+') this.refuse('a possessive repetition')
      node = { kind: 'repeat', node, min: bounds[0], max: bounds[1] }
    }
  }

  private bounds(): [number, number] | undefined {
    if (this.eat('*')) return [0, Number.POSITIVE_INFINITY]
    if (this.eat('+')) return [1, Number.POSITIVE_INFINITY]
    if (this.eat('?')) return [0, 1]
    const found = /^\{(\d{0,6})(,?)(\d{0,6})\}/.exec(this.source.slice(this.at, this.at + 16))
    if (!found || (found[1] === '' && found[3] === '')) return undefined
    this.at += found[0].length
    const min = Number(found[1] || 0)
    const max = found[2] === '' ? min : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3])
    if (min > MAX_REPEAT || (max > MAX_REPEAT && max !== Number.POSITIVE_INFINITY))
      this.refuse(`more than ${MAX_REPEAT} repetitions`)
    if (max < min) this.fail('a repetition that ends before it begins')
    return [min, max]
  }

  private atom(): Node {
    const character = this.source[this.at]
    if ('*+?'.includes(character)) this.fail('a repetition of nothing')
    this.at++
    if (character === '(') return this.group()
    if (character === '[') return { kind: 'character', test: this.set() }
    if (character === '.') return { kind: 'character', test: (c) => c !== 10 }
    if (character === '^') return { kind: 'edge', holds: EDGES.A }
    if (character === '$') return { kind: 'edge', holds: EDGES.Z }
    if (character === '\\') {
      const escaped = this.source[this.at]
      if (Object.hasOwn(EDGES, escaped ?? '')) {
        this.at++
        return { kind: 'edge', holds: EDGES[escaped] }
      }
      return { kind: 'character', test: this.escape() }
    }
    const code = character.charCodeAt(0)
    return { kind: 'character', test: (c) => c === code }
  }

  private group(): Node {
    let look: { isNegative: boolean } | undefined
    if (this.eat('?')) {
      if (this.eat('=')) look = { isNegative: false }
      else if (this.eat('!')) look = { isNegative: true }
      else if (this.eat('P<')) {
        const end = this.source.indexOf('>', this.at)
        if (end < 0) this.fail('a name without its end')
        this.at = end + 1
      } else if (!this.eat(':')) this.refuse(`(?${this.source.slice(this.at, this.at + 2)}`)
    }
    const node = this.choice()
    if (!this.eat(')')) this.fail('an unclosed (')
    return look ? { kind: 'look', node, ...look } : node
  }

  /** One character behind a backslash, as a test. */
  private escape(): Test {
    const character = this.source[this.at++]
    if (character === undefined) this.fail('a backslash at the end')
    if (Object.hasOwn(CLASSES, character)) return CLASSES[character]
    if (/[1-9]/.test(character)) this.refuse('a back-reference')
    if (/[a-zA-Z0]/.test(character) && !Object.hasOwn(CONTROLS, character)) this.refuse(`\\${character}`)
    const code = (CONTROLS[character] ?? character).charCodeAt(0)
    return (c) => c === code
  }

  private set(): Test {
    const isNegative = this.eat('^')
    const tests: Test[] = []
    for (let first = true; first || this.source[this.at] !== ']'; first = false) {
      const character = this.source[this.at++]
      if (character === undefined) this.fail('an unclosed [')
      if (character === '\\' && Object.hasOwn(CLASSES, this.source[this.at] ?? '')) {
        tests.push(CLASSES[this.source[this.at++]])
        continue
      }
      const low = character === '\\' ? this.literal() : character.charCodeAt(0)
      const isRange =
        this.source[this.at] === '-' && this.at + 1 < this.source.length && this.source[this.at + 1] !== ']'
      if (!isRange) {
        tests.push((c) => c === low)
        continue
      }
      this.at++
      const end = this.source[this.at++]
      const high = end === '\\' ? this.literal() : end.charCodeAt(0)
      if (high < low) this.fail('a range that ends before it begins')
      tests.push((c) => c >= low && c <= high)
    }
    this.at++
    return (c) => tests.some((test) => test(c)) !== isNegative
  }

  /** A character behind a backslash inside a set. */
  private literal(): number {
    const character = this.source[this.at++]
    if (character === undefined) this.fail('a backslash at the end')
    if (/[a-zA-Z0-9]/.test(character) && !Object.hasOwn(CONTROLS, character)) this.refuse(`\\${character}`)
    return (CONTROLS[character] ?? character).charCodeAt(0)
  }
}
