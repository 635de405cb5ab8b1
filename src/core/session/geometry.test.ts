// The geometry of a tiny merge against explicit vectors in float64: U written out, the closed form against its
// neighbours, drifts of stored merges, of the anchor, and by layer.

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
import { Random } from '../tensors/random.ts'
import {
  barycentreCoordinates,
  computeGeometry,
  expertCoordinates,
  type Geometry,
  identityDifference,
  measureDrift,
  ROW_SETS,
  type RowSetName,
  solve,
} from './geometry.ts'

const WEIGHTS = [0.6, 0.4]
const RANK = 3

interface Explicit {
  g: Float64Array
  experts: Float64Array[]
  rows: Record<RowSetName, Float64Array[]>
  bar: Float64Array
}

let gpu: Gpu
let tiny: TinyMerge
let geometry: Geometry
let explicit: Explicit
beforeAll(async () => {
  gpu = await openTestDevice()
  tiny = await tinyMerge(gpu)
  geometry = await computeGeometry(tiny)
  explicit = await readBack(tiny)
})
afterAll(() => gpu?.close())

async function readBack({ anchor, experts, metric, rows }: TinyMerge): Promise<Explicit> {
  const base = await flatWeights(anchor)
  const differences: Float64Array[] = []
  // As the device forms them: the difference of two float32 numbers, rounded once.
  for (const expert of experts)
    differences.push((await flatWeights(expert)).map((value, j) => Math.fround(value - base[j])))
  const sets = {} as Record<RowSetName, Float64Array[]>
  for (const which of ROW_SETS) sets[which] = await flatRows(anchor, rows[which])
  return {
    g: await flatBuffers(anchor, metric.diagonal),
    experts: differences,
    rows: sets,
    bar: differences[0].map((_, j) => differences.reduce((sum, d, k) => sum + WEIGHTS[k] * d[j], 0)),
  }
}

/** u_i = G⁻¹ Aᵀ w_i of a row set, as vectors (P). */
function directions(which: RowSetName, rank = geometry.bases[which].rank, g = explicit.g): Float64Array[] {
  const { rows, n } = geometry.bases[which]
  return Array.from({ length: rank }, (_, i) =>
    g.map(
      (value, j) => explicit.rows[which].reduce((sum, row, r) => sum + rows[i * n + r] * row[j], 0) / value,
    ),
  )
}

/** δ̄ − G⁻¹ Aᵀ b. */
const shielded = (b: Float64Array) =>
  explicit.bar.map(
    (value, j) => value - explicit.rows.own.reduce((sum, row, r) => sum + b[r] * row[j], 0) / explicit.g[j],
  )

const driftOf = (us: Float64Array[], delta: Float64Array, from = 0, to = delta.length) =>
  Math.sqrt(
    us.reduce((sum, u) => {
      let c = 0
      for (let j = from; j < to; j++) c += u[j] * explicit.g[j] * delta[j]
      return sum + c * c
    }, 0),
  )

async function written(lambdaAlign: number, rank = RANK): Promise<{ out: DeviceModel; delta: Float64Array }> {
  const { anchor, experts, rows, metric } = tiny
  const out = new DeviceModel(gpu, anchor.config, anchor.type)
  const { b } = solve(geometry, WEIGHTS, lambdaAlign, rank)
  const held = gpu.upload(Float32Array.from(b))
  await mergeOnDevice(
    methodOf('alignmerge'),
    {
      base: anchor,
      models: experts,
      parameters: {},
      modelParameters: [...WEIGHTS].map((weight) => ({ weight })),
      seed: 1,
      shield: (name) => ({
        rows: b.length,
        a: rows.own.rows.get(name)!,
        metric: metric.diagonal.get(name)!,
        b: held,
      }),
    },
    out,
  )
  held.destroy()
  const base = await flatWeights(anchor)
  return { out, delta: (await flatWeights(out)).map((value, j) => value - base[j]) }
}

describe('subspace', () => {
  test.each(ROW_SETS)('Uᵀ G U = I and F_A U = G U diag(μ) for the %s rows', (which) => {
    const { bases } = geometry
    const us = directions(which)
    expect(us.length).toBeGreaterThanOrEqual(4)
    const { n, eigenvalues } = bases[which]
    us.forEach((u, i) => {
      us.forEach((v, k) => {
        expect(inner(u, v, explicit.g)).toBeCloseTo(i === k ? 1 : 0, 4)
      })
      const along = explicit.rows[which].map((row) => inner(row, u))
      const left = u.map(
        (_, j) => explicit.rows[which].reduce((sum, row, r) => sum + along[r] * row[j], 0) / n,
      )
      expect(
        relativeError(
          left,
          u.map((value, j) => eigenvalues[i] * explicit.g[j] * value),
        ),
      ).toBeLessThan(1e-4)
    })
  })

  test('products, Grams and coordinates are those of the explicit vectors', () => {
    const { experts, g, rows } = explicit
    experts.forEach((x, k) => {
      experts.forEach((y, l) => {
        expect(geometry.gram[k * 2 + l]).toBeCloseTo(inner(x, y, g), 5)
        expect(geometry.plainGram[k * 2 + l]).toBeCloseTo(inner(x, y), 4)
      })
      for (const which of ROW_SETS) {
        expect(
          relativeError(
            geometry.products[which][k],
            rows[which].map((row) => inner(row, x)),
          ),
        ).toBeLessThan(1e-5)
        const c = directions(which).map((u) => inner(u, x, g))
        expect(relativeError(expertCoordinates(geometry, which)[k], c)).toBeLessThan(1e-4)
      }
    })
    const c = directions('heldOut').map((u) => inner(u, explicit.bar, g))
    expect(relativeError(barycentreCoordinates(geometry, 'heldOut', WEIGHTS), c)).toBeLessThan(1e-4)
  })
})

describe('closed form', () => {
  const objective = (us: Float64Array[], lambda: number) => (delta: Float64Array) => {
    let value = 0
    explicit.experts.forEach((expert, k) => {
      for (let j = 0; j < delta.length; j++) value += WEIGHTS[k] * explicit.g[j] * (delta[j] - expert[j]) ** 2
    })
    return value + lambda * driftOf(us, delta) ** 2
  }

  test.each([0.5, 64])('at λ_align %d it beats a thousand random neighbours', (lambda) => {
    const L = objective(directions('own', RANK), lambda)
    const solution = solve(geometry, WEIGHTS, lambda, RANK)
    const best = shielded(solution.b)
    const least = L(best)
    expect(solution.objective.total / least).toBeCloseTo(1, 4)
    const random = new Random(3, 3)
    // Steps along U and not only anywhere: in 5,000 dimensions a random step hardly meets the subspace.
    const us = directions('own', RANK)
    let beaten = 0
    const other = new Float64Array(best.length)
    for (let trial = 0; trial < 1000; trial++) {
      const size = 10 ** (-3 * random.uniform()) * 0.01
      other.set(best)
      if (trial % 4 === 0) for (let j = 0; j < other.length; j++) other[j] += size * random.normal()
      for (const u of us) {
        const shift = random.normal() * size * 10
        for (let j = 0; j < other.length; j++) other[j] += shift * u[j]
      }
      if (L(other) <= least) beaten++
    }
    expect(beaten).toBe(0)
  })

  test('with the identity it is the Euclidean projection, and the difference is measured as it is', async () => {
    const flat = await tinyMerge(gpu, { identity: true })
    const plain = await computeGeometry(flat)
    const { b } = solve(plain, WEIGHTS, Number.POSITIVE_INFINITY, RANK)
    const rows = explicit.rows.own
    const { rows: w, n } = plain.bases.own
    const us = Array.from({ length: RANK }, (_, i) =>
      explicit.bar.map((_, j) => rows.reduce((sum, row, r) => sum + w[i * n + r] * row[j], 0)),
    )
    const along = us.map((u) => inner(u, explicit.bar))
    const projected = explicit.bar.map(
      (value, j) => value - us.reduce((sum, u, i) => sum + along[i] * u[j], 0),
    )
    const merged = explicit.bar.map(
      (value, j) => value - rows.reduce((sum, row, r) => sum + b[r] * row[j], 0),
    )
    expect(relativeError(merged, projected)).toBeLessThan(1e-5)
    const metricMerge = shielded(solve(geometry, WEIGHTS, Number.POSITIVE_INFINITY, RANK).b)
    const gap = metricMerge.map((value, j) => value - merged[j])
    const expected = Math.sqrt(inner(gap, gap) / inner(explicit.bar, explicit.bar))
    expect(identityDifference(geometry, WEIGHTS, Number.POSITIVE_INFINITY, RANK) / expected).toBeCloseTo(1, 3)
    expect(expected).toBeGreaterThan(1e-3)
  })
})

describe('drift of stored models', () => {
  test.each([0, 1, 16])(
    'at λ_align %d the written merge has the drift that the closed form says',
    async (lambda) => {
      const { out, delta } = await written(lambda)
      const solution = solve(geometry, WEIGHTS, lambda, RANK)
      const measured = await measureDrift(geometry, out, RANK)
      expect(measured.own / solution.drift).toBeCloseTo(1, 4)
      expect(measured.total / solution.total).toBeCloseTo(1, 5)
      expect(measured.heldOut / driftOf(directions('heldOut', RANK), delta)).toBeCloseTo(1, 4)
      expect(measured.otherSource / driftOf(directions('other', RANK), delta)).toBeCloseTo(1, 4)
      out.dispose()
    },
  )

  test('at λ_align 1e12 nothing is left of it', async () => {
    const { out } = await written(1e12)
    const { driftBefore } = solve(geometry, WEIGHTS, 0, RANK)
    const { own, total } = await measureDrift(geometry, out, RANK)
    expect(own / driftBefore).toBeLessThan(1e-4)
    expect(total).toBeGreaterThan(0)
    out.dispose()
  })

  test('by layer it is the same sum over the layer’s own weights', async () => {
    const { out, delta } = await written(2)
    const { byLayer } = await measureDrift(geometry, out, RANK)
    const us = directions('heldOut', RANK)
    expect(byLayer.length).toBe(tiny.anchor.config.layerCount)
    byLayer.forEach((found, layer) => {
      const own = spansOf(tiny.anchor).filter((span) => span.layer === layer)
      const [from, to] = [own[0].start, own[own.length - 1].end]
      expect(found / driftOf(us, delta, from, to)).toBeCloseTo(1, 4)
    })
    out.dispose()
  })

  test('the anchor has none', async () => {
    const drift = await measureDrift(geometry, tiny.anchor, RANK)
    expect(drift).toEqual({ own: 0, heldOut: 0, otherSource: 0, total: 0, byLayer: [0, 0] })
  })
})

test('a merge of nothing is refused; a raised signal stops', async () => {
  await expect(computeGeometry({ ...tiny, experts: [] })).rejects.toMatchObject({ code: 'request-invalid' })
  const signal = AbortSignal.abort()
  await expect(computeGeometry({ ...tiny, signal })).rejects.toMatchObject({ code: 'cancelled' })
})
