// mergekit's YAML in and out. What is read and written again is the same recipe; comments are not kept.

import { Document, isScalar, type ScalarTag, visit } from 'yaml'
import type { ReadContext, Spelling } from './fields.ts'
import { MERGEKIT_METHODS, unreadByMergekit } from './mergekit.ts'
import { Problems } from './problems.ts'
import { readRecipe } from './read.ts'
import { tokenizerValue } from './readTokenizer.ts'
import {
  isPrintable,
  type ModelEntry,
  type ModelReference,
  type Parameters,
  printReference,
  type Recipe,
  type Slice,
} from './recipe.ts'
import { treeOfJson } from './tree.ts'
import { treeOfYaml } from './yamlTree.ts'

const MERGEKIT: Spelling = {
  method: 'merge_method',
  base: 'base_model',
  layerRange: 'layer_range',
  outDtype: 'out_dtype',
  tokenizer: 'tokenizer_source',
  chatTemplate: 'chat_template',
  extension: 'alignmerge',
  envelope: [],
  isMergekit: true,
}

/**
 * The recipe of a mergekit YAML text, and the line of each place in it for later messages. Throws one
 * `file-malformed` that lists everything unknown, unsupported or of the wrong form, each with its line.
 */
export function readRecipeYaml(text: string): { recipe: Recipe; lines: ReadonlyMap<string, number> } {
  const lines = new Map<string, number>()
  const context: ReadContext = { problems: new Problems(lines), lines, spelling: MERGEKIT }
  const recipe = readRecipe(context, treeOfYaml(text))
  context.problems.throwIfAny('file-malformed')
  return { recipe, lines }
}

/** The recipe of such data, checked as a file is. */
export function recipeOfFileValue(value: unknown): Recipe {
  const lines = new Map<string, number>()
  const context: ReadContext = { problems: new Problems(), lines, spelling: MERGEKIT }
  const recipe = readRecipe(context, treeOfJson(value))
  context.problems.throwIfAny('file-malformed')
  return recipe
}

const referenceValue = (reference: ModelReference): unknown => {
  if (isPrintable(reference)) return printReference(reference)
  const { path, revision, lora } = reference
  return { model: { path, ...(revision !== undefined && { revision }) }, ...(lora && { lora }) }
}

const withParameters = (parameters: Parameters): { parameters?: Parameters } =>
  Object.keys(parameters).length > 0 ? { parameters } : {}

const entryValue = ({ model, parameters }: ModelEntry, more: object = {}): unknown => ({
  model: referenceValue(model),
  ...more,
  ...withParameters(parameters),
})

const sliceValue = ({ sources, base, parameters }: Slice): unknown => ({
  sources: sources.map((source) => entryValue(source, { layer_range: source.layerRange })),
  ...(base && { base_model: referenceValue(base) }),
  ...withParameters(parameters),
})

/** The recipe as plain data under mergekit's keys, in their usual order: what its YAML holds. */
export function recipeToFileValue(recipe: Recipe): Record<string, unknown> {
  const { method, base, models, slices, parameters, dtype, outDtype, chatTemplate } = recipe
  const tokenizer = tokenizerValue(recipe, referenceValue)
  const { seed, models: roles } = recipe.extension ?? {}
  const roleValues =
    roles && Object.fromEntries(Object.entries(roles).map(([role, model]) => [role, referenceValue(model)]))
  return {
    ...(models && { models: models.map((entry) => entryValue(entry)) }),
    ...(slices && { slices: slices.map(sliceValue) }),
    merge_method: method,
    ...(base && { base_model: referenceValue(base) }),
    ...withParameters(parameters),
    ...(dtype && { dtype }),
    ...(outDtype && { out_dtype: outDtype }),
    ...(tokenizer.source !== undefined && { tokenizer_source: tokenizer.source }),
    ...(tokenizer.map && { tokenizer: tokenizer.map }),
    ...(chatTemplate && { chat_template: chatTemplate }),
    ...(recipe.extension && {
      alignmerge: { ...(seed !== undefined && { seed }), ...(roleValues && { models: roleValues }) },
    }),
  }
}

/** Names of all parameters that a recipe sets anywhere. */
function parameterNames({ parameters, models, slices }: Recipe): string[] {
  const blocks = [
    parameters,
    ...(models ?? []).map((entry) => entry.parameters),
    ...(slices ?? []).flatMap((slice) => [slice.parameters, ...slice.sources.map((s) => s.parameters)]),
  ]
  return blocks.flatMap((block) => Object.keys(block))
}

function remarks(recipe: Recipe): string[] {
  const { method, extension } = recipe
  if (!Object.hasOwn(MERGEKIT_METHODS, method))
    return [`mergekit does not know the method ${method}: this recipe is for AlignMerge Studio`]
  const unread = [
    ...unreadByMergekit(method, parameterNames(recipe)),
    ...(extension ? ['the key alignmerge'] : []),
  ]
  return unread.length > 0 ? [`mergekit does not read, and ignores: ${unread.join(', ')}`] : []
}

// PyYAML takes 1e-7 for a word; it wants a point and a signed exponent.
const pythonFloat: ScalarTag = {
  identify: (value) => typeof value === 'number' && /e/.test(String(value)),
  default: true,
  tag: 'tag:yaml.org,2002:float',
  test: /^[-+]?\d+\.\d*e[-+]\d+$/,
  resolve: (text) => Number(text),
  stringify: ({ value }) => {
    const [digits, exponent] = String(value).split('e')
    return `${digits.includes('.') ? digits : `${digits}.0`}e${exponent}`
  },
}

/** mergekit's YAML of a recipe, opened by a comment where mergekit would not do what it says. */
export function writeRecipeYaml(recipe: Recipe): string {
  // 1.1 is PyYAML's version: words such as `no` are quoted.
  const document = new Document(recipeToFileValue(recipe), {
    version: '1.1',
    customTags: (tags) => [pythonFloat, ...tags],
    aliasDuplicateObjects: false,
  })
  visit(document, {
    Seq(_, list) {
      list.flow = list.items.every((item) => isScalar(item) && typeof item.value === 'number')
    },
  })
  const text = document.toString({ directives: false, flowCollectionPadding: false, lineWidth: 0 })
  return [...remarks(recipe).map((remark) => `# ${remark}\n`), text].join('')
}
