// The models of a recipe over the vocabulary that it asks for.

import { unifyVocabularies } from '../../core/files/vocabulary/unify.ts'
import type { TokenRule } from '../../core/files/vocabulary/union.ts'
import { printReference, type Recipe, type TokenChoice } from '../../core/merge/recipe/recipe.ts'
import type { OpenedModel } from './openRecipe.ts'

function ruleOf({ source, force }: TokenChoice): TokenRule {
  if (source.kind === 'zero') return { source, force }
  return { source: { ...source, model: printReference(source.model) }, force }
}

/**
 * The same models where a recipe names no vocabulary, or all have it already. Throws `tokenizer-mismatch` where
 * vocabularies cannot be joined.
 */
export function withVocabulary(
  recipe: Recipe,
  models: ReadonlyMap<string, OpenedModel>,
): ReadonlyMap<string, OpenedModel> {
  const { tokenizerFrom, tokenRules, padToMultipleOf } = recipe
  // A base that is not there is the plan's to name.
  if (tokenizerFrom === undefined || (tokenizerFrom === 'base' && !recipe.base)) return models
  const [first] = models.keys()
  const base = recipe.base ? printReference(recipe.base) : first
  const source =
    tokenizerFrom === 'union'
      ? tokenizerFrom
      : { model: tokenizerFrom === 'base' ? base : printReference(tokenizerFrom) }
  const { checkpoints } = unifyVocabularies(
    new Map([...models].map(([name, { checkpoint }]) => [name, checkpoint])),
    {
      base,
      source,
      tokens: new Map(Object.entries(tokenRules ?? {}).map(([token, rule]) => [token, ruleOf(rule)])),
      padToMultipleOf,
    },
  )
  return new Map([...models].map(([name, model]) => [name, { ...model, checkpoint: checkpoints.get(name)! }]))
}
