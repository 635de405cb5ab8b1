import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { flatWeights, spansOf } from '../../testing/tinyMerge.ts'
import { relativeError } from '../../testing/tinyModels.ts'
import { REPAIR_PROBES, REPAIR_SETUP, tinyRepairSession } from '../../testing/tinyRepair.ts'
import { sequenceLosses } from '../evaluate/sequenceLosses.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import type { Session, SessionModel } from '../session/session.ts'
import { decisionMargins } from './accept.ts'
import { ANTIDOTE_BUDGET, type Antidote, type AntidoteOptions, antidote } from './antidote.ts'
import { antidoteTerms, type RowPlan } from './antidoteRows.ts'
import { repairHalves } from './repairProbes.ts'

let session: Session
let merge: SessionModel
let start: Float64Array
beforeAll(async () => {
  session = await tinyRepairSession()
  merge = session.get('one')
  start = await flatWeights(merge.model)
})
afterAll(() => {
  const { gpu } = session
  session.dispose()
  gpu.close()
})

const SMALL = { setup: REPAIR_SETUP, perKind: 8, spared: 1, sparedMargins: 2 }
async function using<T>(change: Partial<AntidoteOptions>, use: (made: Antidote) => Promise<T>): Promise<T> {
  const made = await antidote(session, merge.model, { ...SMALL, ...(change as Partial<RowPlan>) })
  try {
    return await use(made)
  } finally {
    made.dispose()
  }
}
const norm = (values: Float64Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))

/** Losses of the rows of a plan at a model: row 0 the target, then what is spared. */
async function rowLosses(model: DeviceModel, change: Partial<AntidoteOptions>): Promise<number[]> {
  const plan = { target: 'margin' as const, tokens: 1, harmful: 8, ...SMALL, ...(change as Partial<RowPlan>) }
  const { terms, count } = antidoteTerms(merge.codec, repairHalves(REPAIR_PROBES, 1).estimate, plan)
  const losses = await sequenceLosses(
    model,
    terms.map(({ sequence }) => sequence),
  )
  const sums = new Array<number>(count).fill(0)
  const positive = new Array<number>(count).fill(0)
  terms.forEach(({ row, sign }, i) => {
    sums[row] += sign * losses[i]
    if (sign > 0) positive[row]++
  })
  return sums.map((sum, row) => sum / positive[row])
}

describe('the slider', () => {
  it('writes θ + ρ d/‖d‖ and nothing at 0, over matrices inside layers alone', async () => {
    await using({}, async (made) => {
      expect(await flatWeights(made.apply(0))).toEqual(start)
      const one = (await flatWeights(made.apply(0.5))).map((value, i) => value - start[i])
      expect(norm(one)).toBeCloseTo(0.5, 5)
      const two = (await flatWeights(made.apply(-1))).map((value, i) => value - start[i])
      expect(
        relativeError(
          two,
          one.map((value) => -2 * value),
        ),
      ).toBeLessThan(1e-5)
      for (const { name, start: from, end } of spansOf(merge.model)) {
        const moves = name.includes('layers') && !name.includes('norm')
        expect(norm(one.slice(from, end)) > 0, name).toBe(moves)
      }
      expect(made.length).toBeCloseTo(1, 5)
      expect(() => made.apply(Number.NaN)).toThrow(/number/)
    })
    expect(await flatWeights(merge.model)).toEqual(start)
  })

  it('shows the length of every tensor, which add up to ρ', async () => {
    await using({}, async (made) => {
      const moved = (await flatWeights(made.apply(0.3))).map((value, i) => value - start[i])
      const map = made.affinity()
      for (const { name, layer, start: from, end } of spansOf(merge.model)) {
        const entry = map.find((one) => one.name === name)!
        expect(entry.layer).toBe(layer)
        expect(Math.abs(entry.length - norm(moved.slice(from, end))), name).toBeLessThan(1e-5)
        expect(entry.metricLength > 0).toBe(entry.length > 0)
      }
      expect(Math.sqrt(map.reduce((sum, { length }) => sum + length ** 2, 0))).toBeCloseTo(0.3, 6)
    })
  })

  it('takes seeded noise for a control, over the same tensors and to the same length', async () => {
    const noise = (seed: number) =>
      using({ target: 'noise', setup: { ...REPAIR_SETUP, seed } }, async (made) =>
        (await flatWeights(made.apply(0.5))).map((value, i) => value - start[i]),
      )
    const [a, b, c] = [await noise(1), await noise(1), await noise(2)]
    expect(norm(a)).toBeCloseTo(0.5, 5)
    expect(b).toEqual(a)
    expect(c).not.toEqual(a)
    for (const { name, start: from, end } of spansOf(merge.model))
      expect(norm(a.slice(from, end)) > 0, name).toBe(name.includes('layers') && !name.includes('norm'))
  })

  it('moves all tensors when told to', async () => {
    await using({ moves: () => true }, async (made) => {
      made.apply(1)
      expect(made.affinity().every(({ length }) => length > 0)).toBe(true)
    })
  })
})

describe('the direction', () => {
  it.each<[string, Partial<AntidoteOptions>]>([
    ['margin, one-sided', {}],
    ['margin, two-sided', { protection: 'two-sided' }],
    [
      'harmful completions in full, unprotected, identity',
      {
        target: 'harmful',
        tokens: Number.POSITIVE_INFINITY,
        protection: 'none',
        setup: { ...REPAIR_SETUP, metric: 'identity' },
      },
    ],
    ['two-sided over all tensors', { protection: 'two-sided', moves: () => true }],
  ])('changes each loss to first order as its slopes say: %s', async (_, change) => {
    await using(change, async (made) => {
      const { slopes, norm: metricNorm } = made.direction
      const unit = 1 / norm((await flatWeights(made.apply(1))).map((value, i) => value - start[i]))
      const h = 4e-3
      const [up, down] = [await rowLosses(made.apply(h), change), await rowLosses(made.apply(-h), change)]
      // d of the page is unit length; slopes are per G⁻¹Aᵀα.
      const plain = norm(await fullDirection(made)) || 1
      const measured = up.map((value, i) => (value - down[i]) / (2 * h))
      const expected = Array.from(slopes, (slope) => slope / plain)
      expect(unit).toBeCloseTo(1, 4)
      expect(metricNorm).toBeGreaterThan(0)
      for (const [i, slope] of expected.entries())
        expect(Math.abs(measured[i] - slope), `row ${i}`).toBeLessThan(0.03 * Math.abs(expected[0]))
      expect(expected[0]).toBeGreaterThan(0)
      for (const slope of expected.slice(1)) {
        if (made.direction.kept === 1) continue
        if (change.protection === 'two-sided') expect(Math.abs(slope)).toBeLessThan(1e-3 * expected[0])
        else expect(slope).toBeLessThan(1e-3 * expected[0])
      }
    })
  })

  /** G⁻¹Aᵀα in full length: ‖d‖_G over ‖d/‖d‖‖_G is ‖d‖. */
  async function fullDirection(made: Antidote): Promise<Float64Array> {
    made.apply(1)
    const metricLength = Math.sqrt(made.affinity().reduce((sum, one) => sum + one.metricLength ** 2, 0))
    return Float64Array.of(made.direction.norm / metricLength)
  }

  it('under protection keeps less and harms less', async () => {
    const free = await using({ protection: 'none' }, async (made) => [...made.direction.slopes])
    await using({ protection: 'two-sided' }, async (made) => {
      expect(made.direction.kept).toBeLessThan(1)
      expect(made.direction.slopes[0]).toBeLessThan(free[0])
    })
    expect(free.slice(1).some((slope) => Math.abs(slope) > 1e-3 * free[0])).toBe(true)
  })
})

describe('the search', () => {
  const budget = { ...ANTIDOTE_BUDGET, largest: 0.5, helpSlack: 1, benignSlack: 100, spare: 0.25 }

  it('meets its budget with a short step and leaves the model there', async () => {
    await using({}, async (made) => {
      made.apply(0)
      const before = await made.accept(budget)
      const margin = before.margin + 0.3
      const { stage, after, length, rounds } = await made.search({ ...budget, margin })
      expect(stage).toBe('met')
      expect(after.margin).toBeGreaterThanOrEqual(margin)
      expect(length).toBeGreaterThan(0)
      expect(rounds).toHaveLength(1)
      expect((await made.accept(budget)).margin).toBe(after.margin)
      const shorter = rounds[0].trace.filter(({ rho }) => rho < rounds[0].rho)
      expect(shorter.every(({ measure }) => measure.margin < margin)).toBe(true)
    })
  })

  it('takes the gradient anew each round, and adds what the rounds found', async () => {
    await using({}, async (made) => {
      made.apply(0)
      const { margin } = await made.accept(budget)
      const outcome = await made.search({ ...budget, margin: margin + 1.5, rounds: 3 })
      expect(outcome.rounds.length).toBeGreaterThan(1)
      const goals = outcome.rounds.map(({ measure }) => measure.margin)
      expect(goals).toEqual([...goals].sort((a, b) => a - b))
      expect(outcome.rounds[1].trace[0].measure.margin).toBeCloseTo(goals[0], 4)
      const now = (await made.accept(budget)).margin
      expect(now).toBeCloseTo(outcome.after.margin, 6)
      const last = await flatWeights(made.apply(outcome.rounds.at(-1)!.rho))
      expect(norm(last.map((value, i) => value - start[i]))).toBeCloseTo(outcome.length, 5)
      expect(outcome.length).toBeLessThan(outcome.rounds.reduce((sum, { rho }) => sum + rho, 0) + 1e-6)
    })
  })

  it('moves nothing where the budget is met, and says where it cannot be', async () => {
    await using({}, async (made) => {
      expect(await made.search({ ...budget, margin: -1e3 })).toMatchObject({
        stage: 'already met',
        length: 0,
      })
      expect(await made.search({ ...budget, margin: 1e3 })).toMatchObject({ stage: 'out of reach' })
      const bound = await made.search({ ...budget, margin: 1e3, benignSlack: 0, helpSlack: 0 })
      expect(bound.after.benignLoss).toBeLessThanOrEqual(bound.before.benignLoss)
      await expectFailure(made.search({ ...budget, rounds: 0 }), 'request-invalid')
    })
  })

  it('never reads held-out probes', async () => {
    const run = () => using({}, (made) => made.search({ ...budget, margin: 1 }))
    const whole = await run()
    const { items } = REPAIR_PROBES
    REPAIR_PROBES.items = items.filter(({ split }) => split === 'estimate')
    try {
      expect(await run()).toEqual(whole)
    } finally {
      REPAIR_PROBES.items = items
    }
  })

  it('stops when told and leaves no buffers behind', async () => {
    const aborter = new AbortController()
    await using({ signal: aborter.signal }, async (made) => {
      aborter.abort()
      await expectFailure(made.search(budget), 'cancelled')
    })
    await expectFailure(antidote(session, merge.model, { ...SMALL, signal: aborter.signal }), 'cancelled')
  })
})

it('margins are differences of the first tokens’ losses', async () => {
  const { accept } = repairHalves(REPAIR_PROBES, 1)
  const margins = await decisionMargins(merge.model, merge.codec, accept.harmful, 2)
  const [first] = accept.harmful
  const losses = await sequenceLosses(
    merge.model,
    [first.misaligned!, first.aligned].map((completion) => {
      const before = merge.codec.encodePrompt(first.prompt)
      const ids = [...before, ...merge.codec.encodeCompletion(completion).slice(0, 2)]
      return { ids, firstTarget: before.length }
    }),
  )
  expect(margins).toHaveLength(12)
  expect(margins[0]).toBeCloseTo(losses[0] - losses[1], 5)
})

it('deals every probe of a kind to one of its rows, rows in order', () => {
  const { estimate } = repairHalves(REPAIR_PROBES, 1)
  const plan = { target: 'harmful' as const, tokens: 2, harmful: 5, spared: 2, sparedMargins: 3, perKind: 8 }
  const { terms, count } = antidoteTerms(merge.codec, estimate, plan)
  // One row of harmful completions, three of margins, two each of harmless requests and of both skills.
  expect(count).toBe(1 + 3 + 2 + 2 + 2)
  const rows = Array.from({ length: count }, (_, row) => terms.filter((term) => term.row === row).length)
  expect(rows).toEqual([5, ...[6, 6, 4], ...[4, 4], ...[2, 1], ...[2, 1]])
  expect(terms.map(({ row }) => row)).toEqual(terms.map(({ row }) => row).sort((a, b) => a - b))
  const texts = terms
    .slice(5, 21)
    .map(({ sequence, sign }) => `${sign} ${Array.from(sequence.ids).join(' ')}`)
  expect(new Set(texts).size).toBe(16)
  expect(terms.filter(({ sign }) => sign < 0)).toHaveLength(8)
})
