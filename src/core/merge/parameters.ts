// Values of declared parameters: defaults filled in, kinds and ranges checked, all faults reported together.

import { EngineError } from '../errors.ts'
import type { MethodDeclaration, ParameterDeclaration, ParameterScalar } from './declaration.ts'
import type { ParameterValues } from './method.ts'

/** What is wrong with a value, or undefined. */
export function parameterFault(declared: ParameterDeclaration, value: ParameterScalar): string | undefined {
  switch (declared.kind) {
    case 'switch':
      return typeof value === 'boolean' ? undefined : `found ${value}, expected true or false`
    case 'choice': {
      const known = declared.options.map((option) => option.value)
      return known.includes(String(value)) ? undefined : `found ${value}, expected one of ${known.join(', ')}`
    }
    case 'number': {
      const { min, max } = declared
      if (typeof value !== 'number' || !Number.isFinite(value)) return `found ${value}, expected a number`
      if (value < min || value > max) return `found ${value}, expected ${min} to ${max}`
      if (declared.isInteger && !Number.isInteger(value)) return `found ${value}, expected a whole number`
      return undefined
    }
  }
}

/**
 * Complete parameters of a merge of `models` models: what is given, then the declared defaults; model parameters
 * may also be given once for all. Rejects `request-invalid` with every unknown name and value out of range.
 */
export function completeParameters(
  declaration: MethodDeclaration,
  given: ParameterValues,
  givenByModel: readonly ParameterValues[],
): { parameters: ParameterValues; modelParameters: ParameterValues[] } {
  const faults: string[] = []
  const known = new Map(declaration.parameters.map((parameter) => [parameter.id, parameter]))
  const check = (values: ParameterValues, where: string, scope?: 'model') => {
    for (const [id, value] of Object.entries(values)) {
      const parameter = known.get(id)
      const names = [...known.keys()].join(', ') || 'none'
      const fault = !parameter
        ? `unknown; ${declaration.id} has ${names}`
        : scope && parameter.scope !== scope
          ? 'belongs to the merge, not to a model'
          : parameterFault(parameter, value)
      if (fault) faults.push(`${where}${id}: ${fault}`)
    }
  }
  check(given, '')
  givenByModel.forEach((values, k) => {
    check(values, `model ${k + 1}, `, 'model')
  })
  if (faults.length > 0)
    throw new EngineError('request-invalid', `${declaration.label}: ${faults.join('; ')}`)
  const of = (scope: 'global' | 'model', ...sources: ParameterValues[]): ParameterValues =>
    Object.fromEntries(
      declaration.parameters
        .filter((parameter) => parameter.scope === scope)
        .map((parameter) => [
          parameter.id,
          sources.find((source) => parameter.id in source)?.[parameter.id] ?? parameter.default,
        ]),
    )
  return {
    parameters: of('global', given),
    modelParameters: givenByModel.map((values) => of('model', values, given)),
  }
}

/** A number among complete parameters; a missing or other kind is a fault of the method. */
export function numberOf(values: ParameterValues, id: string): number {
  const value = values[id]
  if (typeof value !== 'number') throw new EngineError('request-invalid', `parameter ${id} is not a number`)
  return value
}

export const isOn = (values: ParameterValues, id: string): boolean => values[id] === true
