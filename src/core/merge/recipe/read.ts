// From the neutral tree to a Recipe: every key and value checked for its form, every problem collected with its
// line and place. Whether methods, parameters and models exist is check.ts's and plan.ts's matter.

import { type Fields, fieldsOf, type ReadContext } from './fields.ts'
import { NAMED_TEMPLATES, UNSUPPORTED_IN_MODELS, UNSUPPORTED_KEYS } from './mergekit.ts'
import { show } from './problems.ts'
import { readTokenizerMap, readTokenizerSource } from './readTokenizer.ts'
import { readParameters, readReference } from './readValues.ts'
import {
  type ModelEntry,
  type ModelReference,
  RECIPE_DTYPES,
  type Recipe,
  type RecipeDtype,
  type RecipeExtension,
  type Slice,
  type SliceSource,
} from './recipe.ts'
import { describe, type Tree } from './tree.ts'

const isNull = (tree: Tree) => tree.kind === 'scalar' && tree.value === null

function readText(context: ReadContext, tree: Tree, place: string): string | undefined {
  if (tree.kind === 'scalar' && typeof tree.value === 'string' && tree.value.trim() !== '') return tree.value
  context.problems.add(place, `expected a word, found ${describe(tree)}`, tree.line)
  return undefined
}

function readDtype(context: ReadContext, tree: Tree, place: string): RecipeDtype | undefined {
  const found = RECIPE_DTYPES.find((dtype) => tree.kind === 'scalar' && tree.value === dtype)
  if (found) return found
  context.problems.add(place, `${describe(tree)}: expected ${RECIPE_DTYPES.join(', ')}`, tree.line)
  return undefined
}

function readItems<T>(
  context: ReadContext,
  tree: Tree,
  place: string,
  read: (item: Tree, place: string) => T | undefined,
): T[] {
  if (tree.kind !== 'list' || tree.items.length === 0) {
    context.problems.add(place, `expected a list of at least one, found ${describe(tree)}`, tree.line)
    return []
  }
  return tree.items.flatMap((item, i) => {
    const inner = `${place}[${i}]`
    if (item.line !== undefined) context.lines.set(inner, item.line)
    return read(item, inner) ?? []
  })
}

function readEntry(
  context: ReadContext,
  tree: Tree,
  place: string,
  more: readonly string[] = [],
): { entry: ModelEntry; fields: Fields } | undefined {
  const fields = fieldsOf(context, tree, place, ['model', 'parameters', ...more], UNSUPPORTED_IN_MODELS)
  if (!fields) return undefined
  const model = fields.get('model')
  if (!model) {
    context.problems.add(place, 'model is missing', tree.line)
    return undefined
  }
  const reference = readReference(context, model.value, model.place)
  const parameters = readParameters(context, fields.get('parameters'))
  return reference && { entry: { model: reference, parameters }, fields }
}

function readSource(context: ReadContext, tree: Tree, place: string): SliceSource | undefined {
  const { layerRange: key } = context.spelling
  const read = readEntry(context, tree, place, [key])
  if (!read) return undefined
  const range = read.fields.get(key)
  const values =
    range?.value.kind === 'list'
      ? range.value.items.map((item) => (item.kind === 'scalar' ? item.value : undefined))
      : []
  const [first, end] = values
  const isLayer = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
  if (!range) context.problems.add(place, `${key} is missing: [first, end)`, tree.line)
  else if (values.length !== 2 || !isLayer(first) || !isLayer(end))
    context.problems.add(
      range.place,
      `expected [first, end) as two whole numbers from 0, found ${range.value.kind === 'list' ? show(values) : describe(range.value)}`,
      range.value.line,
    )
  else if (end <= first)
    context.problems.add(range.place, `[${first}, ${end}) holds no layer`, range.value.line)
  else return { ...read.entry, layerRange: [first, end] }
  return undefined
}

function readSlice(context: ReadContext, tree: Tree, place: string): Slice | undefined {
  const { base: baseKey } = context.spelling
  const fields = fieldsOf(context, tree, place, ['sources', baseKey, 'parameters'], {
    residual_weight: 'mergekit reads residual_weight and uses it nowhere; remove it',
  })
  if (!fields) return undefined
  const sources = fields.get('sources')
  if (!sources) {
    context.problems.add(place, 'sources is missing', tree.line)
    return undefined
  }
  const base = optional(context, fields, baseKey, readReference)
  return {
    sources: readItems(context, sources.value, sources.place, (item, at) => readSource(context, item, at)),
    ...(base && { base }),
    parameters: readParameters(context, fields.get('parameters')),
  }
}

/** A field read when it is there and not null. */
function optional<T>(
  context: ReadContext,
  fields: Fields,
  key: string,
  read: (context: ReadContext, tree: Tree, place: string) => T | undefined,
): T | undefined {
  const field = fields.get(key)
  return field && !isNull(field.value) ? read(context, field.value, field.place) : undefined
}

function readTemplate(context: ReadContext, tree: Tree, place: string): string | undefined {
  const text = readText(context, tree, place)
  if (text === undefined || text === 'auto') return text
  if (NAMED_TEMPLATES.includes(text))
    context.problems.add(place, `${text}: templates by name are not supported; give the Jinja text or auto`)
  else if (text.length < 20 || !text.includes('{'))
    context.problems.add(place, `expected auto or the text of a Jinja template, found ${show(text)}`)
  else return text
  return undefined
}

function readExtension(context: ReadContext, tree: Tree, place: string): RecipeExtension | undefined {
  const fields = fieldsOf(context, tree, place, ['seed', 'models'])
  if (!fields) return undefined
  const seed = fields.get('seed')
  const value = seed?.value.kind === 'scalar' ? seed.value.value : undefined
  const isSeed = Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 32
  if (seed && !isSeed)
    context.problems.add(seed.place, `expected a whole number below 2^32, found ${describe(seed.value)}`)
  const models: Record<string, ModelReference> = {}
  const map = fields.get('models')
  if (map && map.value.kind !== 'map')
    context.problems.add(map.place, `expected a mapping from roles to models, found ${describe(map.value)}`)
  for (const { key, line, value: tree } of map?.value.kind === 'map' ? map.value.entries : []) {
    const inner = `${map!.place}.${key}`
    if (line !== undefined) context.lines.set(inner, line)
    if (!/^[a-z][a-z0-9_]*$/i.test(key)) context.problems.add(inner, 'expected a role as one word')
    const reference = readReference(context, tree, inner)
    if (reference) models[key] = reference
  }
  return {
    ...(isSeed && { seed: Number(value) }),
    ...(Object.keys(models).length > 0 && { models }),
  }
}

/** The recipe of a tree, as far as it could be read: with problems it must not be used. */
export function readRecipe(context: ReadContext, tree: Tree): Recipe {
  const { spelling, problems } = context
  const known = [
    ...[...spelling.envelope, spelling.method, spelling.base, 'models', 'slices', 'parameters', 'dtype'],
    ...[spelling.outDtype, spelling.tokenizer, 'tokenizer', spelling.chatTemplate, spelling.extension],
  ]
  const fields = fieldsOf(context, tree, '', known, spelling.isMergekit ? UNSUPPORTED_KEYS : {})
  if (!fields) return { method: '', parameters: {} }
  const isGiven = (key: string) => fields.has(key) && !isNull(fields.get(key)!.value)
  const method = optional(context, fields, spelling.method, readText)
  if (!isGiven(spelling.method)) problems.add('', `${spelling.method} is missing`, undefined)
  const hasModules = tree.kind === 'map' && tree.entries.some(({ key }) => key === 'modules')
  if (isGiven('models') === isGiven('slices') && !hasModules)
    problems.add(
      '',
      `exactly one of models and slices is needed, found ${isGiven('models') ? 'both' : 'neither'}`,
    )
  if (isGiven(spelling.tokenizer) && isGiven('tokenizer'))
    problems.add('tokenizer', `${spelling.tokenizer} and tokenizer cannot both be given`)
  const models = isGiven('models') ? fields.get('models')! : undefined
  const slices = isGiven('slices') ? fields.get('slices')! : undefined
  const base = optional(context, fields, spelling.base, readReference)
  const dtype = optional(context, fields, 'dtype', readDtype)
  const outDtype = optional(context, fields, spelling.outDtype, readDtype)
  const tokenizerFrom = optional(context, fields, spelling.tokenizer, readTokenizerSource)
  const tokenizer = optional(context, fields, 'tokenizer', readTokenizerMap)
  const chatTemplate = optional(context, fields, spelling.chatTemplate, readTemplate)
  const extension = optional(context, fields, spelling.extension, readExtension)
  return {
    method: method ?? '',
    ...(base && { base }),
    ...(models && {
      models: readItems(
        context,
        models.value,
        models.place,
        (item, at) => readEntry(context, item, at)?.entry,
      ),
    }),
    ...(slices && {
      slices: readItems(context, slices.value, slices.place, (item, at) => readSlice(context, item, at)),
    }),
    parameters: readParameters(context, fields.get('parameters')),
    ...(dtype && { dtype }),
    ...(outDtype && { outDtype }),
    ...(tokenizerFrom && { tokenizerFrom }),
    ...tokenizer,
    ...(chatTemplate && { chatTemplate }),
    ...(extension && Object.keys(extension).length > 0 && { extension }),
  }
}
