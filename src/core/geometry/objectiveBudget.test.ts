// All three terms of the objective at a tiny model: values and gradients on the device against float64 differences
// of the definition, each term alone and the sum. a(δ) is the mean loss of some sequences at θ_IT + δ, by a real
// forward and backward pass on the device and by the slow reference on the host.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import {
  flatBuffers,
  flatRows,
  flatWeights,
  inner,
  randomSequences,
  tinyMerge,
} from '../../testing/tinyMerge.ts'
import { referenceLosses, relativeError, TINY_CONFIGS, tinyModel } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { type DeviceModel, paddedCount } from '../model/deviceModel.ts'
import { Random } from '../tensors/random.ts'
import { lossRows } from './alignmentRows.ts'
import {
  displacedModel,
  encodeObjectiveGradient,
  type ObjectiveProblem,
  objectiveValue,
} from './objective.ts'
import { alignmentBasis } from './sampleSpace.ts'

const CONFIG = 'phi3, odd sizes: hidden 18, head 6, window 4, tied'
const WEIGHTS = [0.6, 0.4]
const W = [1, 0.5, 0.3]

let gpu: Gpu
let made: Awaited<ReturnType<typeof makeProblem>>
beforeAll(async () => {
  gpu = await openTestDevice()
  made = await makeProblem()
})
afterAll(() => gpu?.close())

/** Flat rows (P each) as they lie on the device, (rows, padded count) by tensor. */
function place(anchor: DeviceModel, rows: readonly Float64Array[]): Map<string, GPUBuffer> {
  let start = 0
  return new Map(
    Array.from(anchor.tensors.values(), ({ spec, count }): [string, GPUBuffer] => {
      const stride = paddedCount(count)
      const data = new Float32Array(rows.length * stride)
      rows.forEach((row, i) => {
        data.set(row.subarray(start, start + count), i * stride)
      })
      start += count
      return [spec.name, gpu.upload(data)]
    }),
  )
}

async function makeProblem() {
  const tiny = await tinyMerge(gpu)
  const { anchor, metric, rows } = tiny
  const base = await flatWeights(anchor)
  const g = await flatBuffers(anchor, metric.diagonal)
  const own = await flatRows(anchor, rows.own)
  const experts: Float64Array[] = []
  for (const expert of tiny.experts)
    experts.push((await flatWeights(expert)).map((value, j) => Math.fround(value - base[j])))
  const center = base.map((_, j) =>
    Math.fround(WEIGHTS.reduce((sum, weight, k) => sum + weight * experts[k][j], 0)),
  )
  const n = own.length
  const overG = g.map((value) => 1 / value)
  const kernel = Float64Array.from(
    { length: n * n },
    (_, at) => inner(own[Math.floor(at / n)], own[at % n], overG) / n,
  )
  const basis = alignmentBasis(kernel, n, { rank: 3 })
  const problem: ObjectiveProblem = {
    gpu,
    tensors: Array.from(anchor.tensors.values(), ({ spec, count }) => ({
      name: spec.name,
      count: paddedCount(count),
    })),
    metric,
    rows: rows.own,
    basis,
    differences: place(anchor, experts),
    center: place(anchor, [center]),
    weights: WEIGHTS,
    lambdaAlign: 2,
    w: W,
  }
  const directions = Array.from({ length: 3 }, (_, i) =>
    overG.map((over, j) => over * own.reduce((sum, row, r) => sum + basis.rows[i * n + r] * row[j], 0)),
  )
  const { config } = tinyModel(TINY_CONFIGS[CONFIG])
  const sequences = randomSequences(3, config.vocabSize, 31)
  /** a(δ) in float64. */
  const functional = (delta: Float64Array) => {
    const weights = new Map<string, Float64Array>()
    let start = 0
    for (const { spec, count } of anchor.tensors.values()) {
      weights.set(
        spec.name,
        base.subarray(start, start + count).map((value, i) => value + delta[start + i]),
      )
      start += count
    }
    const means = sequences.map((sequence) => {
      const losses = referenceLosses(config, weights, sequence)
      return losses.reduce((sum, loss) => sum + loss, 0) / losses.length
    })
    return means.reduce((sum, mean) => sum + mean, 0) / means.length
  }
  const terms = {
    geometric: (delta: Float64Array) =>
      experts.reduce((sum, expert, k) => {
        const gap = delta.map((value, j) => value - expert[j])
        return sum + WEIGHTS[k] * inner(gap, gap, g)
      }, 0),
    alignment: (delta: Float64Array) =>
      directions.reduce((sum, u, i) => sum + W[i] * inner(u, delta, g) ** 2, 0),
  }
  const random = new Random(2, 2)
  const delta = Float64Array.from(random.normals(base.length, 0.05))
  return { anchor, problem, sequences, functional, terms, delta, random, n: base.length }
}

/** a and ∇a on the device at δ. */
async function deviceBudget(delta: ReadonlyMap<string, GPUBuffer>) {
  const { anchor, sequences } = made
  const model = displacedModel(anchor, delta)
  const { rows } = await lossRows(
    model,
    sequences.map((sequence) => ({ row: 0, sequence, sign: 1 })),
    1,
  )
  model.dispose()
  return rows
}

interface Case {
  name: string
  lambdaAlign: number
  lambdaBudget: number
  /** [τ − a] */ shortfall: number
  /** L_geo counts */ geometric: boolean
}

const CASES: Case[] = [
  { name: 'L_geo alone', lambdaAlign: 0, lambdaBudget: 0, shortfall: 1, geometric: true },
  { name: 'L_align alone', lambdaAlign: 2, lambdaBudget: 0, shortfall: 1, geometric: false },
  { name: 'L_bud alone', lambdaAlign: 0, lambdaBudget: 3, shortfall: 0.8, geometric: false },
  { name: 'the sum', lambdaAlign: 2, lambdaBudget: 3, shortfall: 0.8, geometric: true },
  {
    name: 'the sum with a budget that holds',
    lambdaAlign: 2,
    lambdaBudget: 3,
    shortfall: -0.8,
    geometric: true,
  },
]

describe.each(CASES)('$name', ({ lambdaAlign, lambdaBudget, shortfall, geometric }) => {
  test('value and gradient are those of the definition', async () => {
    const { anchor, problem, functional, terms, delta, random, n } = made
    const a = functional(delta)
    const threshold = a + shortfall
    const silent = [0, 0]
    const part: ObjectiveProblem = {
      ...problem,
      lambdaAlign,
      budget: { threshold, lambdaBudget },
      // Without expert weights neither Σ λ_k δ nor δ̄ is left of L_geo.
      ...(geometric ? {} : { weights: silent, center: place(anchor, [new Float64Array(n)]) }),
    }
    const objective = (at: Float64Array) =>
      (geometric ? terms.geometric(at) : 0) +
      lambdaAlign * terms.alignment(at) +
      (lambdaBudget > 0 ? lambdaBudget * Math.max(threshold - functional(at), 0) ** 2 : 0)

    const placed = place(anchor, [delta])
    const gradient = await deviceBudget(placed)
    const values = await objectiveValue(part, placed, a)
    const exact = objective(delta)
    expect(Math.abs(values.total - exact)).toBeLessThan(1e-5 * (1 + exact))
    expect(values.budget).toBeCloseTo(Math.max(shortfall, 0) ** 2, 10)

    const out = place(anchor, [new Float64Array(n)])
    await encodeObjectiveGradient(part, placed, out, { value: a, gradient })
    const found = await flatBuffers(anchor, out)
    const slope = (along: Float64Array, step: number) => {
      const moved = (sign: number) => delta.map((value, j) => value + sign * step * along[j])
      return (objective(moved(1)) - objective(moved(-1))) / (2 * step)
    }
    const scale = Math.sqrt(inner(found, found))
    expect(scale).toBeGreaterThan(0.01)
    // Along the gradient itself, along random directions, and along single weights of every tensor.
    const unit = found.map((value) => value / scale)
    expect(slope(unit, 1e-4) / scale).toBeCloseTo(1, 4)
    for (let trial = 0; trial < 4; trial++) {
      const along = Float64Array.from(random.normals(n, 1))
      expect(Math.abs(slope(along, 1e-4) - inner(found, along)) / scale).toBeLessThan(1e-3)
    }
    const picked: number[] = []
    let start = 0
    for (const { count } of anchor.tensors.values()) {
      picked.push(start + random.integer(count))
      start += count
    }
    const single = picked.map((j) => {
      const along = new Float64Array(n)
      along[j] = 1
      return slope(along, 1e-4)
    })
    expect(
      relativeError(
        picked.map((j) => found[j]),
        single,
      ),
    ).toBeLessThan(1e-3)
  })
})

test('a budget without its functional is refused', async () => {
  const { anchor, problem, delta } = made
  const part = { ...problem, budget: { threshold: 1, lambdaBudget: 1 } }
  const placed = place(anchor, [delta])
  await expect(objectiveValue(part, placed)).rejects.toMatchObject({ code: 'request-invalid' })
  await expect(encodeObjectiveGradient(part, placed, placed)).rejects.toMatchObject({
    code: 'request-invalid',
  })
  await expect(objectiveValue(part, placed, Number.NaN)).rejects.toThrow(/NaN/)
})
