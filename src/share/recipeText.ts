// An experiment as other tools take it: mergekit's YAML where mergekit has the method, the same keys in our dialect
// where it has not (the file says so in its first line), and the command that carries it out.

import type { Experiment, ModelOrigin } from '../../workers/api.ts'
import { MERGEKIT_METHODS, unreadByMergekit } from '../core/merge/recipe/mergekit.ts'
import type { ModelReference, Recipe, Scalar } from '../core/merge/recipe/recipe.ts'
import { writeRecipeYaml } from '../core/merge/recipe/yaml.ts'
import { normaliseWeights } from './experimentKey.ts'
import { familyOf } from './families.ts'
import { findMethod, neededReferences, ownParameters, parameterValue } from './methods.ts'

export interface RecipeText {
  yaml: string
  /** mergekit reads all of it and does the same */ isMergekit: boolean
  /** what the file cannot say, or needs beside it; English, shown through t() */ notes: string[]
  /** shell command that carries out `recipe.yml` */ command: string
}

/** A model as a recipe names it: built-in ones by their names, which our command line knows. */
function referenceOf(origin: ModelOrigin): ModelReference {
  switch (origin.kind) {
    case 'built-in':
      return { path: origin.id }
    case 'url':
      return { path: origin.url }
    case 'hub':
      // A folder of a repository needs the mark, or it would be a path on the disk.
      return {
        path: origin.part
          ? `${origin.part.endsWith('.gguf') ? '' : 'hub:'}${origin.repo}/${origin.part}`
          : origin.repo,
        revision: origin.revision,
      }
    case 'trained':
      return { path: `./${origin.base}-${origin.lesson}-${origin.steps}` }
    case 'files':
    case 'stored':
      return { path: `./${origin.name.replace(/[@+:]/g, '_')}` }
  }
}

/** Settings of the geometry and of Fisher diagonals, under the names that our command line has for them. */
function geometryParameters(experiment: Experiment): Record<string, Scalar> {
  const material = findMethod(experiment.method)?.material ?? []
  const { lambdaAlign, rank, damping, metric, source, fisher } = experiment
  const needsFisher = material.some((kind) => ['shield', 'fisher', 'anchorFisher'].includes(kind))
  return {
    ...(material.includes('shield') && { lambda_align: lambdaAlign, rank, damping, metric, source }),
    ...(needsFisher && { fisher_labels: fisher.labels, fisher_form: fisher.form }),
  }
}

/** Every parameter with its value, because defaults differ between tools; those only we have, where they say anything. */
function methodParameters({ method, parameters }: Experiment): Record<string, Scalar> {
  const declaration = findMethod(method)
  if (!declaration) return {}
  const unread = new Set(
    unreadByMergekit(
      method,
      ownParameters(declaration).map(({ id }) => id),
    ),
  )
  return Object.fromEntries(
    ownParameters(declaration).flatMap((declared) => {
      const value = parameterValue(parameters, declared)
      const isSaid = !unread.has(declared.id) || value !== declared.default
      return isSaid ? [[declared.id, value] as const] : []
    }),
  )
}

export function recipeOf(experiment: Experiment): Recipe {
  const declaration = findMethod(experiment.method)
  const weights = normaliseWeights(experiment.experts.map(({ weight }) => weight))
  const hasWeights = declaration?.parameters.some(({ id }) => id === 'weight') ?? true
  const hasBase =
    declaration?.base === 'required' || (declaration?.base === 'optional' && !declaration.isBaseLeftOut)
  const roles = neededReferences(experiment.method).flatMap((role) => {
    const origin = experiment.references[role]
    return origin ? [[role, referenceOf(origin)] as const] : []
  })
  const isRandom = !Object.hasOwn(MERGEKIT_METHODS, experiment.method) || experiment.method.startsWith('d')
  return {
    method: experiment.method,
    ...(hasBase && { base: referenceOf(experiment.anchor) }),
    models: experiment.experts.map(({ origin }, index) => ({
      model: referenceOf(origin),
      parameters: hasWeights ? { weight: Number((weights[index] ?? 0).toFixed(9)) } : {},
    })),
    parameters: { ...methodParameters(experiment), ...geometryParameters(experiment) },
    ...((isRandom || roles.length > 0) && {
      extension: {
        ...(isRandom && { seed: experiment.seed }),
        ...(roles.length > 0 && { models: Object.fromEntries(roles) }),
      },
    }),
  }
}

const hasFamily = ({ anchor, experts }: Experiment): boolean =>
  [anchor, ...experts.map(({ origin }) => origin)].some((origin) => familyOf(origin) !== undefined)

/** What a recipe cannot say, or needs beside it; whoever shows it calls t(). */
export const recipeNotes = {
  antidote: 'The antidote after the merge is no part of a recipe.',
  builtIn:
    'The built-in models are folders of the studio’s own files (public/zoo); other tools need their paths.',
  family: 'Models of a family are found with --models public/zoo/families.',
  address: 'Models at an address have to be downloaded; put the folder’s path in its place.',
  machine: 'Models from this machine are named as they were; put their folders’ paths in their place.',
  hub: 'Some models are on a hub that is not the public one: set HF_ENDPOINT to its address.',
} as const

function notesOf(experiment: Experiment): string[] {
  const origins = [experiment.anchor, ...experiment.experts.map(({ origin }) => origin)]
  const has = (kind: ModelOrigin['kind']) => origins.some((origin) => origin.kind === kind)
  return [
    ...(experiment.antidote > 0 ? [recipeNotes.antidote] : []),
    ...(has('built-in') ? [recipeNotes.builtIn] : []),
    ...(hasFamily(experiment) ? [recipeNotes.family] : []),
    ...(has('url') ? [recipeNotes.address] : []),
    ...(has('files') || has('stored') || has('trained') ? [recipeNotes.machine] : []),
    ...(origins.some((origin) => origin.kind === 'hub' && origin.hub !== undefined) ? [recipeNotes.hub] : []),
  ]
}

/** The texts; `request-invalid` never, for what validates as an experiment. */
export function recipeText(experiment: Experiment): RecipeText {
  const recipe = recipeOf(experiment)
  const isKnown = Object.hasOwn(MERGEKIT_METHODS, recipe.method)
  const said = [...Object.keys(recipe.parameters), ...Object.keys(recipe.models?.[0]?.parameters ?? {})]
  return {
    yaml: writeRecipeYaml(recipe),
    isMergekit: isKnown && experiment.antidote === 0 && unreadByMergekit(recipe.method, said).length === 0,
    notes: notesOf(experiment),
    command: `npx alignmerge merge recipe.yml merged${hasFamily(experiment) ? ' --models public/zoo/families' : ''}`,
  }
}
