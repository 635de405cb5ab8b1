// The leaves of a recipe: parameter values in all their forms, and references to models.

import { EngineError } from '../../errors.ts'
import { fieldsOf, type ReadContext } from './fields.ts'
import { show } from './problems.ts'
import {
  type FilteredValue,
  type Gradient,
  type ModelReference,
  type Parameters,
  type ParameterValue,
  parseReference,
  type Scalar,
} from './recipe.ts'
import { describe, type Tree } from './tree.ts'

/** What PyYAML, and so mergekit, reads as true and false beside the words themselves. */
const WORDS = new Map([
  ...['yes', 'Yes', 'YES', 'on', 'On', 'ON'].map((word): [string, boolean] => [word, true]),
  ...['no', 'No', 'NO', 'off', 'Off', 'OFF'].map((word): [string, boolean] => [word, false]),
])

/** A scalar that is no null; undefined, with a problem, for anything else. */
function readScalar(context: ReadContext, tree: Tree, place: string): Scalar | undefined {
  if (tree.kind === 'scalar' && tree.value !== null) {
    const { value } = tree
    if (typeof value !== 'number' || Number.isFinite(value))
      return tree.isPlain && typeof value === 'string' ? (WORDS.get(value) ?? value) : value
    context.problems.add(place, `expected a finite number, found ${String(value)}`, tree.line)
  } else
    context.problems.add(
      place,
      `expected a number, a word, or true or false, found ${describe(tree)}`,
      tree.line,
    )
  return undefined
}

function readGradient(context: ReadContext, tree: Tree, place: string): Scalar | Gradient | undefined {
  if (tree.kind !== 'list') return readScalar(context, tree, place)
  const values = tree.items.map((item, i) => readScalar(context, item, `${place}[${i}]`))
  if (values.length === 0) context.problems.add(place, 'a gradient needs at least one value', tree.line)
  const kinds = new Set(values.map((value) => typeof value))
  kinds.delete('undefined')
  if (kinds.size > 1)
    context.problems.add(place, `a gradient needs values of one kind, found ${show(values)}`, tree.line)
  return values.every((value) => value !== undefined) ? values : undefined
}

function readFiltered(context: ReadContext, tree: Tree, place: string): FilteredValue | undefined {
  const fields = fieldsOf(context, tree, place, ['filter', 'value'], {
    pattern: 'an old key of mergekit; it is called filter now',
  })
  if (!fields) return undefined
  const value = fields.get('value')
  if (!value) {
    context.problems.add(place, 'value is missing', tree.line)
    return undefined
  }
  const read = readGradient(context, value.value, value.place)
  const filter = fields.get('filter')
  const given = filter?.value.kind === 'scalar' ? filter.value.value : undefined
  const isNone = !filter || given === null
  if (!isNone && (typeof given !== 'string' || given === '')) {
    const found = describe(filter.value)
    context.problems.add(filter.place, `expected a part of tensor names, found ${found}`, filter.value.line)
    return undefined
  }
  if (read === undefined) return undefined
  return isNone ? { value: read } : { filter: String(given), value: read }
}

/** number, word, switch, gradient, or a list of {filter, value}. */
export function readValue(context: ReadContext, tree: Tree, place: string): ParameterValue | undefined {
  if (tree.kind === 'map') {
    context.problems.add(place, 'expected a value or a list of {filter, value}, found a mapping', tree.line)
    return undefined
  }
  const isFiltered = tree.kind === 'list' && tree.items.some(({ kind }) => kind === 'map')
  if (!isFiltered) return readGradient(context, tree, place)
  const read = tree.items.map((item, i) => readFiltered(context, item, `${place}[${i}]`))
  return read.every((item) => item !== undefined) ? read : undefined
}

/** Parameters by name; absent and null give none. */
export function readParameters(
  context: ReadContext,
  field: { value: Tree; place: string } | undefined,
): Parameters {
  const parameters: Record<string, ParameterValue> = {}
  if (!field || (field.value.kind === 'scalar' && field.value.value === null)) return parameters
  const { value: tree, place } = field
  if (tree.kind !== 'map') {
    context.problems.add(place, `expected parameters by name, found ${describe(tree)}`, tree.line)
    return parameters
  }
  for (const { key, line, value } of tree.entries) {
    const inner = `${place}.${key}`
    if (line !== undefined) context.lines.set(inner, line)
    // Names like __proto__ are no property of a plain object.
    if (!/^[a-z][a-z0-9_]*$/i.test(key)) {
      context.problems.add(inner, 'expected the name of a parameter', line)
      continue
    }
    const read = readValue(context, value, inner)
    if (read !== undefined) parameters[key] = read
  }
  return parameters
}

interface Part {
  path: string
  revision?: string
}

function readPart(context: ReadContext, tree: Tree, place: string): Part | undefined {
  if (tree.kind !== 'map') {
    const reference = readReference(context, tree, place)
    if (reference?.lora) context.problems.add(place, 'a + belongs into the whole reference, not into a part')
    return reference && part(reference.path, reference.revision)
  }
  const fields = fieldsOf(context, tree, place, ['path', 'revision'])
  const path = word(context, fields?.get('path'))
  const revision = word(context, fields?.get('revision'))
  if (fields && !fields.has('path')) context.problems.add(place, 'path is missing', tree.line)
  return path === undefined ? undefined : part(path, revision)
}

const part = (path: string, revision: string | undefined): Part =>
  revision === undefined ? { path } : { path, revision }

function word(context: ReadContext, field: { value: Tree; place: string } | undefined): string | undefined {
  if (!field) return undefined
  const { value: tree, place } = field
  if (tree.kind === 'scalar' && typeof tree.value === 'string' && tree.value.trim() !== '') return tree.value
  if (tree.kind === 'scalar' && tree.value === null) return undefined
  context.problems.add(place, `expected a word, found ${describe(tree)}`, tree.line)
  return undefined
}

/** `path[@revision][+lora[@revision]]`, or mergekit's mapping {model: {path, revision}, lora}. */
export function readReference(context: ReadContext, tree: Tree, place: string): ModelReference | undefined {
  if (tree.kind === 'map') {
    const fields = fieldsOf(context, tree, place, ['model', 'lora'], {
      override_architecture:
        'override_architecture is not supported; the architecture is that of config.json',
    })
    if (!fields) return undefined
    const model = fields.get('model')
    if (!model) {
      context.problems.add(place, 'model is missing', tree.line)
      return undefined
    }
    const main = readPart(context, model.value, model.place)
    const loraField = fields.get('lora')
    const hasLora = loraField && !(loraField.value.kind === 'scalar' && loraField.value.value === null)
    const lora = hasLora ? readPart(context, loraField.value, loraField.place) : undefined
    return main && { ...main, ...(lora && { lora }) }
  }
  if (tree.kind !== 'scalar' || typeof tree.value !== 'string') {
    context.problems.add(place, `expected a model, found ${describe(tree)}`, tree.line)
    return undefined
  }
  try {
    return parseReference(tree.value)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    context.problems.add(place, error.message, tree.line)
    return undefined
  }
}
