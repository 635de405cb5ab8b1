// A recipe's method and parameters against what the method declares: known names, right scope, kind and range.

import { MERGEKIT_METHODS, noEffect } from './mergekit.ts'
import { type Problems, show, suggestion } from './problems.ts'
import type { MethodParameter, MethodSignature, Parameters, Recipe } from './recipe.ts'
import { leavesOf } from './values.ts'

/** The method of a recipe; undefined, with a problem, when there is none of this name. */
export function findMethod(
  recipe: Recipe,
  methods: readonly MethodSignature[],
  problems: Problems,
): MethodSignature | undefined {
  const found = methods.find(({ id }) => id === recipe.method)
  if (found || recipe.method === '') return found
  const ids = methods.map(({ id }) => id)
  const underscored = recipe.method.replaceAll('-', '_')
  const hint = ids.includes(underscored)
    ? `, did you mean ${underscored} (underscores, not dashes)?`
    : suggestion(recipe.method, ids)
  const isMergekit = Object.hasOwn(MERGEKIT_METHODS, recipe.method)
  const why = isMergekit ? 'mergekit has it, this studio does not' : 'unknown'
  problems.add(PLACES.method, `${show(recipe.method)}: ${why}${hint}; known are ${ids.join(', ')}`)
  return undefined
}

/** Places as mergekit's YAML spells them; Problems finds no line for them where the recipe came from elsewhere. */
export const PLACES = { method: 'merge_method', base: 'base_model' } as const

interface Block {
  parameters: Parameters
  place: string
  /** values for one model only */
  isSource: boolean
}

function blocksOf(recipe: Recipe): Block[] {
  const blocks: Block[] = [{ parameters: recipe.parameters, place: 'parameters', isSource: false }]
  recipe.models?.forEach(({ parameters }, i) => {
    blocks.push({ parameters, place: `models[${i}].parameters`, isSource: true })
  })
  recipe.slices?.forEach((slice, i) => {
    blocks.push({ parameters: slice.parameters, place: `slices[${i}].parameters`, isSource: false })
    slice.sources.forEach(({ parameters }, j) => {
      blocks.push({ parameters, place: `slices[${i}].sources[${j}].parameters`, isSource: true })
    })
  })
  return blocks
}

/** All parameters of a recipe against the method; notes are what is harmless but does not do what it may seem to. */
export function checkParameters(
  recipe: Recipe,
  method: MethodSignature,
  tensorNames: ReadonlySet<string>,
  problems: Problems,
  notes: Set<string>,
): void {
  const declared = new Map(method.parameters.map((parameter) => [parameter.id, parameter]))
  for (const { parameters, place, isSource } of blocksOf(recipe))
    for (const [id, value] of Object.entries(parameters)) {
      const at = `${place}.${id}`
      const parameter = declared.get(id)
      if (!parameter) {
        const why = noEffect(method.id, id)
        if (why) notes.add(`${id} has no effect in ${method.id}: ${why}`)
        else problems.add(at, unknownParameter(id, method))
        continue
      }
      if (isSource && parameter.scope === 'global') {
        problems.add(
          at,
          `${id} belongs to the whole merge; move it into parameters of the recipe or of a slice`,
        )
        continue
      }
      for (const leaf of leavesOf(value, at)) {
        const wrong = wrongValue(parameter, leaf.value)
        if (wrong) problems.add(leaf.place, wrong)
        if (leaf.filter !== undefined && leaf.filter !== '*' && !isUsed(leaf.filter, tensorNames))
          notes.add(`${at}: filter ${show(leaf.filter)} is part of no tensor’s name`)
      }
    }
}

function isUsed(filter: string, names: ReadonlySet<string>): boolean {
  for (const name of names) if (name.includes(filter)) return true
  return names.size === 0
}

function unknownParameter(id: string, method: MethodSignature): string {
  const ids = method.parameters.map((parameter) => parameter.id)
  const known = ids.length > 0 ? `it has ${ids.join(', ')}` : 'it has none'
  return `${method.id} has no parameter of this name${suggestion(id, ids)}; ${known}`
}

/** Why a value is none of this parameter; undefined when it is. */
function wrongValue(
  { kind, min, max, options, isInteger }: MethodParameter,
  value: unknown,
): string | undefined {
  const found = `found ${show(value)}`
  if (kind === 'switch')
    return typeof value === 'boolean' || value === 0 || value === 1
      ? undefined
      : `expected true or false, ${found}`
  if (kind === 'choice')
    return typeof value === 'string' && options?.includes(value)
      ? undefined
      : `expected ${options?.join(' or ')}, ${found}`
  if (typeof value !== 'number') return `expected a number, ${found}`
  if ((min !== undefined && value < min) || (max !== undefined && value > max))
    return `${value} is outside ${range(min, max)}`
  if (isInteger && !Number.isInteger(value)) return `expected a whole number, ${found}`
  return undefined
}

function range(min: number | undefined, max: number | undefined): string {
  if (max === undefined) return `≥ ${min}`
  return min === undefined ? `≤ ${max}` : `${min} … ${max}`
}
