// Bugs planted in WGSL text, for `npm run mutate`: every place of a kernel where an index, a sign, a term or a
// constant could have been typed wrongly gives one mutant. Works on text, knows no types: a mutant that does not
// compile is the compiler's to refuse.

export type MutationClass = 'index' | 'sign' | 'dropped' | 'constant' | 'barrier'
export const MUTATION_CLASSES: readonly MutationClass[] = ['index', 'sign', 'dropped', 'constant', 'barrier']

export interface Mutant {
  kind: MutationClass
  /** the line as it stands, trimmed; and what the mutation makes of it */
  line: string
  changed: string
  /** number of the line in the text, from 1 */
  at: number
  /** the whole text with the bug */
  text: string
}

/** One edit of a line: replace `length` characters at `start` by `by`. */
interface Edit {
  kind: MutationClass
  start: number
  length: number
  by: string
}

/** Names of u32 or f32 parameters and of local u32 variables, for swaps. */
export interface Names {
  /** parameters by type, as `P.name` */
  params: readonly (readonly [name: string, type: 'u32' | 'f32'])[]
}

/**
 * All mutants of `text`, each once; comments and the entry point's declaration are left alone. Of lines that
 * differ only in their numbers and one-letter names (a loop unrolled by hand), each mutation is planted in one,
 * taken in turn, so that every line and every kind of bug is met.
 */
export function listMutants(text: string, names: Names): Mutant[] {
  const lines = text.split('\n')
  const locals = localIntegers(text)
  const seen = new Set<string>()
  const mutants: Mutant[] = []
  const shapeOf = (line: string) => line.replace(/\d+/g, '#').replace(/\b[a-z]_?\b/g, '_')
  const shapes = lines.map(shapeOf)
  lines.forEach((line, i) => {
    if (/^\s*(\/\/|@compute|@group|override|struct|\}|$)/.test(line)) return
    if (/^fn main\(/.test(line)) return
    const isAlike = (shape: string) => shape === shapes[i]
    const count = shapes.filter(isAlike).length
    const place = shapes.slice(0, i).filter(isAlike).length
    editsOf(line, names, locals).forEach(({ kind, start, length, by }, turn) => {
      if (turn % count !== place) return
      const changed = line.slice(0, start) + by + line.slice(start + length)
      const body = [...lines.slice(0, i), changed, ...lines.slice(i + 1)].join('\n')
      if (changed === line || seen.has(body)) return
      seen.add(body)
      mutants.push({ kind, line: line.trim(), changed: changed.trim(), at: i + 1, text: body })
    })
  })
  return mutants
}

/** Names bound by `let`, `var` or as u32 parameters of functions, in order: candidates for a mix-up. */
function localIntegers(text: string): string[] {
  const code = text.replace(/\/\/.*$/gm, '')
  const names = [...code.matchAll(/\b(?:let|var) (\w+) = /g), ...code.matchAll(/\b(\w+): u32\b/g)]
  return [...new Set(names.map((match) => match[1]))]
}

function editsOf(line: string, names: Names, locals: readonly string[]): Edit[] {
  const code = line.replace(/\/\/.*$/, '')
  // What a helper function is called with is in its own signature: only the body can be mistyped unnoticed.
  const from = /^fn /.test(code) ? code.indexOf('{') : 0
  const edits: Edit[] = []
  const each = (
    pattern: RegExp,
    make: (match: RegExpExecArray) => Omit<Edit, 'start'> | Edit | undefined,
  ) => {
    for (const match of code.matchAll(pattern)) {
      if (match.index < from) continue
      const edit = make(match)
      if (edit) edits.push({ start: match.index, ...edit })
    }
  }
  bounds(each)
  offsets(each)
  swaps(each, names, locals)
  signs(each)
  drops(each, code)
  constants(each)
  each(/\b(workgroup|storage)Barrier\(\);/g, ([all]) => ({ kind: 'barrier', length: all.length, by: '' }))
  return edits
}

type Each = (
  pattern: RegExp,
  make: (match: RegExpExecArray) => Omit<Edit, 'start'> | Edit | undefined,
) => void

/** Comparisons off by one. */
function bounds(each: Each): void {
  const other: Record<string, string> = { '<': '<=', '>=': '>', '<=': '<', '>': '>=' }
  each(/(?<= )(<=|>=|<|>)(?= )/g, ([op]) => ({ kind: 'index', length: op.length, by: other[op] }))
}

/** Places off by one: `i + 1u` where `i` stood, and quotient for remainder. */
function offsets(each: Each): void {
  // After `+` or `*`, or as an index or the first argument: where places are computed.
  each(/(?<=[+[(] ?)([a-z]\w*\b(?![(.[])|P\.\w+)(?= ?[+\]),])/g, ({ 0: name, index, input }) => ({
    kind: 'index',
    length: name.length,
    by: `(${name} + ${stepAt(input, index)}u)`,
  }))
  each(/\b(?:g|id|w)\.([xyz])\b/g, ({ 0: all, 1: axis }) => ({
    kind: 'index',
    length: all.length,
    by: all.replace(`.${axis}`, axis === 'x' ? '.y' : '.x'),
  }))
  each(/(?<= )[/%](?= )/g, ([op]) => ({ kind: 'index', length: 1, by: op === '/' ? '%' : '/' }))
  each(/\bmin\((?=[^()]*,)/g, () => ({ kind: 'index', length: 3, by: 'max' }))
}

/** Where fours are counted, in the arguments of a four-wide accessor and before `>> 2u`, a place is off by four. */
function stepAt(line: string, index: number): 1 | 4 {
  return /\b\w+4\([^()]*$/.test(line.slice(0, index)) || /^[^\]]*\) >> 2u/.test(line.slice(index)) ? 4 : 1
}

/** One name for another of the same type. */
function swaps(each: Each, { params }: Names, locals: readonly string[]): void {
  each(/\bP\.(\w+)/g, ({ 0: all, 1: name }) => {
    const type = params.find(([other]) => other === name)?.[1]
    const others = params.filter(([other, t]) => t === type && other !== name).map(([other]) => other)
    const own = params.findIndex(([other]) => other === name)
    if (others.length === 0) return undefined
    return { kind: 'index', length: all.length, by: `P.${others[own % others.length]}` }
  })
  each(/(?<![.\w])[a-z]\w*\b(?!\()/g, ({ 0: name, index, input }) => {
    const own = locals.indexOf(name)
    // Not where it is declared: renaming a declaration is no mix-up.
    if (own < 0 || /\b(let|var) $/.test(input.slice(0, index))) return undefined
    const other = locals[own === 0 ? 1 : own - 1]
    return other === undefined ? undefined : { kind: 'index', length: name.length, by: other }
  })
  each(/(?<=\w)\.([xyzw])\b(?!\w)/g, ({ 1: lane, input, index }) =>
    /\b(g|id)$/.test(input.slice(0, index))
      ? undefined
      : { kind: 'index', length: 2, by: `.${'xyzw'['yzwx'.indexOf(lane)]}` },
  )
}

function signs(each: Each): void {
  // Not before a literal 0u: the accessors write their lanes as `+ 0u` … `+ 3u`.
  each(/(?<= )[+-](?= )(?! 0u)/g, ([op]) => ({ kind: 'sign', length: 1, by: op === '+' ? '-' : '+' }))
  each(/(?<= )([+-])=(?= )/g, ({ 1: op }) => ({ kind: 'sign', length: 2, by: op === '+' ? '-=' : '+=' }))
  each(/(?<=[(=,] ?)-(?=[\w(])/g, () => ({ kind: 'sign', length: 1, by: '' }))
  // A factor or stored value with the wrong sign.
  each(/(?<= = )(?!=)([^;=]+)(?=;)/g, ({ 1: value }) =>
    // Nothing, negated, is nothing.
    /^(vec4f\(\)|0\.0|0u)$/.test(value)
      ? undefined
      : { kind: 'sign', length: value.length, by: `-(${value})` },
  )
  each(/, ([^,;]+)\);(?= *\}?$)/g, ({ 0: all, 1: value }) => ({
    kind: 'sign',
    length: all.length,
    by: `, -(${value}));`,
  }))
}

/** Statements and terms left out. */
function drops(each: Each, code: string): void {
  each(/ [+*/-] (?!0u)(P\.\w+|[a-z]\w*|[\d.]+[uf]?)\b(?![([.])/g, ([all]) => ({
    kind: 'dropped',
    length: all.length,
    by: '',
  }))
  each(/\bif \([^{]*\) \{ return; \}/g, ([all]) => ({ kind: 'dropped', length: all.length, by: '' }))
  if (/^\s*for /.test(code)) {
    each(/(?<=\{ )[^{};]+;/g, ([all]) => ({ kind: 'dropped', length: all.length, by: '' }))
    return
  }
  each(/(?<=^\s*|[;{] )(?!let |var |return|for |if |else)[a-z][^;{}]*[=(][^;{}]*;/g, ([all]) => ({
    kind: 'dropped',
    length: all.length,
    by: '',
  }))
  each(/\bif \(([^{]*)\) \{(?! return; \})/g, ({ 0: all, 1: condition }) => ({
    kind: 'dropped',
    length: all.length,
    by: `if (!(${condition})) {`,
  }))
}

function constants(each: Each): void {
  each(/(?<![\w.])(0x[\da-f]+|\d+)u\b/g, ({ 0: all, 1: digits, index, input }) => ({
    kind: 'constant',
    length: all.length,
    by: `${Number(digits) + stepAt(input, index)}u`,
  }))
  each(/(?<![\w.])\d+\.\d+(e-?\d+)?/g, ([all]) => ({
    kind: 'constant',
    length: all.length,
    by: Number(all) === 0 ? '1.0' : (Number(all) * 1.5).toExponential(),
  }))
}

/**
 * The same text with every loop ended after `most` turns in all: a mutant may count towards four thousand
 * million, and a software adapter would have to follow.
 */
export function withFuel(text: string, most = 5000): string {
  const loops = text.replace(
    /(for \([^;]*;)([^;]+);/g,
    (_, head, condition) => `${head} (${condition}) && burn_();`,
  )
  return `${loops}\nvar<private> fuel_: u32 = ${most}u;\nfn burn_() -> bool { fuel_ -= min(fuel_, 1u); return fuel_ > 0u; }`
}
