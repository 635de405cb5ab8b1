// The declared merge methods as page and link see them: which fit a number of experts, which parameters they have,
// and which of the given values say anything that the default does not.

import type { ReferenceRole } from '../../workers/api.ts'
import {
  type MethodDeclaration,
  missingWithoutDevice,
  type NumberDeclaration,
  type ParameterDeclaration,
  type ParameterScalar,
} from '../core/merge/declaration.ts'
import { DECLARATIONS } from '../core/merge/methods/declarations.ts'
import type { NumberParameter } from './parameters.ts'

export { type MethodDeclaration, missingWithoutDevice, type ParameterDeclaration, type ParameterScalar }
export type MethodParameters = Readonly<Record<string, ParameterScalar>>

export const methodDeclarations: readonly MethodDeclaration[] = DECLARATIONS

export function findMethod(id: string): MethodDeclaration | undefined {
  return DECLARATIONS.find((declaration) => declaration.id === id)
}

export const referenceRoles: readonly ReferenceRole[] = ['aligned', 'unaligned']

/** Further models that a method needs. */
export function neededReferences(method: string): ReferenceRole[] {
  const material = findMethod(method)?.material ?? []
  return referenceRoles.filter((role) => material.includes(role))
}

/** Parameters that the page shows as controls: all but λ_k, which stands beside the experts. */
export function ownParameters(declaration: MethodDeclaration): readonly ParameterDeclaration[] {
  return declaration.parameters.filter((parameter) => parameter.id !== 'weight')
}

/** Why a method cannot merge so many experts into the anchor, or undefined. */
export function misfit({ experts }: MethodDeclaration, count: number): string | undefined {
  if (count >= experts.min && count <= experts.max) return undefined
  const range = experts.min === experts.max ? `exactly ${experts.min}` : `${experts.min} to ${experts.max}`
  return `needs ${range} expert${experts.max === 1 ? '' : 's'}`
}

/** Value of a parameter: the given one or the default. */
export function parameterValue(
  parameters: MethodParameters,
  declared: ParameterDeclaration,
): ParameterScalar {
  return parameters[declared.id] ?? declared.default
}

/** Only what differs from the defaults, in declared order: equal merges get equal keys and short links. */
export function statedParameters(
  method: string,
  parameters: MethodParameters,
): Record<string, ParameterScalar> {
  const declaration = findMethod(method)
  if (!declaration) return {}
  const stated: Record<string, ParameterScalar> = {}
  for (const declared of ownParameters(declaration)) {
    const value = parameterValue(parameters, declared)
    if (value !== declared.default) stated[declared.id] = value
  }
  return stated
}

/** A declared number as the page's controls take it. */
export function numberControl(declared: NumberDeclaration): NumberParameter {
  const { label, symbol, min, max, step, source, brief, isInteger, isLogarithmic } = declared
  const isLog = isLogarithmic === true && min > 0
  return {
    label,
    symbol: symbol ?? '',
    min,
    max,
    default: declared.default,
    step,
    unit: '',
    scale: isLog
      ? { kind: 'log' }
      : isLogarithmic
        ? { kind: 'offset-log', offset: step }
        : { kind: 'linear' },
    isInteger: isInteger === true,
    source,
    brief,
    detail: '',
  }
}
