// A recipe file with everything it names: models opened by their headers, checked to fit, and the plan.

import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import type { Checkpoint } from '../../core/files/checkpoint.ts'
import { assertMergeable } from '../../core/files/mergeable.ts'
import { DECLARATIONS } from '../../core/merge/methods/declarations.ts'
import { readRecipeJson } from '../../core/merge/recipe/json.ts'
import { type MergePlan, type PlanInput, planMerge } from '../../core/merge/recipe/plan.ts'
import {
  printReference,
  type Recipe,
  type RecipeDtype,
  referencedModels,
} from '../../core/merge/recipe/recipe.ts'
import { readRecipeYaml } from '../../core/merge/recipe/yaml.ts'
import type { WeightType } from '../../core/tensors/dtype.ts'
import { findReference, openModel } from './models.ts'
import { cliSignature } from './setupParameters.ts'
import { withVocabulary } from './vocabulary.ts'

export interface RecipeFile {
  name: string
  recipe: Recipe
  lines: ReadonlyMap<string, number> | undefined
}

export interface OpenedModel {
  path: string
  checkpoint: Checkpoint
}

export interface OpenedRecipe extends RecipeFile {
  /** by the plan's names */
  models: ReadonlyMap<string, OpenedModel>
  /** of opening them */
  notes: string[]
}

const DTYPES: Readonly<Record<WeightType, RecipeDtype>> = {
  f32: 'float32',
  f16: 'float16',
  bf16: 'bfloat16',
}

/** Reads YAML, or our JSON when the name ends in .json. */
export async function readRecipeFile(path: string): Promise<RecipeFile> {
  const name = basename(path)
  let text: string
  try {
    text = await readFile(resolve(path), 'utf8')
  } catch {
    throw new EngineError('file-missing', `no recipe at ${resolve(path)}`, { file: name })
  }
  if (name.endsWith('.json')) return { name, recipe: readRecipeJson(text), lines: undefined }
  return { name, ...readRecipeYaml(text) }
}

/** Opens every model a recipe names; those in `known` are not opened again, and new ones are added to it. */
export async function openRecipe(
  file: RecipeFile,
  modelsFolder: string | undefined,
  signal: AbortSignal,
  known = new Map<string, OpenedModel>(),
): Promise<OpenedRecipe> {
  const models = new Map<string, OpenedModel>()
  for (const reference of referencedModels(file.recipe)) {
    const name = printReference(reference)
    const opened = known.get(name)
    if (opened) {
      models.set(name, opened)
      continue
    }
    const { path, adapter } = await findReference(reference, modelsFolder)
    const model = { path, checkpoint: await openModel(path, signal, adapter) }
    known.set(name, model)
    models.set(name, model)
  }
  return { ...file, ...withVocabulary(file.recipe, models) }
}

/** Throws unless configs (but for the number of layers, which stacks may change) and tokenizers agree. */
function assertCompatible(models: ReadonlyMap<string, OpenedModel>): void {
  const compared = [...models].map(([name, { checkpoint }]) => ({
    ...checkpoint,
    name,
    config: { ...checkpoint.config, layerCount: 0 },
    weights: [],
  }))
  const [first, ...others] = compared
  if (first) assertMergeable(first, others)
}

const inputOf = (name: string, { checkpoint }: OpenedModel): PlanInput => ({
  name,
  layerCount: checkpoint.config.layerCount,
  tensors: new Map(checkpoint.weights.map(({ name: tensor, shape }) => [tensor, shape])),
  dtype: DTYPES[checkpoint.dtype],
})

/** The plan of a recipe over its opened models. */
export function planOpened(opened: OpenedRecipe): MergePlan {
  const inputs = [...opened.models].map(([name, model]) => inputOf(name, model))
  const plan = planMerge(opened.recipe, inputs, DECLARATIONS.map(cliSignature), { lines: opened.lines })
  assertCompatible(opened.models)
  return { ...plan, notes: [...plan.notes, ...opened.notes] }
}
