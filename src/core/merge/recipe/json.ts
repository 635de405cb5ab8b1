// Our own JSON form of a recipe, versioned: the Recipe's keys, models in their text form.

import { EngineError } from '../../errors.ts'
import type { Spelling } from './fields.ts'
import { Problems } from './problems.ts'
import { readRecipe } from './read.ts'
import { tokenizerValue } from './readTokenizer.ts'
import { isPrintable, type ModelReference, printReference, type Recipe } from './recipe.ts'
import { assertTextSize, treeOfJson } from './tree.ts'

export const RECIPE_FORMAT = 'alignmerge-recipe'
export const RECIPE_VERSION = 1

const OURS: Spelling = {
  method: 'method',
  base: 'base',
  layerRange: 'layerRange',
  outDtype: 'outDtype',
  tokenizer: 'tokenizerFrom',
  chatTemplate: 'chatTemplate',
  extension: 'extension',
  envelope: ['format', 'version'],
  isMergekit: false,
}

/** The recipe of a parsed JSON value; `file-malformed` lists everything that is unknown or of the wrong form. */
export function recipeOfJson(value: unknown): Recipe {
  const { format, version } = (typeof value === 'object' && value !== null ? value : {}) as {
    format?: unknown
    version?: unknown
  }
  if (format !== RECIPE_FORMAT)
    throw new EngineError(
      'file-malformed',
      `the recipe: expected format ${RECIPE_FORMAT}, found ${String(format)}`,
    )
  if (version !== RECIPE_VERSION)
    throw new EngineError(
      'file-malformed',
      `the recipe: version ${String(version)}; this studio reads version ${RECIPE_VERSION}`,
    )
  const problems = new Problems()
  const recipe = readRecipe({ problems, lines: new Map(), spelling: OURS }, treeOfJson(value))
  problems.throwIfAny('file-malformed')
  return recipe
}

/** The same of its text. */
export function readRecipeJson(text: string): Recipe {
  assertTextSize(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new EngineError('file-malformed', `the recipe is not JSON: ${(error as Error).message}`)
  }
  return recipeOfJson(value)
}

const referenceJson = (reference: ModelReference): unknown => {
  if (isPrintable(reference)) return printReference(reference)
  const { path, revision, lora } = reference
  return { model: { path, ...(revision !== undefined && { revision }) }, ...(lora && { lora }) }
}

/** The recipe as a JSON value; reading it gives an equal recipe. */
export function recipeToJson(recipe: Recipe): Record<string, unknown> {
  const {
    base,
    models,
    slices,
    tokenizerFrom: _,
    tokenRules: __,
    padToMultipleOf: ___,
    extension,
    ...rest
  } = recipe
  const tokenizer = tokenizerValue(recipe, referenceJson)
  const roles = extension?.models
  return {
    format: RECIPE_FORMAT,
    version: RECIPE_VERSION,
    ...rest,
    ...(base && { base: referenceJson(base) }),
    ...(models && { models: models.map((entry) => ({ ...entry, model: referenceJson(entry.model) })) }),
    ...(slices && {
      slices: slices.map((slice) => ({
        ...slice,
        ...(slice.base && { base: referenceJson(slice.base) }),
        sources: slice.sources.map((source) => ({ ...source, model: referenceJson(source.model) })),
      })),
    }),
    ...(tokenizer.source !== undefined && { tokenizerFrom: tokenizer.source }),
    ...(tokenizer.map && { tokenizer: tokenizer.map }),
    ...(extension && {
      extension: {
        ...extension,
        ...(roles && {
          models: Object.fromEntries(
            Object.entries(roles).map(([role, model]) => [role, referenceJson(model)]),
          ),
        }),
      },
    }),
  }
}

export function writeRecipeJson(recipe: Recipe): string {
  return `${JSON.stringify(recipeToJson(recipe), undefined, 2)}\n`
}
