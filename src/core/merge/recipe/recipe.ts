// What a recipe is: mergekit's schema as data (docs: docs/recipes.md), and what a merge method tells the planner
// about itself. Reading is read.ts, planning plan.ts; nothing here knows a file format, a tensor or a device.

import { EngineError } from '../../errors.ts'

/** A folder or hub id, with a LoRA applied to it where named. Text form: path[@revision][+lora[@revision]]. */
export interface ModelReference {
  path: string
  revision?: string
  lora?: { path: string; revision?: string }
}

export type Scalar = number | boolean | string
/** Numbers are interpolated over the layers of a slice, anything else is stepped through. */
export type Gradient = readonly Scalar[]
/** Applies to tensors whose name holds `filter`; without one, or with `*`, to all. */
export interface FilteredValue {
  filter?: string
  value: Scalar | Gradient
}
export type ParameterValue = Scalar | Gradient | readonly FilteredValue[]
export type Parameters = Readonly<Record<string, ParameterValue>>

export interface ModelEntry {
  model: ModelReference
  parameters: Parameters
}

export interface SliceSource extends ModelEntry {
  /** [first, end) layers of the source */
  layerRange: readonly [number, number]
}

export interface Slice {
  sources: readonly SliceSource[]
  /** instead of the recipe's base, in this slice */
  base?: ModelReference
  parameters: Parameters
}

export const RECIPE_DTYPES = ['float32', 'float16', 'bfloat16'] as const
export type RecipeDtype = (typeof RECIPE_DTYPES)[number]

/** Ours, under the key `alignmerge`; mergekit does not read it. */
export interface RecipeExtension {
  /** of every random choice; 0 when absent */
  seed?: number
  /** models that a method needs beside those it merges, by role: aligned, unaligned, safe … */
  models?: Readonly<Record<string, ModelReference>>
}

/** Where the rows of one token come from, mergekit's `tokenizer.tokens.<token>`. */
export interface TokenChoice {
  source:
    | { kind: 'model'; model: ModelReference }
    | { kind: 'token'; model: ModelReference; token: string | number }
    | { kind: 'zero' }
  /** true: also for models that have the token */
  force: boolean
}

/** Exactly one of `models` and `slices` is there. */
export interface Recipe {
  method: string
  base?: ModelReference
  models?: readonly ModelEntry[]
  slices?: readonly Slice[]
  parameters: Parameters
  /** inputs are rounded to it before any arithmetic; absent: as they are stored */
  dtype?: RecipeDtype
  /** of the written file; absent: dtype */
  outDtype?: RecipeDtype
  /** whose vocabulary the result has, `union` for all of them; absent: the base's, else the first model's */
  tokenizerFrom?: 'union' | 'base' | ModelReference
  /** where rows of single tokens come from */
  tokenRules?: Readonly<Record<string, TokenChoice>>
  /** of the embedding's rows */
  padToMultipleOf?: number
  /** `auto`, or the text of a Jinja template */
  chatTemplate?: string
  extension?: RecipeExtension
}

export interface MethodParameter {
  id: string
  /** model: one value per source; may also be given for a slice or for the whole merge */
  scope: 'global' | 'model'
  kind: 'number' | 'switch' | 'choice'
  default?: Scalar | undefined
  min?: number | undefined
  max?: number | undefined
  /** a recipe has to say it; `default` does not count then */
  required?: boolean | undefined
  isInteger?: boolean | undefined
  options?: readonly string[] | undefined
}

/** What a planner has to know of a method. */
export interface MethodSignature {
  id: string
  parameters: readonly MethodParameter[]
  base: 'none' | 'optional' | 'required'
  /** sources besides the base */
  experts: { min: number; max: number }
  /** further models it can use, by the role they are given under in `alignmerge.models` */
  roles?: readonly { id: string; required?: boolean | undefined }[] | undefined
}

function parsePart(text: string, whole: string): { path: string; revision?: string } {
  const [path, revision, ...more] = text.split('@')
  const fail = (found: string): never => {
    throw new EngineError(
      'request-invalid',
      `model ${JSON.stringify(whole)}: ${found}; expected path[@revision][+lora[@revision]]`,
    )
  }
  if (more.length > 0) fail('more than one @ in a part')
  if (path.trim() === '') fail('an empty path')
  if (revision === undefined) return { path }
  if (revision.trim() === '') fail('an empty revision')
  return { path, revision }
}

/** Reads `path[@revision][+lora[@revision]]`; `request-invalid` for anything else. */
export function parseReference(text: string): ModelReference {
  const [model, lora, ...more] = text.split('+')
  if (more.length > 0)
    throw new EngineError(
      'request-invalid',
      `model ${JSON.stringify(text)}: more than one +; expected path[@revision][+lora[@revision]]`,
    )
  const parsed = parsePart(model, text)
  return lora === undefined ? parsed : { ...parsed, lora: parsePart(lora, text) }
}

/** The text form; also what a model is called in a plan. */
export function printReference({ path, revision, lora }: ModelReference): string {
  const part = (p: string, r: string | undefined) => (r === undefined ? p : `${p}@${r}`)
  return part(path, revision) + (lora ? `+${part(lora.path, lora.revision)}` : '')
}

/** Whether the text form reads back as the same reference: paths may hold @ and +, the text form cannot say so. */
export function isPrintable({ path, revision, lora }: ModelReference): boolean {
  return [path, revision, lora?.path, lora?.revision].every((part) => !part || !/[@+]/.test(part))
}

/** Every model that a recipe names, each once, in the order of its appearance; the base last unless listed. */
export function referencedModels(recipe: Recipe): ModelReference[] {
  const all = [
    ...(recipe.models ?? []).map(({ model }) => model),
    ...(recipe.slices ?? []).flatMap(({ sources, base }) => [
      ...sources.map(({ model }) => model),
      ...(base ? [base] : []),
    ]),
    ...(recipe.base ? [recipe.base] : []),
    ...Object.values(recipe.extension?.models ?? {}),
    ...(typeof recipe.tokenizerFrom === 'object' ? [recipe.tokenizerFrom] : []),
    ...Object.values(recipe.tokenRules ?? {}).flatMap(({ source }) =>
      'model' in source ? [source.model] : [],
    ),
  ]
  return [...new Map(all.map((model) => [printReference(model), model])).values()]
}
