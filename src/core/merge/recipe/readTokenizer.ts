// The vocabulary of the result: mergekit's `tokenizer_source`, and its newer `tokenizer: {source, tokens,
// pad_to_multiple_of}` (mergekit tokenizer/config.py), in and out.

import { fieldsOf, type ReadContext } from './fields.ts'
import { readReference } from './readValues.ts'
import type { ModelReference, Recipe, TokenChoice } from './recipe.ts'
import { describe, type Tree } from './tree.ts'

type Choice = Pick<Recipe, 'tokenizerFrom' | 'tokenRules' | 'padToMultipleOf'>

const isNull = (tree: Tree) => tree.kind === 'scalar' && tree.value === null
const scalarOf = (tree: Tree | undefined): unknown => (tree?.kind === 'scalar' ? tree.value : undefined)

export function readTokenizerSource(
  context: ReadContext,
  tree: Tree,
  place: string,
): Recipe['tokenizerFrom'] {
  const word = scalarOf(tree)
  if (word === 'base' || word === 'union') return word
  return readReference(context, tree, place)
}

/** `source` is union where it is not given, as in mergekit. */
export function readTokenizerMap(context: ReadContext, tree: Tree, place: string): Choice | undefined {
  const fields = fieldsOf(context, tree, place, ['source', 'tokens', 'pad_to_multiple_of'])
  if (!fields) return undefined
  const source = fields.get('source')
  const tokenizerFrom =
    source && !isNull(source.value) ? readTokenizerSource(context, source.value, source.place) : 'union'
  const pad = fields.get('pad_to_multiple_of')
  const multiple = pad && !isNull(pad.value) ? scalarOf(pad.value) : undefined
  const isMultiple = Number.isInteger(multiple) && Number(multiple) >= 1 && Number(multiple) <= 2 ** 16
  if (pad && !isNull(pad.value) && !isMultiple)
    context.problems.add(pad.place, `expected a whole number from 1 to 65536, found ${describe(pad.value)}`)
  const rules: [string, TokenChoice][] = []
  const tokens = fields.get('tokens')
  if (tokens && !isNull(tokens.value) && tokens.value.kind !== 'map')
    context.problems.add(tokens.place, `expected a mapping from tokens, found ${describe(tokens.value)}`)
  for (const { key, line, value } of tokens?.value.kind === 'map' ? tokens.value.entries : []) {
    const inner = `${tokens!.place}.${key}`
    if (line !== undefined) context.lines.set(inner, line)
    const rule = readToken(context, value, inner)
    if (rule) rules.push([key, rule])
  }
  return {
    ...(tokenizerFrom && { tokenizerFrom }),
    ...(rules.length > 0 && { tokenRules: Object.fromEntries(rules) }),
    ...(isMultiple && { padToMultipleOf: Number(multiple) }),
  }
}

function readToken(context: ReadContext, tree: Tree, place: string): TokenChoice | undefined {
  const fields = fieldsOf(context, tree, place, ['source', 'force'])
  if (!fields) return undefined
  const force = fields.get('force')
  if (force && typeof scalarOf(force.value) !== 'boolean')
    context.problems.add(force.place, `expected true or false, found ${describe(force.value)}`)
  const source = fields.get('source')
  if (!source || isNull(source.value)) {
    context.problems.add(place, 'source is missing', tree.line)
    return undefined
  }
  const read = readTokenSource(context, source.value, source.place)
  return read && { source: read, force: scalarOf(force?.value) === true }
}

function readTokenSource(context: ReadContext, tree: Tree, place: string): TokenChoice['source'] | undefined {
  const kind =
    tree.kind === 'map' ? scalarOf(tree.entries.find(({ key }) => key === 'kind')?.value) : undefined
  if (kind === 'zero') return { kind: 'zero' }
  if (kind === undefined) {
    const model = readReference(context, tree, place)
    return model && { kind: 'model', model }
  }
  if (kind !== 'model_token') {
    context.problems.add(place, `kind ${String(kind)}: expected model_token or zero`, tree.line)
    return undefined
  }
  const fields = fieldsOf(context, tree, place, ['kind', 'model', 'token', 'token_id'])
  const model = fields?.get('model')
  const reference = model && readReference(context, model.value, model.place)
  const [token, id] = [scalarOf(fields?.get('token')?.value), scalarOf(fields?.get('token_id')?.value)]
  const isId = Number.isInteger(id) && Number(id) >= 0
  if ((typeof token === 'string') === isId || (!isId && id !== undefined))
    context.problems.add(place, 'expected either token, a text, or token_id, a whole number', tree.line)
  else if (!reference) context.problems.add(place, 'model is missing', tree.line)
  else return { kind: 'token', model: reference, token: isId ? Number(id) : String(token) }
  return undefined
}

/** What `tokenizer_source` or `tokenizer` holds of a recipe, models written by `print`. */
export function tokenizerValue(
  { tokenizerFrom, tokenRules, padToMultipleOf }: Choice,
  print: (model: ModelReference) => unknown,
): { source?: unknown; map?: Record<string, unknown> } {
  if (tokenizerFrom === undefined) return {}
  const source = typeof tokenizerFrom === 'string' ? tokenizerFrom : print(tokenizerFrom)
  if (!tokenRules && padToMultipleOf === undefined) return { source }
  const tokens = Object.entries(tokenRules ?? {}).map(([token, { source: from, force }]) => {
    const value =
      from.kind === 'zero'
        ? { kind: 'zero' }
        : from.kind === 'model'
          ? print(from.model)
          : {
              kind: 'model_token',
              model: print(from.model),
              ...(typeof from.token === 'number' ? { token_id: from.token } : { token: from.token }),
            }
    return [token, { source: value, ...(force && { force }) }]
  })
  return {
    map: {
      source,
      ...(tokens.length > 0 && { tokens: Object.fromEntries(tokens) }),
      ...(padToMultipleOf !== undefined && { pad_to_multiple_of: padToMultipleOf }),
    },
  }
}
