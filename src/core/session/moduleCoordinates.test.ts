// Coordinates cut into layers and modules, against explicit float64 vectors and against the whole coordinates.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import {
  flatBuffers,
  flatRows,
  flatWeights,
  inner,
  spansOf,
  type TinyMerge,
  tinyMerge,
} from '../../testing/tinyMerge.ts'
import { relativeError } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { mergeOnDevice } from '../merge/deviceMerge.ts'
import { methodOf } from '../merge/methods/registry.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import {
  barycentreCoordinates,
  computeGeometry,
  expertCoordinates,
  type Geometry,
  ROW_SETS,
  type RowSetName,
  solve,
} from './geometry.ts'
import { type ModuleCoordinates, measureModules, moduleCoordinates, moduleOf } from './moduleCoordinates.ts'

const WEIGHTS = [0.7, 0.3]
const RANK = 3

let gpu: Gpu
let tiny: TinyMerge
let geometry: Geometry
let found: ModuleCoordinates
let g: Float64Array
let rows: Record<RowSetName, Float64Array[]>
let differences: Float64Array[]
beforeAll(async () => {
  gpu = await openTestDevice()
  tiny = await tinyMerge(gpu)
  geometry = await computeGeometry(tiny)
  found = await moduleCoordinates(geometry)
  const { anchor, experts, metric } = tiny
  g = await flatBuffers(anchor, metric.diagonal)
  rows = {} as typeof rows
  for (const which of ROW_SETS) rows[which] = await flatRows(anchor, tiny.rows[which])
  const base = await flatWeights(anchor)
  differences = []
  for (const expert of experts)
    differences.push((await flatWeights(expert)).map((value, j) => Math.fround(value - base[j])))
})
afterAll(() => gpu?.close())

/** u_i (P) of a row set, written out. */
const directions = (which: RowSetName): Float64Array[] => {
  const { rows: w, n, rank } = geometry.bases[which]
  return Array.from({ length: rank }, (_, i) =>
    g.map((value, j) => rows[which].reduce((sum, row, r) => sum + w[i * n + r] * row[j], 0) / value),
  )
}

/** Flat weights of a cell. */
function indicesOf(cell: number): number[] {
  const { layer, module } = found.cells[cell]
  return spansOf(tiny.anchor).flatMap((span) => {
    const { spec } = tiny.anchor.tensor(span.name)
    if ((span.layer ?? null) !== layer || moduleOf(spec) !== module) return []
    return Array.from({ length: span.end - span.start }, (_, j) => span.start + j)
  })
}

const cellInner = (indices: readonly number[], x: Float64Array, y: Float64Array) =>
  indices.reduce((sum, j) => sum + x[j] * g[j] * y[j], 0)

const sumOverCells = (values: Float64Array, size: number) =>
  Float64Array.from({ length: size }, (_, at) =>
    found.cells.reduce((sum, _cell, cell) => sum + values[cell * size + at], 0),
  )

describe('cells', () => {
  test('hold every weight once', () => {
    const all = found.cells.flatMap((_, cell) => indicesOf(cell)).sort((a, b) => a - b)
    expect(all).toEqual(Array.from(g, (_, j) => j))
    expect(found.cells.map(({ layer, module }) => `${layer} ${module}`)).toEqual([
      'null embed',
      'null norm',
      ...[0, 1].flatMap((layer) =>
        ['norm', 'qkv', 'o', 'gate, up', 'down'].map((module) => `${layer} ${module}`),
      ),
    ])
  })

  test.each([
    ['model.layers.3.self_attn.q_proj.bias', 'bias', 'q'],
    ['model.layers.0.self_attn.v_proj.weight', 'matrix', 'v'],
    ['model.layers.0.mlp.up_proj.weight', 'matrix', 'up'],
    ['model.layers.0.mlp.gate_up_proj.weight', 'matrix', 'gate, up'],
    ['model.layers.0.post_attention_layernorm.weight', 'gain', 'norm'],
    ['lm_head.weight', 'head', 'head'],
  ] as const)('%s is of %s', (name, role, module) => {
    expect(moduleOf({ name, role })).toBe(module)
  })
})

describe('parts', () => {
  test.each(ROW_SETS)('of the %s coordinates are those of explicit vectors, cell by cell', (which) => {
    const us = directions(which)
    const m = us.length
    differences.forEach((delta, k) => {
      const expected = found.cells.flatMap((_, cell) => {
        const indices = indicesOf(cell)
        return us.map((u) => cellInner(indices, u, delta))
      })
      expect(found.parts[which][k].length).toBe(found.cells.length * m)
      expect(relativeError(found.parts[which][k], expected)).toBeLessThan(1e-4)
    })
  })

  test.each(ROW_SETS)('of the %s coordinates sum to the known c_i to 1e-5', (which) => {
    expertCoordinates(geometry, which).forEach((c, k) => {
      expect(relativeError(sumOverCells(found.parts[which][k], c.length), c)).toBeLessThan(1e-5)
    })
  })

  test.each(ROW_SETS)('taken by the shield are those of explicit directions (%s)', (which) => {
    const [left, own] = [directions(which), directions('own')]
    const expected = found.cells.flatMap((_, cell) => {
      const indices = indicesOf(cell)
      return left.flatMap((u) => own.map((v) => cellInner(indices, u, v)))
    })
    expect(relativeError(found.overlaps[which], expected)).toBeLessThan(1e-4)
    const whole = sumOverCells(found.overlaps[which], left.length * own.length)
    const explicit = left.flatMap((u) => own.map((v) => inner(u, v, g)))
    expect(relativeError(whole, explicit)).toBeLessThan(1e-4)
  })
})

/** The page's algebra, from these numbers alone. */
function shielded(which: RowSetName, lambda: number): Float64Array {
  const m = geometry.bases[which].rank
  const own = geometry.bases.own.rank
  const share = lambda / (1 + lambda)
  const c = barycentreCoordinates(geometry, 'own', WEIGHTS)
  return Float64Array.from({ length: found.cells.length * m }, (_, at) => {
    const plain = WEIGHTS.reduce((sum, weight, k) => sum + weight * found.parts[which][k][at], 0)
    let taken = 0
    for (let j = 0; j < Math.min(RANK, own); j++) taken += share * c[j] * found.overlaps[which][at * own + j]
    return plain - taken
  })
}

describe('after the shield', () => {
  test.each([0, 1, 16])(
    'the algebra gives what is measured of the written merge, λ_align %d',
    async (lambda) => {
      const { anchor, experts, rows: sets, metric } = tiny
      const out = new DeviceModel(gpu, anchor.config, anchor.type)
      const { b } = solve(geometry, WEIGHTS, lambda, RANK)
      const held = gpu.upload(Float32Array.from(b))
      await mergeOnDevice(
        methodOf('alignmerge'),
        {
          base: anchor,
          models: experts,
          parameters: {},
          modelParameters: WEIGHTS.map((weight) => ({ weight })),
          seed: 1,
          shield: (name) => ({
            rows: b.length,
            a: sets.own.rows.get(name)!,
            metric: metric.diagonal.get(name)!,
            b: held,
          }),
        },
        out,
      )
      const measured = await measureModules(geometry, out)
      expect(measured.cells).toEqual(found.cells)
      for (const which of ROW_SETS)
        expect(relativeError(shielded(which, lambda), measured.parts[which][0])).toBeLessThan(1e-4)
      held.destroy()
      out.dispose()
    },
  )

  test('the anchor has no part anywhere, and a raised signal stops', async () => {
    const { parts } = await measureModules(geometry, tiny.anchor)
    for (const which of ROW_SETS) expect(parts[which][0].every((value) => value === 0)).toBe(true)
    await expect(moduleCoordinates(geometry, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    })
  })
})
