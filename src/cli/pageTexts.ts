// Every text that the page may show, as the keys of a catalogue: what stands in calls of t() and plural(), and what
// declarations, parameters, presets and the help say of themselves. Also finds words that bypass the catalogue.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseAst } from 'vite'
import * as help from '../help/index.ts'
import { methodDeclarations } from '../share/methods.ts'
import { choiceParameters, numberParameters } from '../share/parameters.ts'
import { presets } from '../share/presets.ts'

const root = resolve(import.meta.dirname, '../..')

interface Node {
  type: string
  start: number
  [key: string]: unknown
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'

/** Letters in a row: a word, and not a symbol or a unit sign. */
const hasWord = (text: string): boolean => /[A-Za-z]{3,}/.test(text)

/** What has the look of a text in data: a sentence, a name with a capital, several words. */
const isProse = (text: string): boolean => hasWord(text) && (/\s/.test(text) || /^[A-Z]/.test(text))

/** Properties that hold texts for people wherever they stand in views and state. */
const textProperties = new Set(['label', 'title', 'brief', 'detail', 'caption', 'note'])
/** Attributes that are read out or shown. */
const textAttributes = new Set([
  'title',
  'aria-label',
  'placeholder',
  'label',
  'alt',
  'aria-valuetext',
  'brief',
])

export interface FileTexts {
  /** keys of the catalogue */
  keys: Set<string>
  /** `file:line text` of words that no t() stands around */
  bare: string[]
}

function stringsOf(node: unknown): string[] {
  if (!isNode(node)) return []
  if (node.type === 'Literal' && typeof node.value === 'string') return [node.value]
  if (node.type === 'TemplateLiteral') {
    const quasis = node.quasis as { value: { cooked: string } }[]
    return quasis.length === 1 ? [quasis[0]!.value.cooked] : []
  }
  if (node.type === 'ConditionalExpression')
    return [...stringsOf(node.consequent), ...stringsOf(node.alternate)]
  if (node.type === 'LogicalExpression') return [...stringsOf(node.left), ...stringsOf(node.right)]
  if (node.type === 'ParenthesizedExpression') return stringsOf(node.expression)
  if (node.type === 'MemberExpression' && isNode(node.object) && node.object.type === 'ObjectExpression')
    return (node.object.properties as Node[]).flatMap((property) => stringsOf(property.value))
  return []
}

/** Texts of one source file. */
export function textsOf(file: string, source: string): FileTexts {
  const keys = new Set<string>()
  const bare: string[] = []
  const lineOf = (offset: number) => source.slice(0, offset).split('\n').length
  const visit = (node: Node): void => {
    if (node.type === 'CallExpression' && isNode(node.callee) && node.callee.type === 'Identifier') {
      const given = node.arguments as Node[]
      const texts = { t: given.slice(0, 1), plural: given.slice(1, 3) }[node.callee.name as string] ?? []
      for (const text of texts.flatMap(stringsOf)) keys.add(text)
    }
    if (node.type === 'Property' && isNode(node.key) && textProperties.has(String(node.key.name)))
      for (const text of stringsOf(node.value)) if (isProse(text)) keys.add(text)
    if (node.type === 'JSXText' && hasWord(String(node.value)))
      bare.push(`${file}:${lineOf(node.start)} ${String(node.value).trim().slice(0, 60)}`)
    if (node.type === 'JSXAttribute' && isNode(node.name) && textAttributes.has(String(node.name.name)))
      for (const text of stringsOf(node.value))
        if (isProse(text)) bare.push(`${file}:${lineOf(node.start)} ${text.slice(0, 60)}`)
    for (const value of Object.values(node)) {
      if (Array.isArray(value)) value.filter(isNode).forEach(visit)
      else if (isNode(value)) visit(value)
    }
  }
  visit(parseAst(source, { lang: file.endsWith('x') ? 'tsx' : 'ts' }) as unknown as Node)
  return { keys, bare }
}

/** Every text in data, at any depth. */
function prose(value: unknown, found: Set<string>): void {
  if (typeof value === 'string') {
    if (isProse(value)) found.add(value)
  } else if (Array.isArray(value)) for (const entry of value) prose(entry, found)
  else if (typeof value === 'object' && value !== null)
    for (const [name, entry] of Object.entries(value)) if (!dataProperties.has(name)) prose(entry, found)
}

/** Properties that are data and no text. */
const dataProperties = new Set([
  'id',
  'url',
  'kind',
  'value',
  'change',
  'symbol',
  'origin',
  'source',
  'provenance',
  'scope',
  'default',
])

/** Keys that data brings, whoever shows it. */
export function dataTexts(): Set<string> {
  const found = new Set<string>()
  prose(
    [methodDeclarations, Object.values(numberParameters), Object.values(choiceParameters), presets],
    found,
  )
  const { glossary, measures, methodNotes, formulas, symbols, targets, tour, exercises } = help
  prose([glossary, measures, methodNotes, formulas, symbols, targets, tour, exercises], found)
  return found
}

/** Texts of all views and of the state. */
export function pageTexts(): FileTexts {
  const keys = dataTexts()
  const bare: string[] = []
  for (const folder of ['src/views', 'src/state'])
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.tsx?$/.test(name) || /\.test\.|testing\//.test(name)) continue
      const file = join(folder, name)
      const found = textsOf(file, readFileSync(join(root, file), 'utf8'))
      for (const key of found.keys) keys.add(key)
      bare.push(...found.bare)
    }
  return { keys, bare }
}
