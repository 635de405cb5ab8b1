import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { mergeSmall, roundNormals, type SmallMerge, type SmallModel } from '../../testing/smallMerge.ts'
import type { Gpu } from '../gpu/device.ts'
import { paddedCount } from '../model/deviceModel.ts'
import type { MergeJob } from './execute.ts'
import { runMerge } from './execute.ts'
import { continueOpcm, type OpcmState, opcmMethod, projectNewcomer } from './opcm.ts'
import { type HostMatrix, singularTriplets } from './singularValues.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const shapes: Record<string, number[]> = { w: [8, 6], u: [3, 7], v: [5] }
const names = Object.keys(shapes)
const countOf = (name: string) => shapes[name].reduce((a, b) => a * b, 1)
const model = (seed: number, scale = 1): SmallModel =>
  Object.fromEntries(names.map((name, i) => [name, roundNormals(countOf(name), seed + 50 * i, scale)]))
const base = model(1)
const moved = (by: SmallModel): SmallModel =>
  Object.fromEntries(names.map((name) => [name, base[name].map((x, i) => x + by[name][i])]))
const experts = [2, 3, 4, 5].map((seed) => moved(model(seed, 0.25 * seed)))

const displacement = (merged: ReadonlyMap<string, ArrayLike<number>>) =>
  names.flatMap((name) => Array.from(merged.get(name)!, (x, i) => x - base[name][i]))
const norm = (x: ArrayLike<number>) => Math.hypot(...Array.from(x))
const far = (a: ArrayLike<number>, b: ArrayLike<number>) => norm(Array.from(a, (x, i) => x - b[i])) / norm(b)

/** A job over models in memory; `opened` counts how many models a tensor was opened with. */
function jobOf(models: readonly SmallModel[], alpha: number) {
  const out = new Map<string, Float32Array>()
  const opened = new Set<number>()
  const upload = (values: readonly number[]) => {
    const padded = new Float32Array(paddedCount(values.length))
    padded.set(values)
    return gpu.upload(padded)
  }
  const job: MergeJob = {
    gpu,
    tensors: names.map((name) => ({ name, shape: shapes[name], parameters: { alpha }, modelParameters: [] })),
    layerCount: 0,
    seed: 0,
    open: ({ name }) => {
      opened.add(models.length)
      return {
        base: upload(base[name]),
        models: models.map((one) => upload(one[name])),
        out: upload(new Array<number>(countOf(name)).fill(0)),
        type: 'f32',
      }
    },
    close: async ({ name }, tensors, isWritten) => {
      if (isWritten) out.set(name, await gpu.readFloats(tensors.out, countOf(name)))
    },
  }
  return { job, out, opened }
}

async function mergeAll(models: readonly SmallModel[], alpha: number) {
  const { job, out } = jobOf(models, alpha)
  const states: OpcmState[] = []
  await runMerge(
    opcmMethod(undefined, (state) => states.push(state)),
    job,
  )
  return { out, state: states[0] }
}

describe('adding one more expert', () => {
  test('is the merge of all, with only the running merge and three numbers kept', async () => {
    for (const alpha of [0, 0.5, 1]) {
      const { out: all, state: last } = await mergeAll(experts, alpha)
      let { out: running, state } = await mergeAll(experts.slice(0, 2), alpha)
      for (const newcomer of experts.slice(2)) {
        const held = Object.fromEntries(names.map((name) => [name, Array.from(running.get(name)!)]))
        const { job, out, opened } = jobOf([held, newcomer], alpha)
        state = JSON.parse(JSON.stringify(await continueOpcm(job, state))) as OpcmState
        expect([...opened]).toEqual([2])
        running = out
      }
      expect(far(displacement(running), displacement(all))).toBeLessThan(2e-6)
      expect(state.count).toBe(4)
      expect(state.meanNorm).toBeCloseTo(last.meanNorm, 6)
      expect(state.lambda).toBeCloseTo(last.lambda, 6)
    }
  })

  test('the merge is as long as the mean task vector, λ grows like √t, order counts', async () => {
    const { out, state } = await mergeAll(experts, 0.5)
    const norms = experts.map((expert) => norm(displacement(new Map(Object.entries(expert)))))
    const mean = norms.reduce((a, b) => a + b, 0) / 4
    expect(state.meanNorm).toBeCloseTo(mean, 6)
    expect(norm(displacement(out))).toBeCloseTo(mean, 5)
    expect(state.lambda).toBeGreaterThan(1.2)
    expect(state.lambda).toBeLessThan(2.5)
    const other = await mergeAll([...experts].reverse(), 0.5)
    expect(far(displacement(other.out), displacement(out))).toBeGreaterThan(1e-2)
  })

  test('experts that do not overlap all count alike: their sum, at the mean length', async () => {
    const zero = Object.fromEntries(names.map((name) => [name, new Array<number>(countOf(name)).fill(0)]))
    const single = (row: number, size: number) =>
      moved({ ...zero, w: zero.w.map((_, i) => (i === row * 6 + row ? size : 0)) })
    const { out } = await mergeAll([single(0, 1), single(1, 2), single(2, 3), single(3, -2)], 0.5)
    const found = displacement(out)
    const scale = 2 / Math.hypot(1, 2, 3, 2)
    const wanted = found.map((_, i) => scale * ({ 0: 1, 7: 2, 14: 3, 21: -2 }[i] ?? 0))
    expect(far(found, wanted)).toBeLessThan(2e-6)
  })

  test('refuses a state that is none', async () => {
    const { job } = jobOf([base, base], 0.5)
    for (const state of [
      { count: 0, meanNorm: 1, lambda: 1 },
      { count: 2, meanNorm: Number.NaN, lambda: 1 },
      { count: 2, meanNorm: 1, lambda: 0 },
    ])
      await expect(continueOpcm(job, state)).rejects.toThrow(/expected at least one and finite numbers/)
  })
})

describe('projectNewcomer', () => {
  const random = (seed: number): HostMatrix => ({
    rows: 8,
    columns: 6,
    data: Float64Array.from(roundNormals(48, seed)),
  })
  /** uᵢᵀ M vⱼ for the singular vectors of `of`. */
  function inBasis(of: HostMatrix, m: HostMatrix): number[][] {
    const { left, right, count } = singularTriplets(of)
    return Array.from({ length: count }, (_, i) =>
      Array.from({ length: count }, (_, j) => {
        let sum = 0
        for (let r = 0; r < 8; r++)
          for (let k = 0; k < 6; k++) sum += left.data[i * 8 + r] * m.data[r * 6 + k] * right.data[j * 6 + k]
        return sum
      }),
    )
  }

  test.each([0, 0.4, 0.6, 0.9, 1])('α %f: zero where it must be, untouched elsewhere', (alpha) => {
    const [running, tau] = [random(31), random(32)]
    const { values } = singularTriplets(running)
    const total = values.reduce((a, b) => a + b, 0)
    let s = 0
    for (let sum = values[0]; s < 6 && (alpha === 1 || sum / total <= alpha); sum += values[s]) s++
    const before = inBasis(running, tau)
    const after = inBasis(running, projectNewcomer(running, tau, alpha))
    after.forEach((row, i) => {
      row.forEach((value, j) => {
        const isTaken = i === j || (i < s && j < s)
        expect(value).toBeCloseTo(isTaken ? 0 : before[i][j], 12)
      })
    })
    expect(s).toBe([0, 1, 2, 4, 6][[0, 0.4, 0.6, 0.9, 1].indexOf(alpha)])
  })

  test('what lies outside the running merge passes whole', () => {
    const running = random(33)
    running.data.fill(0)
    const tau = random(34)
    expect(projectNewcomer(running, tau, 0.5).data).toEqual(tau.data)
    running.data[0] = 3
    const away = { ...tau, data: tau.data.map((x, i) => (i === 0 ? 0 : x)) }
    expect(norm(projectNewcomer(running, tau, 0.5).data.map((x, i) => x - away.data[i]))).toBeLessThan(1e-12)
  })
})

describe('bad input', () => {
  const merge = (models: SmallModel[], rest: Partial<SmallMerge> = {}) =>
    mergeSmall(gpu, { method: 'opcm', base, models, shapes, ...rest })

  test('one expert, the same twice, nothing', async () => {
    const [x] = experts
    for (const name of names) {
      expect(Array.from((await merge([x])).get(name)!)).toEqual(x[name])
      expect(Array.from((await merge([base, base])).get(name)!)).toEqual(base[name])
    }
    // The same again: matrices have it already, vectors are added once more.
    const part = (name: string, of: ArrayLike<number>) => Array.from(of, (value, i) => value - base[name][i])
    const [matrices, vectors] = [norm([...part('w', x.w), ...part('u', x.u)]), norm(part('v', x.v))]
    const lambda = Math.hypot(matrices, 2 * vectors) / Math.hypot(matrices, vectors)
    const twice = await merge([x, x])
    for (const name of names) {
      const share = (name === 'v' ? 2 : 1) / lambda
      expect(
        far(
          part(name, twice.get(name)!),
          part(name, x[name]).map((value) => share * value),
        ),
      ).toBeLessThan(1e-6)
    }
    // A zero task vector first: the next is taken whole, at the mean length of both.
    const half = displacement(await merge([base, x]))
    const tau = displacement(new Map(Object.entries(x)))
    expect(
      far(
        half,
        tau.map((value) => value / 2),
      ),
    ).toBeLessThan(1e-6)
  })

  test('a number that is none is refused by name', async () => {
    const broken = { ...experts[0], u: experts[0].u.map((x, i) => (i === 3 ? Number.POSITIVE_INFINITY : x)) }
    await expect(merge([experts[1], broken])).rejects.toMatchObject({
      code: 'not-finite',
      where: { tensor: 'u' },
    })
  })
})
