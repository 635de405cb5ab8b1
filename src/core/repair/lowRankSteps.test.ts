import { describe, expect, it } from 'vitest'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { lowRankUpdateReference } from '../kernels/lowRankUpdate/lowRankUpdate.ts'
import { Random } from '../tensors/random.ts'
import { drawFactors } from './lowRankModel.ts'
import { descendLowRank, type LowRankStepOptions } from './lowRankSteps.ts'
import { REPAIR_STREAMS } from './repairProbes.ts'

const [M, N] = [5, 7]
const spec = { name: 'w', shape: [M, N], role: 'matrix' as const, layer: 0 }
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0)

/** U diag(s) Vᵀ (M,N) in float64. */
function moved(rank: number, seed: number, s: Float64Array, base = new Float64Array(M * N)): Float64Array {
  const [{ u, v }] = drawFactors([spec], rank, seed)
  const inputs = {
    base,
    u: Float64Array.from(u),
    v: Float64Array.from(v),
    tau: s,
    out: new Float64Array(M * N),
  }
  return lowRankUpdateReference({ M, N, R: rank, scale: 1 }, inputs).out as Float64Array
}

const options = (change: Partial<LowRankStepOptions> = {}): LowRankStepOptions => ({
  rank: 3,
  steps: 1,
  perturbation: 1e-3,
  rate: () => 0.1,
  momentum: 0,
  seed: 9,
  ...change,
})

describe('the estimate of TeZO', () => {
  it.each([1, 4])('is r times the gradient in the mean over U, V and τ: r = %d', (rank) => {
    const g = Float64Array.from(new Random(3).normals(M * N))
    const sum = new Float64Array(M * N)
    const draws = 12_000
    for (let draw = 0; draw < draws; draw++) {
      const tau = Float64Array.from(new Random(draw, 5).normals(rank))
      const z = moved(rank, draw, tau)
      const slope = dot(z, g)
      for (let i = 0; i < z.length; i++) sum[i] += (slope * z[i]) / draws
    }
    // Along g the mean is r; across it nothing is left but noise, which shrinks with the square root of the draws.
    expect(dot(sum, g) / dot(g, g) / rank).toBeGreaterThan(0.95)
    expect(dot(sum, g) / dot(g, g) / rank).toBeLessThan(1.05)
    const across = sum.map((value, i) => value - (dot(sum, g) / dot(g, g)) * g[i])
    expect(Math.sqrt(dot(across, across) / dot(sum, sum))).toBeLessThan(0.15)
  })
})

describe('descendLowRank', () => {
  it('takes the step of the formula on a linear loss, divided by r, with and without momentum', async () => {
    const g = Float64Array.of(1, -2, 0.5, 3, 0, 1)
    const random = new Random(9, REPAIR_STREAMS.steps)
    const taus = [0, 1].map(() => Float64Array.from(g, () => random.normal()))
    for (const momentum of [0, 0.9]) {
      const s = new Float64Array(6)
      await descendLowRank(s, async (at) => dot(at, g), options({ steps: 2, momentum }))
      const mean = new Float64Array(6)
      const expected = new Float64Array(6)
      for (const tau of taus)
        for (let i = 0; i < 6; i++) {
          mean[i] = momentum * mean[i] + (1 - momentum) * dot(g, tau) * tau[i]
          expected[i] -= (0.1 / 3) * mean[i]
        }
      for (let i = 0; i < 6; i++) expect(s[i]).toBeCloseTo(expected[i], 9)
    }
  })

  it('reports the mean of both losses and the slope', async () => {
    const seen: number[][] = []
    const loss = async (at: Float64Array) => 5 + at[0] ** 2 + at[0]
    await descendLowRank(new Float64Array(3), loss, options({ onStep: (...report) => seen.push(report) }))
    const tau = new Random(9, REPAIR_STREAMS.steps).normal()
    expect(seen[0][0]).toBe(0)
    expect(seen[0][1]).toBeCloseTo(5 + (1e-3 * tau) ** 2, 9)
    expect(seen[0][2]).toBeCloseTo(tau, 6)
  })

  /** ½‖W − W*‖² of W = U diag(s) Vᵀ. */
  const quadratic =
    (rank: number, seed: number, target: Float64Array, base?: Float64Array<ArrayBuffer>) =>
    async (s: Float64Array) => {
      const w = moved(rank, seed, s, base)
      return w.reduce((sum, value, i) => sum + (value - target[i]) ** 2 / 2, 0)
    }

  it.each([0, 0.9])('finds the bottom of a quadratic inside its span, momentum %d', async (momentum) => {
    const target = moved(3, 21, Float64Array.of(0.5, -1, 0.7))
    const s = new Float64Array(3)
    const loss = quadratic(3, 21, target)
    const before = await loss(s)
    await descendLowRank(s, loss, options({ steps: 400, rate: () => 0.02, momentum }))
    expect(await loss(s)).toBeLessThan(1e-3 * before)
  })

  it('never leaves its span: what is orthogonal to it stays, and new factors reach further', async () => {
    const target = Float64Array.from(new Random(8).normals(M * N))
    const s = new Float64Array(3)
    const loss = quadratic(3, 21, target)
    await descendLowRank(s, loss, options({ steps: 400, rate: () => 0.02 }))
    const once = await loss(s)
    // The least squares of the target on three rank-one matrices leave most of it.
    expect(once).toBeGreaterThan(0.5 * (await loss(new Float64Array(3))))
    const base = Float64Array.from(moved(3, 21, s))
    const next = new Float64Array(3)
    const further = quadratic(3, 22, target, base)
    await descendLowRank(next, further, options({ steps: 400, rate: () => 0.02 }))
    expect(await further(next)).toBeLessThan(0.99 * once)
  })

  it('stops when told, keeps s at a loss that is no number, refuses settings out of range', async () => {
    const s = new Float64Array(3)
    let steps = 0
    const linear = async (at: Float64Array) => at[0]
    await descendLowRank(
      s,
      linear,
      options({ steps: 50, afterStep: async (step) => ++steps > 2 || step > 9 }),
    )
    expect(steps).toBe(3)
    const kept = s.slice()
    await expectFailure(
      descendLowRank(s, async () => Number.NaN, options()),
      'not-finite',
    )
    await expectFailure(descendLowRank(s, linear, options({ signal: AbortSignal.abort() })), 'cancelled')
    expect(s).toEqual(kept)
    for (const wrong of [{ perturbation: 0 }, { momentum: 1 }, { steps: 1.5 }, { rate: () => Number.NaN }])
      await expectFailure(descendLowRank(s, linear, options(wrong)), 'request-invalid')
  })
})

describe('drawFactors', () => {
  it('draws matrices alone, each from a stream of its own, and refuses a rank of none', () => {
    const gain = { name: 'g', shape: [5], role: 'gain' as const }
    const [w] = drawFactors([gain, spec], 2, 1)
    const [other] = drawFactors([spec], 2, 1)
    expect([w.name, w.u.length, w.v.length]).toEqual(['w', 2 * M, 2 * N])
    expect(w.u).not.toEqual(other.u)
    expect(drawFactors([spec], 2, 1)[0].u).toEqual(other.u)
    expect(drawFactors([spec], 2, 2)[0].u).not.toEqual(other.u)
    expect(() => drawFactors([spec], 0, 1)).toThrow(/rank/)
  })
})
