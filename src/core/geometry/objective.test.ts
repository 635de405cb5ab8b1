// The objective on the device against its definition, its gradient against differences, and descent from any
// start against the closed form.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { inner } from '../../testing/tinyMerge.ts'
import { relativeError } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { solveAlignMerge } from '../merge/closedForm.ts'
import { Random } from '../tensors/random.ts'
import {
  encodeDescentStep,
  encodeObjectiveGradient,
  type ObjectiveProblem,
  objectiveValue,
} from './objective.ts'
import { alignmentBasis } from './sampleSpace.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const TENSORS = [
  { name: 'first', count: 36 },
  { name: 'second', count: 700 },
]
const P = 736
const N = 5
const RANK = 3
const LAMBDA = 3
const WEIGHTS = [0.5, 0.3, 0.2]
const W = [1, 0.6, 0.25]

/** Rows (n × P) as they lie on the device, (n, count) by tensor. */
function place(rows: readonly Float64Array[]): Map<string, GPUBuffer> {
  let start = 0
  return new Map(
    TENSORS.map(({ name, count }) => {
      const data = new Float32Array(rows.length * count)
      rows.forEach((row, i) => {
        data.set(row.subarray(start, start + count), i * count)
      })
      start += count
      return [name, gpu.upload(data)]
    }),
  )
}

async function readBack(buffers: ReadonlyMap<string, GPUBuffer>): Promise<Float64Array> {
  const out = new Float64Array(P)
  let at = 0
  for (const { name, count } of TENSORS) {
    out.set(await gpu.readFloats(buffers.get(name)!, count), at)
    at += count
  }
  return out
}

function makeProblem() {
  const random = new Random(12, 3)
  const vector = (scale = 1) => Float64Array.from(random.normals(P, scale))
  const rows = Array.from({ length: N }, (_, i) => vector(1 + i / 2))
  const experts = WEIGHTS.map(() => vector())
  const g = Float64Array.from({ length: P }, () => Math.fround(0.5 + random.uniform()))
  const center = Float64Array.from({ length: P }, (_, j) =>
    Math.fround(WEIGHTS.reduce((sum, weight, k) => sum + weight * experts[k][j], 0)),
  )
  const overG = g.map((value) => 1 / value)
  const kernel = Float64Array.from(
    { length: N * N },
    (_, at) => inner(rows[Math.floor(at / N)], rows[at % N], overG) / N,
  )
  const basis = alignmentBasis(kernel, N, { rank: RANK })
  const problem: ObjectiveProblem = {
    gpu,
    tensors: TENSORS,
    metric: { diagonal: place([g]), meanFisher: Number.NaN },
    rows: { count: N, rows: place(rows) },
    basis,
    differences: place(experts),
    center: place([center]),
    weights: WEIGHTS,
    lambdaAlign: LAMBDA,
    w: W,
  }
  const solution = solveAlignMerge({
    basis,
    a: experts.map((expert) => Float64Array.from(rows, (row) => inner(row, expert))),
    gram: Float64Array.from(experts.flatMap((x) => experts.map((y) => inner(x, y, g)))),
    weights: WEIGHTS,
    lambdaAlign: LAMBDA,
    w: Float64Array.from(W),
  })
  const best = center.map(
    (value, j) => value - rows.reduce((sum, row, i) => sum + solution.b[i] * row[j], 0) / g[j],
  )
  /** L_geo and L_align term by term, from U as explicit vectors. */
  const directions = Array.from({ length: RANK }, (_, i) =>
    overG.map((over, j) => over * rows.reduce((sum, row, r) => sum + basis.rows[i * N + r] * row[j], 0)),
  )
  const values = (delta: Float64Array) => {
    let geometric = 0
    experts.forEach((expert, k) => {
      const gap = delta.map((value, j) => value - expert[j])
      geometric += WEIGHTS[k] * inner(gap, gap, g)
    })
    const alignment = directions.reduce((sum, u, i) => sum + W[i] * inner(u, delta, g) ** 2, 0)
    return { geometric, alignment, total: geometric + LAMBDA * alignment }
  }
  return { problem, solution, best, values, vector, g }
}

describe('objective', () => {
  test('values are those of the definition, at the centre, at the solution and anywhere', async () => {
    const { problem, best, values, vector } = makeProblem()
    for (const delta of [new Float64Array(P), best, vector()]) {
      const found = await objectiveValue(problem, place([delta]))
      const expected = values(delta)
      expect(found.geometric / expected.geometric).toBeCloseTo(1, 5)
      expect(Math.abs(found.alignment - expected.alignment)).toBeLessThan(1e-5 * (1 + expected.alignment))
      expect(found.total / expected.total).toBeCloseTo(1, 5)
    }
  })

  test('at the closed form they are what the closed form says', async () => {
    const { problem, best, solution } = makeProblem()
    const found = await objectiveValue(problem, place([best]))
    expect(found.total / solution.objective.total).toBeCloseTo(1, 5)
    expect(found.geometric / solution.objective.geometric).toBeCloseTo(1, 5)
    expect(found.alignment / solution.objective.alignment).toBeCloseTo(1, 3)
  })

  test('the gradient is that of differences of the definition, element by element', async () => {
    const { problem, values, vector } = makeProblem()
    const delta = vector().map(Math.fround)
    const out = place([new Float64Array(P)])
    await encodeObjectiveGradient(problem, place([delta]), out)
    // L is a quadratic: central differences are exact at any step.
    const expected = delta.map((_, j) => {
      const at = (step: number) => values(delta.map((value, i) => (i === j ? value + step : value))).total
      return (at(0.5) - at(-0.5)) / 1
    })
    expect(relativeError(await readBack(out), expected)).toBeLessThan(2e-6)
  })

  test('along a line the device’s own values have the slope of its gradient', async () => {
    const { problem, vector } = makeProblem()
    const [delta, along] = [vector().map(Math.fround), vector()]
    const out = place([new Float64Array(P)])
    await encodeObjectiveGradient(problem, place([delta]), out)
    const at = async (step: number) =>
      (await objectiveValue(problem, place([delta.map((value, j) => value + step * along[j])]))).total
    const slope = ((await at(1)) - (await at(-1))) / 2
    expect(inner(await readBack(out), along) / slope).toBeCloseTo(1, 4)
  })

  test('descent from zero reaches the closed form to five digits', async () => {
    const { problem, best, g } = makeProblem()
    const delta = place([new Float64Array(P)])
    const [gradient, next] = [place([new Float64Array(P)]), place([new Float64Array(P)])]
    // The Hessian lies between 2 min g and 2 (1 + λ) max g.
    const rate = 1 / ((1 + LAMBDA) * Math.max(...g) + Math.min(...g))
    for (let step = 0; step < 130; step++) {
      await encodeObjectiveGradient(problem, delta, gradient)
      encodeDescentStep(gpu, TENSORS, delta, gradient, next, rate)
    }
    const reached = await readBack(delta)
    expect(relativeError(reached, best)).toBeLessThan(1e-5)
    await encodeObjectiveGradient(problem, delta, gradient)
    expect(Math.sqrt(inner(await readBack(gradient), await readBack(gradient)))).toBeLessThan(1e-3)
  })
})
