// The models of a recipe over the vocabulary that it asks for.

import { unifyVocabularies } from '../../core/files/vocabulary/unify.ts'
import { notesOf, type TokenRule } from '../../core/files/vocabulary/union.ts'
import { printReference, type Recipe, type TokenChoice } from '../../core/merge/recipe/recipe.ts'
import type { OpenedModel } from './openRecipe.ts'

function ruleOf({ source, force }: TokenChoice): TokenRule {
  if (source.kind === 'zero') return { source, force }
  return { source: { ...source, model: printReference(source.model) }, force }
}

/** What a recipe says of the vocabulary: rows of the result follow from it that no sample of its inputs shows. */
export const vocabularyOf = ({ tokenizerFrom, tokenRules, padToMultipleOf }: Recipe): unknown =>
  tokenizerFrom === undefined ? undefined : { tokenizerFrom, tokenRules, padToMultipleOf }

export interface OverVocabulary {
  models: ReadonlyMap<string, OpenedModel>
  /** what joining the vocabularies did, for people */
  notes: string[]
}

/**
 * The same models where a recipe names no vocabulary, or all have it already. Throws `tokenizer-mismatch` where
 * vocabularies cannot be joined.
 */
export function withVocabulary(recipe: Recipe, models: ReadonlyMap<string, OpenedModel>): OverVocabulary {
  const { tokenizerFrom, tokenRules, padToMultipleOf } = recipe
  // A base that is not there is the plan's to name.
  if (tokenizerFrom === undefined || (tokenizerFrom === 'base' && !recipe.base)) return { models, notes: [] }
  const [first] = models.keys()
  const base = recipe.base ? printReference(recipe.base) : first
  const source =
    tokenizerFrom === 'union'
      ? tokenizerFrom
      : { model: tokenizerFrom === 'base' ? base : printReference(tokenizerFrom) }
  const { checkpoints, union } = unifyVocabularies(
    new Map([...models].map(([name, { checkpoint }]) => [name, checkpoint])),
    {
      base,
      source,
      tokens: new Map(Object.entries(tokenRules ?? {}).map(([token, rule]) => [token, ruleOf(rule)])),
      padToMultipleOf,
    },
  )
  return {
    models: new Map(
      [...models].map(([name, model]) => [name, { ...model, checkpoint: checkpoints.get(name)! }]),
    ),
    notes: notesOf(union),
  }
}
