// The full AlignMerge on tiny models: what it must equal, what budget, rounds and search really do, that it ends,
// repeats and stops.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALIGN_SETUP, alignProbeFile, alignSession } from '../../testing/alignSession.ts'
import { movedCheckpoint } from '../../testing/nearCheckpoint.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { flatWeights } from '../../testing/tinyMerge.ts'
import { relativeError } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { budgetFunctional, MARGIN_UNIT } from './alignBudget.ts'
import { type AlignMergeResult, alignMergeFull } from './alignMergeFull.ts'
import { type AlignMergeOptions, PLAIN_ALIGN_OPTIONS } from './alignOptions.ts'
import { Session, type Setup } from './session.ts'

let gpu: Gpu
let session: Session
/** enough probes for AQI on each half */
let many: Session
let out: DeviceModel
beforeAll(async () => {
  gpu = await openTestDevice()
  session = await alignSession(gpu, 40)
  many = await alignSession(gpu)
  const { model } = session.get('anchor')
  out = new DeviceModel(gpu, model.config, model.type)
})
afterAll(() => {
  session?.dispose()
  many?.dispose()
  gpu?.close()
})

interface Ran extends AlignMergeResult {
  weights: Float64Array
}

async function run(
  options: Partial<AlignMergeOptions>,
  change: Partial<Setup> = {},
  own = session,
): Promise<Ran> {
  const result = await alignMergeFull(own, { ...ALIGN_SETUP, ...change }, options, { out })
  return { ...result, weights: await flatWeights(out) }
}

/** Shortfall of the first functional on the fitting half after each round. */
const shortfalls = ({ trace }: AlignMergeResult) =>
  trace[0].result.rounds.map(({ budgets }) => Math.max(budgets[0].threshold - budgets[0].reached, 0))

describe('the closed form', () => {
  test('no rounds and no budget is the session’s merge bit for bit', async () => {
    const { weights, stage, rounds, trace } = await run(PLAIN_ALIGN_OPTIONS)
    expect(weights).toEqual(await flatWeights(await session.merge(ALIGN_SETUP)))
    expect([stage, rounds, trace.length]).toEqual(['fixed', 0, 1])
  })

  test('a budget without weight writes the same merge to rounding', async () => {
    const plain = await run(PLAIN_ALIGN_OPTIONS)
    const { weights, budgets, correction } = await run({ rounds: 0, lambdaBud: 0 })
    expect(relativeError(weights, plain.weights)).toBeLessThan(1e-6)
    expect(correction).toBe(0)
    expect(budgets.map(({ name }) => name)).toEqual(['refusal', 'compliance'])
  })

  test.each<[string, Partial<AlignMergeOptions>]>([
    ['one-sided', { oneSided: true }],
    ['eigenvalue weights', { rowWeights: 'eigen' }],
    ['layers', { subspace: 'layer' }],
    ['a random subspace', { control: 'random' }],
  ])('%s: another merge, with the drift its own shield leaves', async (_, change) => {
    // Towards random experts some coordinates are harmful and some are not.
    const experts = ['one', 'two'].map((id) => ({ id, weight: 1 }))
    const plain = await run(PLAIN_ALIGN_OPTIONS, { experts })
    const other = await run({ ...PLAIN_ALIGN_OPTIONS, ...change }, { experts })
    expect(relativeError(other.weights, plain.weights)).toBeGreaterThan(1e-6)
    expect(other.drift.own).toBeGreaterThan(plain.drift.own)
    const [round] = other.trace[0].result.rounds
    expect(round.drift).toBeLessThan(round.driftBefore)
  })

  test('a random subspace of equal rank leaves the drift nearly as it was', async () => {
    const average = await run(PLAIN_ALIGN_OPTIONS, { lambdaAlign: 0 })
    const random = await run({ ...PLAIN_ALIGN_OPTIONS, control: 'random' })
    const shielded = await run(PLAIN_ALIGN_OPTIONS)
    expect(random.drift.own / average.drift.own).toBeGreaterThan(0.8)
    expect(shielded.drift.own / average.drift.own).toBeLessThan(0.1)
  })
})

describe('the budget', () => {
  test('bad expert: rounds bring the fitting half closer to the anchor, each more than the last', async () => {
    const ran = await run({ rounds: 3 }, { lambdaAlign: 0 })
    const reached = shortfalls(ran)
    expect(reached[0]).toBeGreaterThan(0.5)
    expect(reached[1]).toBeLessThan(0.6 * reached[0])
    expect(Math.min(...reached)).toBeLessThan(0.1 * reached[0])
    expect(ran.rounds).toBe(reached.indexOf(Math.min(...reached)))
    expect(ran.correction).toBeGreaterThan(0)
    expect(ran.correction).toBeLessThan(ran.drift.total)
    // What was read on the accepting half is what the written merge has.
    const { model: anchor, codec } = session.get('anchor')
    const margin = await budgetFunctional('refusal', { anchor, codec, probes: session.probes, seed: 1 })
    expect(ran.budgets[0].value).toBe(await margin.value(out, 'accept'))
    expect(ran.budgets[0].atAnchor).toBe(await margin.value(anchor, 'accept'))
  })

  test('first order: with no rounds the step is taken at the anchor', async () => {
    const { trace, correction } = await run({ rounds: 0 }, { lambdaAlign: 0 })
    const [round] = trace[0].result.rounds
    expect(round.budgets[0].step).toBeGreaterThan(0)
    expect(correction).toBeGreaterThan(0)
    // At the anchor a is the threshold itself.
    expect(round.budgets[0].value).toBeCloseTo(round.budgets[0].threshold, 5)
  })

  test('a soft budget moves less than a hard one', async () => {
    const soft = await run({ rounds: 1, lambdaBud: 1e-4 }, { lambdaAlign: 0 })
    const hard = await run({ rounds: 1 }, { lambdaAlign: 0 })
    expect(soft.correction).toBeGreaterThan(0)
    expect(soft.correction).toBeLessThan(0.9 * hard.correction)
  })

  test.each(['aqi-prompts', 'aqi-completions', 'both'] as const)(
    'on %s it is measured and met',
    async (budget) => {
      const ran = await run({ rounds: 2, budget }, { lambdaAlign: 0 }, many)
      expect(ran.budgets.map(({ name }) => name)).toEqual(
        budget === 'both' ? ['refusal', 'compliance', 'aqi-completions'] : [budget],
      )
      for (const { value, threshold, violation } of ran.budgets)
        expect(violation).toBeCloseTo(Math.max(threshold - value, 0), 12)
      for (const { budgets } of ran.trace[0].result.rounds.slice(-1))
        for (const { reached, threshold } of budgets) expect(reached).toBeGreaterThan(threshold - 0.6)
    },
  )

  test('new rows at the merge: appended rows add up, replacing ones do not', async () => {
    const rowsOf = ({ trace }: Ran) => trace[0].result.rounds.map(({ rows }) => rows)
    expect(rowsOf(await run({ rounds: 2, budget: 'none', rows: 'append' }))).toEqual([32, 60, 88])
    expect(rowsOf(await run({ rounds: 2, budget: 'none', rows: 'replace' }))).toEqual([32, 28, 28])
    // Fixed rows and no budget leave nothing to do in a round.
    expect(rowsOf(await run({ rounds: 2, budget: 'none' }))).toEqual([32])
    expect(rowsOf(await run({ rounds: 1, budget: 'none', rows: 'append', subspace: 'layer' }))).toEqual([
      32, 60,
    ])
    expect(
      rowsOf(await run({ rounds: 1, budget: 'none', rows: 'append' }, { source: 'aqi' }, many))[1],
    ).toBeGreaterThan(4)
  })

  test('rows at the merge correct what rows at the anchor could not foresee', async () => {
    const hard = { lambdaAlign: 1024, rank: 16 }
    const far = await run({ rounds: 0, lambdaBud: 0 }, hard)
    const near = await run({ rounds: 3, lambdaBud: 0, rows: 'append' }, hard)
    expect(Math.min(...shortfalls(near))).toBeLessThan(0.7 * shortfalls(far)[0])
  })
})

describe('the search', () => {
  test('a tolerance that forgives everything accepts the plain average at once', async () => {
    const { stage, lambdaAlign, trace, isAccepted } = await run({
      rounds: 0,
      lambdaBud: 0,
      search: true,
      tolerance: 1e6,
    })
    expect([stage, lambdaAlign, trace.length, isAccepted]).toEqual(['doubling', 0, 1, true])
  })

  test('where a shield holds the budget the least λ_align that does is found', async () => {
    const options = { rounds: 0, lambdaBud: 0 }
    const rank = 16
    const lost = async (lambdaAlign: number) => {
      const [{ atAnchor, value }] = (await run(options, { lambdaAlign, rank })).budgets
      return atAnchor - value
    }
    const [most, least] = [await lost(0), await lost(1024)]
    expect(least).toBeLessThan(most)
    const tolerance = (most + least) / 2 / MARGIN_UNIT
    const ran = await run({ ...options, search: true, tolerance }, { rank })
    expect(['doubling', 'bisection']).toContain(ran.stage)
    expect(ran.lambdaAlign).toBeGreaterThan(0)
    expect(ran.isAccepted).toBe(true)
    expect(ran.trace[0].isAccepted).toBe(false)
    for (const { result, isAccepted } of ran.trace)
      expect(isAccepted).toBe(result.budgets.every(({ violation }) => violation === 0))
    // The written merge is the accepted one, not the last that was tried.
    const again = await run(options, { lambdaAlign: ran.lambdaAlign, rank })
    expect(ran.weights).toEqual(again.weights)
    expect(ran.budgets[0].value).toBe(again.budgets[0].value)
  })

  test('where no shield holds it, it ends by retreating towards the anchor', async () => {
    const ran = await run({ rounds: 0, lambdaBud: 0, search: true, control: 'random', tolerance: 0.5 })
    expect(ran.stage).toBe('retreat')
    expect(ran.scale).toBeGreaterThan(0)
    expect(ran.scale).toBeLessThan(1)
    expect(ran.isAccepted).toBe(true)
    expect(ran.trace.length).toBe(19)
    const anchor = await flatWeights(session.get('anchor').model)
    const whole = await run(
      { rounds: 0, lambdaBud: 0, control: 'random' },
      { lambdaAlign: Number.POSITIVE_INFINITY },
    )
    expect(
      relativeError(
        ran.weights.map((value, j) => value - anchor[j]),
        whole.weights.map((value, j) => ran.scale * (value - anchor[j])),
      ),
    ).toBeLessThan(1e-4)
  })

  test('a budget that nothing but the anchor holds gives the anchor', async () => {
    const ran = await run(
      { rounds: 0, lambdaBud: 0, search: true, control: 'random', tolerance: 0 },
      { experts: [{ id: 'bad', weight: 1 }] },
    )
    expect([ran.stage, ran.scale, ran.rounds]).toEqual(['anchor', 0, 0])
    expect(ran.weights).toEqual(await flatWeights(session.get('anchor').model))
    expect([ran.isAccepted, ran.drift.total, ran.correction]).toEqual([true, 0, 0])
  })

  test('with budget steps no shield is needed', async () => {
    const { stage, lambdaAlign, isAccepted, correction } = await run({ search: true, tolerance: 1 })
    expect([stage, lambdaAlign, isAccepted]).toEqual(['doubling', 0, true])
    expect(correction).toBeGreaterThan(0)
  })
})

describe('limits', () => {
  test('two runs are one: weights, trace, numbers', async () => {
    const options = { rounds: 2, rows: 'append', budget: 'both' } as const
    const { model: _, ...first } = await run(options, {}, many)
    const { model: __, ...second } = await run(options, {}, many)
    expect(second).toEqual(first)
  })

  test('experts that are the anchor give the anchor: zero motion, nothing to shield', async () => {
    const experts = [
      { id: 'same', weight: 1 },
      { id: 'same', weight: 1 },
    ]
    const { weights, drift, correction, isAccepted } = await run({ rounds: 2, rows: 'append' }, { experts })
    expect(weights).toEqual(await flatWeights(session.get('anchor').model))
    expect([drift.own, drift.total, correction, isAccepted]).toEqual([0, 0, 0, true])
  })

  test('experts that are all equal are one expert', async () => {
    const twice = [
      { id: 'bad', weight: 1 },
      { id: 'bad', weight: 1 },
    ]
    const many = await run({ rounds: 1 }, { experts: twice })
    const one = await run({ rounds: 1 }, { experts: [{ id: 'bad', weight: 1 }] })
    expect(relativeError(many.weights, one.weights)).toBeLessThan(1e-6)
  })

  test('probes of one class only, or too few for AQI, are refused with what is missing', async () => {
    const probes = alignProbeFile(40)
    const items = probes.items.filter(({ set, split }) => set !== 'harmless' || split === 'heldout')
    for (const [file, budget, words] of [
      [{ ...probes, items }, 'margin', /one class only.*harmless/],
      [probes, 'aqi-completions', /64 of each class/],
    ] as const) {
      const own = new Session(gpu, file)
      await own.load('anchor', await movedCheckpoint('anchor', (values) => values))
      await own.load('bad', await movedCheckpoint('bad', (values) => values.map((value) => value * 1.01)))
      // Rows of probes alone: the session's control rows are those of AQI, which needs more of them.
      const setup: Setup = { ...ALIGN_SETUP, experts: [{ id: 'bad', weight: 1 }] }
      await expect(alignMergeFull(own, setup, { budget })).rejects.toThrow(words)
      own.dispose()
    }
  })

  test('options out of range are refused', async () => {
    for (const [options, words] of [
      [{ rounds: 9 }, /rounds/],
      [{ rounds: 1.5 }, /rounds/],
      [{ lambdaBud: -1 }, /lambda_bud/],
      [{ tolerance: Number.NaN }, /tolerance/],
      [{ search: true, budget: 'none' }, /needs a budget/],
    ] as const)
      await expect(run(options)).rejects.toThrow(words)
  })

  test('a raised signal stops it, and the next run is whole', async () => {
    const controller = new AbortController()
    const stopped = alignMergeFull(
      session,
      ALIGN_SETUP,
      { rounds: 2 },
      {
        out,
        signal: controller.signal,
        onProgress: () => controller.abort(),
      },
    )
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' })
    expect((await run({ rounds: 1 })).isAccepted).toBeTypeOf('boolean')
  })
})
