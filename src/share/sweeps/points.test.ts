import { describe, expect, it } from 'vitest'
import { decodeLink, encodeLink } from '../codec.ts'
import { measurementKey, mergeKey, mergeLambda } from '../experimentKey.ts'
import { validated } from '../reader.ts'
import { findSweepParameter, redistribute, sweepParameters } from './parameters.ts'
import { axisPlace, coarseToFine, isOnSheet, sweepSheet } from './points.ts'
import { readSweep } from './readSweep.ts'
import {
  axisFor,
  axisValues,
  defaultGrid,
  defaultSweep,
  fitSweep,
  partnersOf,
  type SweepSpec,
} from './spec.ts'
import { testExperiment } from './testExperiment.ts'

const experiment = testExperiment()
const three = testExperiment({ weights: [0.5, 0.3, 0.2] })
const grid = defaultGrid(experiment)
const parameter = (id: string, of = experiment) => findSweepParameter(of, id)!

describe('values along an axis', () => {
  it('are those of the sweep that the page always had', () => {
    expect(axisValues(axisFor(parameter('lambdaAlign')), parameter('lambdaAlign'))).toEqual([
      0, 0.25, 0.5, 1, 2, 4, 8, 16, 64, 1024,
    ])
  })
  it('are round, ascending and begin and end where asked', () => {
    expect(axisValues(axisFor(parameter('own.lambda_bud'), 5), parameter('own.lambda_bud'))).toEqual([
      0, 2, 16, 128, 1024,
    ])
    expect(axisValues(axisFor(parameter('damping')), parameter('damping'))).toEqual([
      1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100,
    ])
    const odd = axisValues({ parameter: 'lambdaAlign', from: 3, to: 70, count: 4 }, parameter('lambdaAlign'))
    expect(odd[0]).toBe(3)
    expect(odd.at(-1)).toBe(70)
    expect([...odd].sort((a, b) => a - b)).toEqual(odd)
    expect(odd).toHaveLength(4)
  })
  it('of whole numbers are whole, each once', () => {
    const rank = parameter('rank')
    expect(axisValues(axisFor(rank), rank)).toEqual([1, 4, 7, 10, 13, 16])
    expect(axisValues({ parameter: 'rank', from: 3, to: 5, count: 12 }, rank)).toEqual([3, 4, 5])
  })
})

describe('the order of measuring', () => {
  it('has every point once, the far corners first, and covers the whole early', () => {
    const { points, order } = sweepSheet(grid, experiment)
    expect([...order].sort((a, b) => a - b)).toEqual(points.map((_, index) => index))
    const corners = order.slice(0, 4).map((index) => [points[index]!.x, points[index]!.y])
    expect(corners.map(String).sort()).toEqual(['0,0', '0,1', '1,0', '1,1'])
    // After n points no place is farther from all of them than from its neighbours of a grid of n.
    const gap = (count: number) =>
      Math.max(
        ...points.map(({ x, y }) =>
          Math.min(
            ...order.slice(0, count).map((index) => Math.hypot(x - points[index]!.x, y - points[index]!.y)),
          ),
        ),
      )
    expect(gap(5)).toBeLessThanOrEqual(0.51)
    expect(gap(9)).toBeLessThanOrEqual(0.36)
    expect(gap(25)).toBe(0)
  })
  it('of the first sweep is the one that the page always had', () => {
    const { points, order } = sweepSheet(defaultSweep, experiment)
    expect(order.map((index) => points[index]!.values[0])).toEqual([0, 16, 1, 64, 4, 0.25, 1024, 2, 8, 0.5])
  })
  it('is the same whatever the rounding of equal distances', () => {
    const places = [0, 0.1, 0.2, 0.3].map((x) => ({ x, y: 0 }))
    expect(coarseToFine(places)).toEqual([0, 3, 1, 2])
    expect(coarseToFine([])).toEqual([])
  })
})

describe('a point', () => {
  const specs: [string, SweepSpec, typeof experiment][] = [
    ['line', defaultSweep, experiment],
    ['grid', grid, experiment],
    ['weights', { kind: 'weights', steps: 4 }, three],
    ['weight', { kind: 'line', x: axisFor(parameter('weight.1', three)) }, three],
    ['damping', { kind: 'line', x: axisFor(parameter('damping')) }, experiment],
  ]
  it.each(specs)('of a %s has a key of its own, which its link gives again', (_, spec, base) => {
    const { points } = sweepSheet(spec, base)
    expect(new Set(points.map((point) => mergeKey(point.experiment))).size).toBe(points.length)
    for (const { experiment: at } of points) {
      const view = { page: 'studio' as const, aqiView: 'completions' as const, prompt: '' }
      const decoded = decodeLink(encodeLink({ experiment: at, view }))
      if (decoded.kind !== 'link') throw new Error(JSON.stringify(decoded))
      expect(decoded.adjusted).toEqual([])
      const merge = { kind: 'merge', lambdaAlign: mergeLambda(at) } as const
      expect(mergeKey(decoded.state.experiment)).toBe(mergeKey(at))
      expect(measurementKey(decoded.state.experiment, merge)).toBe(measurementKey(at, merge))
    }
  })
  it.each(specs)('of a %s, once it is the recipe, leaves the sheet as it is', (_, spec, base) => {
    const sheet = sweepSheet(spec, base)
    for (const index of [1, Math.floor(sheet.points.length / 2)])
      expect(sweepSheet(spec, sheet.points[index]!.experiment)).toBe(sheet)
  })
  it('of a sheet is on it, another recipe is not', () => {
    const sheet = sweepSheet(grid, experiment)
    const base = sheet.points[0]!.experiment
    expect(sheet.points.every((point) => isOnSheet(sheet, base, point.experiment))).toBe(true)
    expect(isOnSheet(sheet, base, { ...sheet.points[3]!.experiment, lambdaAlign: 3.3 })).toBe(true)
    expect(isOnSheet(sheet, base, { ...sheet.points[3]!.experiment, rank: 2 })).toBe(false)
    // Without a budget λ_bud weighs nothing: the map is of another merge.
    expect(isOnSheet(sheet, base, experiment)).toBe(false)
  })
  it('of the map λ_align × λ_bud has a budget', () => {
    const { points } = sweepSheet(grid, experiment)
    expect(points.every((point) => point.experiment.parameters.budget === 'margin')).toBe(true)
    const both = { ...experiment, parameters: { budget: 'both' } }
    expect(sweepSheet(grid, both).points[0]!.experiment.parameters.budget).toBe('both')
  })
  it('of another method is its own, along λ_align AlignMerge’s', () => {
    const ties = { ...experiment, method: 'ties', parameters: {} }
    expect(sweepSheet(defaultSweep, ties).points[3]!.experiment.method).toBe('alignmerge')
    const density = { kind: 'line', x: axisFor(parameter('own.density', ties)) } as const
    const { points } = sweepSheet(density, ties)
    expect(points.map((point) => point.experiment.parameters.density)).toEqual(
      points.map(({ values }) => values[0]),
    )
    expect(partnersOf(ties, 'own.density').map(({ id }) => id)).not.toContain('lambdaAlign')
  })
})

describe('a place between the values of an axis', () => {
  it('is at the value, between its neighbours, or at the edge', () => {
    const lambda = parameter('lambdaAlign')
    const values = [0, 2, 16, 128]
    expect(values.map((value) => axisPlace(lambda, values, value))).toEqual([0, 1 / 3, 2 / 3, 1])
    expect(axisPlace(lambda, values, 6)).toBeGreaterThan(1 / 3)
    expect(axisPlace(lambda, values, 6)).toBeLessThan(2 / 3)
    expect(axisPlace(lambda, values, 1024)).toBe(1)
  })
})

describe('a sweep that does not fit', () => {
  it('becomes one that does', () => {
    expect(fitSweep({ kind: 'weights', steps: 4 }, three).kind).toBe('weights')
    expect(fitSweep({ kind: 'weights', steps: 4 }, experiment)).toMatchObject({
      x: { parameter: 'weight.0' },
    })
    const alien: SweepSpec = { kind: 'line', x: { parameter: 'own.density', from: 0, to: 1, count: 3 } }
    expect(fitSweep(alien, experiment)).toEqual(defaultSweep)
    const twoWeights = {
      kind: 'grid',
      x: axisFor(parameter('weight.0', three)),
      y: axisFor(parameter('weight.1', three)),
    } as const
    expect(fitSweep(twoWeights, three)).toEqual(defaultGrid(three))
    const outside: SweepSpec = { kind: 'line', x: { parameter: 'rank', from: 1, to: 40, count: 3 } }
    expect(fitSweep(outside, experiment)).toEqual(defaultSweep)
  })
  it('is refused by the field where it comes from a link', () => {
    const read = (value: unknown) => validated((reader) => readSweep(reader, value, 'sweep'))
    expect(read(grid)).toMatchObject({ ok: true, value: grid })
    expect(read({ kind: 'weights', steps: 4 })).toMatchObject({ ok: true })
    const wrong: [unknown, RegExp][] = [
      [{ kind: 'weights', steps: 99 }, /steps/],
      [{ kind: 'cube' }, /kind/],
      [{ ...grid, z: 1 }, /unknown field/],
      [{ kind: 'line', x: { parameter: '__proto__', from: 0, to: 1, count: 3 } }, /cannot be swept/],
      [{ kind: 'line', x: { parameter: 'rank', from: 2, to: 1, count: 3 } }, /upwards/],
      [{ kind: 'line', x: { parameter: 'rank', from: 0, to: 1, count: 1 } }, /fewer/],
      [{ kind: 'line', x: { parameter: 'rank', from: 0, to: Number.POSITIVE_INFINITY, count: 3 } }, /\.to/],
      [null, /sweep/],
    ]
    for (const [value, reason] of wrong)
      expect(read(value), JSON.stringify(value)).toMatchObject({
        ok: false,
        reason: expect.stringMatching(reason),
      })
  })
})

describe('parameters', () => {
  it('read what they set, at both ends and the start of every method', () => {
    for (const method of ['alignmerge', 'ties', 'dare_linear', 'slerp', 'linear']) {
      const base = { ...experiment, method, parameters: {} }
      for (const { id, range, get, set } of sweepParameters(base))
        for (const value of [range.min, range.max])
          expect(get(set(base, value)), `${method} ${id}`).toBe(value)
    }
  })
  it('share out weights in proportion', () => {
    const shared = redistribute([0.5, 0.3, 0.2], 0, 0)
    expect(shared).toEqual([0, expect.closeTo(0.6), expect.closeTo(0.4)])
    expect(redistribute([1, 0, 0], 0, 0.4)).toEqual([0.4, 0.3, 0.3])
  })
})
