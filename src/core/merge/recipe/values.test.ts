import { describe, expect, it } from 'vitest'
import type { ParameterValue } from './recipe.ts'
import { depthInSlice, evaluateLevels, evaluateValue, leavesOf } from './values.ts'

describe('depth in a slice', () => {
  it('runs from 0 to 1, and is 1 in a slice of one layer', () => {
    expect([0, 1, 2, 3, 4].map((i) => depthInSlice(i, 5))).toEqual([0, 0.25, 0.5, 0.75, 1])
    expect(depthInSlice(0, 1)).toBe(1)
    expect(depthInSlice(0, 2)).toBe(0)
  })
})

describe('values', () => {
  const at = (value: ParameterValue, t: number, tensor = 'model.layers.0.mlp.down_proj.weight') =>
    evaluateValue(value, tensor, t)

  it.each([
    [3, 0.4, 3],
    [false, 0.4, false],
    ['paper', 0.4, 'paper'],
    [[0, 1], 0.25, 0.25],
    [[0, 1], 1, 1],
    [[0, 0.5, 0.3, 0.7, 1], 0, 0],
    [[0, 0.5, 0.3, 0.7, 1], 0.125, 0.25],
    [[0, 0.5, 0.3, 0.7, 1], 0.25, 0.5],
    [[0, 0.5, 0.3, 0.7, 1], 0.5, 0.3],
    [[0, 0.5, 0.3, 0.7, 1], 0.875, 0.85],
    [[0, 0.5, 0.3, 0.7, 1], 1, 1],
    [[7], 0.6, 7],
    [['a', 'b', 'c'], 0, 'a'],
    [['a', 'b', 'c'], 0.49, 'a'],
    [['a', 'b', 'c'], 0.5, 'b'],
    [['a', 'b', 'c'], 1, 'c'],
    [[true, false], 0.99, true],
    [[true, false], 1, false],
  ] as [ParameterValue, number, unknown][])('%j at t = %d is %j', (value, t, expected) => {
    const found = at(value, t)
    if (typeof expected === 'number') expect(found).toBeCloseTo(expected, 14)
    else expect(found).toBe(expected)
  })

  it('numbers that are not to be interpolated are stepped through', () => {
    expect(evaluateValue([1, 0], 'x', 0.75, true)).toBe(1)
    expect(evaluateValue([{ value: [10, 20, 30] }], 'x', 0.75, true)).toBe(20)
  })

  it('the first filter that is a part of the name wins; none and * fit all', () => {
    const value: ParameterValue = [
      { filter: 'self_attn', value: 1 },
      { filter: 'self_attn.qkv', value: 2 },
      { filter: 'mlp', value: [0, 10] },
      { filter: '*', value: 3 },
      { value: 4 },
    ]
    expect(at(value, 0.5, 'model.layers.1.self_attn.qkv_proj.weight')).toBe(1)
    expect(at(value, 0.5)).toBe(5)
    expect(at(value, 0.5, 'lm_head.weight')).toBe(3)
    expect(at([{ value: 4 }, { filter: 'mlp', value: 5 }], 0.5)).toBe(4)
    expect(at([{ filter: 'attn', value: 5 }], 0.5)).toBeUndefined()
  })
})

describe('levels', () => {
  const source = { weight: [{ filter: 'mlp', value: 1 }] }
  const slice = { weight: [{ filter: 'attn', value: 2 }], t: 0 }
  const recipe = { weight: 3, t: 0.5, only: true }
  const at = (id: string, tensor: string) => evaluateLevels([source, undefined, slice, recipe], id, tensor, 0)

  it('a filter that does not fit falls through to the next level', () => {
    expect(at('weight', 'x.mlp.y')).toBe(1)
    expect(at('weight', 'x.attn.y')).toBe(2)
    expect(at('weight', 'norm')).toBe(3)
  })

  it('the most particular level wins, and 0 is a value', () => {
    expect(at('t', 'x')).toBe(0)
    expect(at('only', 'x')).toBe(true)
    expect(at('absent', 'x')).toBeUndefined()
    expect(at('constructor', 'x')).toBeUndefined()
  })
})

describe('leavesOf', () => {
  it('gives every scalar with its place and filter', () => {
    expect(leavesOf([{ filter: 'mlp', value: [1, 2] }, { value: 'x' }], 'parameters.t')).toEqual([
      { value: 1, place: 'parameters.t[0].value[0]', filter: 'mlp' },
      { value: 2, place: 'parameters.t[0].value[1]', filter: 'mlp' },
      { value: 'x', place: 'parameters.t[1].value' },
    ])
    expect(leavesOf([1, 2], 'p')).toEqual([
      { value: 1, place: 'p[0]' },
      { value: 2, place: 'p[1]' },
    ])
    expect(leavesOf(true, 'p')).toEqual([{ value: true, place: 'p' }])
  })
})
