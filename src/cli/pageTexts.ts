// Every text that the page may show, as the keys of a catalogue: what stands in calls of t() and plural(), and what
// declarations, parameters, presets and the help say of themselves. Also finds words that bypass the catalogue.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseAst } from 'vite'
import * as help from '../help/index.ts'
import { comparedMethods } from '../share/comparison.ts'
import { findMethod, methodDeclarations } from '../share/methods.ts'
import { choiceParameters, limits, numberParameters } from '../share/parameters.ts'
import { presets } from '../share/presets.ts'
import { recipeNotes } from '../share/recipeText.ts'
import { trainingParameters } from '../share/training.ts'
import { bareTextsOf, exemptions, hasWord, isNode, isProse, type Node, textProperties } from './bareTexts.ts'

const root = resolve(import.meta.dirname, '../..')

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

export const parsed = (file: string, source: string): Node =>
  parseAst(source, { lang: file.endsWith('x') ? 'tsx' : 'ts' }) as unknown as Node

/** Texts of one source file. */
export function textsOf(file: string, source: string): FileTexts {
  const keys = new Set<string>()
  const lineOf = (offset: number) => source.slice(0, offset).split('\n').length
  const visit = (node: Node): void => {
    if (node.type === 'CallExpression' && isNode(node.callee) && node.callee.type === 'Identifier') {
      const given = node.arguments as Node[]
      const texts = { t: given.slice(0, 1), plural: given.slice(1, 3) }[node.callee.name as string] ?? []
      for (const text of texts.flatMap(stringsOf)) keys.add(text)
    }
    if (node.type === 'Property' && isNode(node.key) && textProperties.has(String(node.key.name)))
      for (const text of stringsOf(node.value)) if (isProse(text)) keys.add(text)
    for (const value of Object.values(node)) {
      if (Array.isArray(value)) value.filter(isNode).forEach(visit)
      else if (isNode(value)) visit(value)
    }
  }
  const program = parsed(file, source)
  visit(program)
  const exempt = exemptions.filter((exemption) => exemption.file === file)
  const bare = bareTextsOf(program)
    .filter(({ text }) => !exempt.some(({ texts }) => texts?.includes(text) ?? true))
    .map(({ start, text }) => `${file}:${lineOf(start)} ${text.slice(0, 60)}`)
  return { keys, bare }
}

/** Properties whose text may be a single small word. */
const wordProperties = new Set(['name', 'unit', 'group'])

/** Every text in data, at any depth. */
function prose(value: unknown, found: Set<string>, isWord = false): void {
  if (typeof value === 'string') {
    if (isWord ? hasWord(value) : isProse(value)) found.add(value)
  } else if (Array.isArray(value)) for (const entry of value) prose(entry, found)
  else if (typeof value === 'object' && value !== null)
    for (const [name, entry] of Object.entries(value))
      if (!dataProperties.has(name)) prose(entry, found, wordProperties.has(name))
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

/** What the page says of the models and the labeller that ship with it. */
function shippedTexts(): string[] {
  const read = (path: string) => JSON.parse(readFileSync(join(root, 'public', path), 'utf8'))
  const { models } = read('zoo/index.json') as { models: { description: string }[] }
  const { about } = read('labellers/rules.json') as { about: string }
  return [...models.map(({ description }) => description), about]
}

/** Settings that stand in the names of compared merges. */
const comparedSettings = (): string[] =>
  comparedMethods(2)
    .flatMap(({ label, method }) => label.slice((findMethod(method)?.label.length ?? 0) + 2).split(', '))
    .filter(hasWord)

/** Keys that data brings, whoever shows it. */
export function dataTexts(): Set<string> {
  const found = new Set<string>([...shippedTexts(), ...comparedSettings(), ...Object.values(recipeNotes)])
  prose(
    [
      ...[methodDeclarations, Object.values(numberParameters), Object.values(choiceParameters), presets],
      Object.values(trainingParameters),
    ],
    found,
  )
  // A sweep names each weight by its number.
  for (let expert = 1; expert <= limits.maxExperts; expert++)
    found.add(`${numberParameters.weight.label} ${expert}`)
  const { glossary, measures, methodNotes, formulas, pictures, symbols, targets, tour, exercises } = help
  prose([glossary, measures, methodNotes, formulas, symbols, targets, tour, exercises], found)
  // Where a measure comes from; a method that nobody has published, and what is ours of one that somebody has.
  for (const { source } of measures) found.add(source)
  for (const { source } of methodDeclarations)
    if (!source.url || /\b(ours|as in)\b/.test(source.text)) found.add(source.text)
  for (const { others, path } of pictures) {
    for (const { label } of others) found.add(label)
    if (path && isProse(path.parameter)) found.add(path.parameter)
  }
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
