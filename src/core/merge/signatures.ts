// What the recipe planner has to know of each merge method, out of the methods' own declarations.

import type { MaterialKind, MethodDeclaration, ParameterDeclaration } from './declaration.ts'
import type { MethodParameter, MethodSignature } from './recipe/recipe.ts'

/** Material that is another model's weights: a recipe names it under `alignmerge.models`. */
const MODEL_ROLES: readonly MaterialKind[] = ['aligned', 'unaligned']
/** Beside an unaligned model a safe one may be named. */
const SAFE: MaterialKind = 'safe'

function parameterOf(declaration: ParameterDeclaration): MethodParameter {
  const { id, scope, kind, isRequired } = declaration
  const shared = { id, scope, kind, default: declaration.default, ...(isRequired && { required: true }) }
  if (declaration.kind === 'number') {
    const { min, max, isInteger } = declaration
    return { ...shared, min, max, ...(isInteger && { isInteger }) }
  }
  if (declaration.kind === 'choice')
    return { ...shared, options: declaration.options.map(({ value }) => value) }
  return shared
}

export function signatureOf(declaration: MethodDeclaration): MethodSignature {
  const { id, base, experts, parameters, material } = declaration
  const needed = material.filter((kind) => MODEL_ROLES.includes(kind))
  const roles = [
    ...needed.map((role) => ({ id: role, required: true })),
    ...(needed.includes('unaligned') ? [{ id: SAFE }] : []),
  ]
  return {
    id,
    base,
    experts,
    parameters: parameters.map(parameterOf),
    ...(roles.length > 0 && { roles }),
  }
}
