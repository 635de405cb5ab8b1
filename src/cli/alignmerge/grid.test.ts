import { describe, expect, it } from 'vitest'
import type { Recipe } from '../../core/merge/recipe/recipe.ts'
import { UsageError } from './command.ts'
import { gridPoints, readAxis } from './grid.ts'

const recipe: Recipe = {
  method: 'ties',
  base: { path: 'anchor' },
  models: [
    { model: { path: 'x' }, parameters: { weight: 1 } },
    { model: { path: 'y' }, parameters: {} },
  ],
  parameters: { lambda: 1 },
}

describe('readAxis', () => {
  it.each([
    ['parameters.t=0,0.5,1e-3', { place: 'parameters.t', values: [0, 0.5, 1e-3] }],
    ['lambda_align=4', { place: 'parameters.lambda_align', values: [4] }],
    ['models[1].parameters.weight=-1, 2', { place: 'models[1].parameters.weight', values: [-1, 2] }],
    ['normalize=true,false', { place: 'parameters.normalize', values: [true, false] }],
    ['variant=paper,mergekit', { place: 'parameters.variant', values: ['paper', 'mergekit'] }],
    ['merge_method=ties,linear', { place: 'merge_method', values: ['ties', 'linear'] }],
    ['dtype=float32', { place: 'dtype', values: ['float32'] }],
    ['alignmerge.seed=1,2', { place: 'alignmerge.seed', values: [1, 2] }],
  ])('%s', (text, axis) => {
    expect(readAxis(text)).toEqual(axis)
  })

  it.each(['', 't', '=1', 't=', 't=1,,2', 'a b=1', 'models[x].t=1', '__proto__.x=1;', 't-1=2'])(
    '%j is refused',
    (text) => {
      expect(() => readAxis(text)).toThrow(UsageError)
    },
  )
})

describe('gridPoints', () => {
  it('combines all values, the first place changing slowest', () => {
    const points = gridPoints(recipe, [readAxis('lambda=0,1'), readAxis('models[1].parameters.weight=5,6,7')])
    expect(points.map(({ point }) => Object.values(point))).toEqual([
      [0, 5],
      [0, 6],
      [0, 7],
      [1, 5],
      [1, 6],
      [1, 7],
    ])
    expect(Object.keys(points[0].point)).toEqual(['parameters.lambda', 'models[1].parameters.weight'])
    expect(points[4].recipe).toEqual({
      ...recipe,
      parameters: { lambda: 1 },
      models: [recipe.models![0], { model: { path: 'y' }, parameters: { weight: 6 } }],
    })
  })

  it('sets methods, seeds and models', () => {
    const [point] = gridPoints(
      recipe,
      ['merge_method=linear', 'alignmerge.seed=9', 'models[0].model=z'].map(readAxis),
    )
    expect(point.recipe).toMatchObject({
      method: 'linear',
      extension: { seed: 9 },
      models: [{ model: { path: 'z' } }, { model: { path: 'y' } }],
    })
    expect(recipe.models![0].model.path).toBe('x')
  })

  it.each([
    ['models[2].parameters.weight=1', '--set models[2].parameters.weight: the recipe has no such place'],
    ['slices[0].parameters.weight=1', '--set slices[0].parameters.weight: the recipe has no such place'],
    ['models.parameters.weight=1', '--set models.parameters.weight: the recipe has no such place'],
    ['parameters.lambda.x=1', '--set parameters.lambda.x: the recipe has no such place'],
    ['colour.x=1', '--set colour.x: the recipe has no such place'],
    ['parameters[0]=1', '--set parameters[0]: the recipe has no such place'],
  ])('%s is refused', (text, message) => {
    expect(() => gridPoints(recipe, [readAxis(text)])).toThrow(message)
  })

  it('refuses what makes no recipe, and too much', () => {
    expect(() => gridPoints(recipe, [readAxis('dtype=half')])).toThrow(
      'the recipe: dtype: "half": expected float32',
    )
    const many = `t=${Array.from({ length: 101 }, (_, i) => i).join(',')}`
    expect(() => gridPoints(recipe, [readAxis(many), readAxis(many.replace('t', 'u'))])).toThrow(
      '10201 points: expected at most 10000',
    )
  })
})
