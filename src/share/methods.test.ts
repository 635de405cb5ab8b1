import { describe, expect, it } from 'vitest'
import {
  findMethod,
  type MethodDeclaration,
  methodDeclarations,
  misfit,
  numberControl,
  ownParameters,
  parameterValue,
  statedParameters,
} from './methods.ts'
import { clampNumber } from './scale.ts'

const ids = methodDeclarations.map(({ id }) => id)

describe('the declared methods', () => {
  it('have names of their own', () => {
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(findMethod(id)?.id).toBe(id)
    expect(findMethod('souffle')).toBeUndefined()
  })

  it('say how many experts they do not fit', () => {
    const needs = (min: number, max: number) => ({ experts: { min, max } }) as MethodDeclaration
    expect(misfit(needs(1, 8), 1)).toBeUndefined()
    expect(misfit(needs(1, 8), 8)).toBeUndefined()
    expect(misfit(needs(2, 8), 1)).toBe('needs 2 to 8 experts')
    expect(misfit(needs(2, 8), 9)).toBe('needs 2 to 8 experts')
    expect(misfit(needs(1, 1), 2)).toBe('needs exactly 1 expert')
    expect(misfit(needs(2, 2), 3)).toBe('needs exactly 2 experts')
  })

  it.each(ids)('%s: defaults are inside their ranges, and stating them says nothing', (id) => {
    const declaration = findMethod(id)!
    const own = ownParameters(declaration)
    expect(own.map((parameter) => parameter.id)).not.toContain('weight')
    for (const declared of own) {
      expect(parameterValue({}, declared)).toBe(declared.default)
      if (declared.kind === 'number') {
        const { min, max, isInteger } = numberControl(declared)
        expect(clampNumber(declared.default, min, max)).toBe(declared.default)
        if (isInteger) expect(Number.isInteger(declared.default)).toBe(true)
      }
      if (declared.needs !== undefined) expect(own.map((one) => one.id)).toContain(declared.needs)
      if (declared.kind === 'choice')
        expect(declared.options.map(({ value }) => value)).toContain(declared.default)
    }
    expect(
      statedParameters(id, Object.fromEntries(own.map(({ id: name, default: value }) => [name, value]))),
    ).toEqual({})
  })
})

describe('statedParameters', () => {
  it('keeps what differs, in declared order, and nothing that is not declared', () => {
    const method = 'fisher_average'
    const own = ownParameters(findMethod(method)!)
    const floor = own.find(({ id }) => id === 'floor')!
    expect(floor.default).not.toBe(0.5)
    expect(statedParameters(method, { floor: 0.5, souffle: 1 })).toEqual({ floor: 0.5 })
    expect(statedParameters('souffle', { floor: 0.5 })).toEqual({})
    const turned = Object.fromEntries(
      [...own].reverse().map(({ id, ...rest }) => [id, otherThan(rest.default)]),
    )
    expect(Object.keys(statedParameters(method, turned))).toEqual(own.map(({ id }) => id))
  })
})

function otherThan(value: unknown): number | boolean | string {
  return typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `not ${String(value)}`
}

describe('numberControl', () => {
  it('is logarithmic from a positive end, offset from zero, linear otherwise', () => {
    const base = {
      kind: 'number',
      id: 'x',
      label: 'x',
      min: 1,
      max: 9,
      step: 0.5,
      default: 2,
      brief: '',
      source: 'ours',
    }
    const scaleOf = (change: object) =>
      numberControl({ ...base, ...change } as Parameters<typeof numberControl>[0]).scale
    expect(scaleOf({})).toEqual({ kind: 'linear' })
    expect(scaleOf({ isLogarithmic: true })).toEqual({ kind: 'log' })
    expect(scaleOf({ isLogarithmic: true, min: 0 })).toEqual({ kind: 'offset-log', offset: 0.5 })
  })
})
