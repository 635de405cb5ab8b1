// Rounds by themselves, on a budget whose shape is known: a(δ) = −(m(δ) − c)², m the refusal margin. Its slope
// promises half the way to c, so that the step stretched twice nearly arrives and one stretched further has gone too
// far.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { ALIGN_SETUP, alignSession } from '../../testing/alignSession.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { flatRows, flatWeights, inner } from '../../testing/tinyMerge.ts'
import { relativeError } from '../../testing/tinyModels.ts'
import { destroyBuffers, identityMetric } from '../geometry/metric.ts'
import type { Gpu } from '../gpu/device.ts'
import { combine } from '../kernels/elementwise/elementwise.ts'
import { DeviceModel, paddedCount } from '../model/deviceModel.ts'
import { createGradients } from '../model/gradientSink.ts'
import { type BudgetFunctional, budgetFunctional } from './alignBudget.ts'
import { decisionItem, decisionRows, decisionScores } from './alignDecision.ts'
import { type AlignMergeOptions, DEFAULT_ALIGN_OPTIONS } from './alignOptions.ts'
import { halfOf } from './alignProbes.ts'
import { AlignRounds, type RowSource } from './alignRounds.ts'
import { rowSourceOf } from './alignRowSource.ts'
import { computeGeometry } from './geometry.ts'
import type { Session } from './session.ts'

let gpu: Gpu
let session: Session
let margin: BudgetFunctional
beforeAll(async () => {
  gpu = await openTestDevice()
  session = await alignSession(gpu, 40)
  const { model, codec } = session.get('anchor')
  margin = await budgetFunctional('refusal', { anchor: model, codec, probes: session.probes, seed: 1 })
})
afterAll(() => {
  session?.dispose()
  gpu?.close()
})

/** −(m − c)², met at τ = −1e-4. */
function parabola(c: number): BudgetFunctional {
  return {
    name: 'refusal',
    unit: 1,
    atAnchor: { fit: -1e-4, accept: -1e-4 },
    value: async (model, half) => -(((await margin.value(model, half)) - c) ** 2),
    async linearise(model, options) {
      const { value, rows } = await margin.linearise(model, options)
      const scaled = createGradients(gpu, model.config)
      for (const { spec, count } of model.tensors.values())
        gpu.run(
          combine,
          { count: paddedCount(count), alpha: -2 * (value - c), beta: 0 },
          { a: rows.rows.get(spec.name)!, b: rows.rows.get(spec.name)!, out: scaled.get(spec.name)! },
        )
      await gpu.idle()
      destroyBuffers(rows.rows)
      return { value: -((value - c) ** 2), rows: { count: 1, rows: scaled } }
    },
  }
}

async function run(
  c: number,
  change: Partial<AlignMergeOptions>,
  more: { functionals?: BudgetFunctional[]; rowSource?: RowSource } = {},
) {
  const { model: anchor } = session.get('anchor')
  const out = new DeviceModel(gpu, anchor.config, anchor.type)
  const rows = await session.alignmentRows('anchor', 'unwanted', 'estimate', 1)
  const geometry = await computeGeometry({
    anchor,
    experts: ALIGN_SETUP.experts.map(({ id }) => session.get(id).model),
    metric: identityMetric(anchor),
    rows: { own: rows, heldOut: rows, other: rows },
  })
  const rounds = await AlignRounds.create({
    geometry,
    weights: [0.25, 0.75],
    rank: 4,
    options: { ...DEFAULT_ALIGN_OPTIONS, ...change },
    firstRows: rows,
    functionals: [parabola(c)],
    out,
    ...more,
  })
  return { rounds, out }
}

test('a step is stretched while that helps, and the next round starts at the best length', async () => {
  const start = await margin.value(session.get('anchor').model, 'fit')
  const { rounds, out } = await run(start + 2, { rounds: 3 })
  const solved = await rounds.solve(0)
  const values = solved.rounds.map(({ budgets: [budget] }) => budget)
  expect(values.length).toBeGreaterThan(2)
  expect(values[1].reached / values[0].reached).toBeLessThan(0.15)
  for (let i = 1; i < values.length; i++) expect(values[i].value).toBeCloseTo(values[i - 1].reached, 5)
  // What is left in `out` is the round that was kept.
  const kept = values[solved.round].reached
  expect(kept).toBe(Math.max(...values.map(({ reached }) => reached)))
  expect(-(((await margin.value(out, 'fit')) - start - 2) ** 2)).toBeCloseTo(kept, 6)
  rounds.dispose()
})

test('a soft budget is not stretched', async () => {
  const start = await margin.value(session.get('anchor').model, 'fit')
  const { rounds } = await run(start + 2, { rounds: 1, lambdaBud: 1e9 })
  const { rounds: soft } = await rounds.solve(0)
  // About half the way: a quarter of the parabola and a little more is left, since m itself saturates.
  const left = soft[1].budgets[0].reached / soft[0].budgets[0].reached
  expect(left).toBeGreaterThan(0.2)
  expect(left).toBeLessThan(0.4)
  rounds.dispose()
})

test('a merge at a share of its way is that share of its displacement', async () => {
  const start = await margin.value(session.get('anchor').model, 'fit')
  const { rounds, out } = await run(start + 2, { rounds: 2 })
  const { b } = await rounds.solve(4)
  const anchor = await flatWeights(session.get('anchor').model)
  const whole = (await flatWeights(out)).map((value, j) => value - anchor[j])
  rounds.write(b, 0.25)
  const part = (await flatWeights(out)).map((value, j) => value - anchor[j])
  expect(
    relativeError(
      part,
      whole.map((value) => value / 4),
    ),
  ).toBeLessThan(1e-5)
  rounds.write(b, 0)
  expect(await flatWeights(out)).toEqual(anchor)
  rounds.dispose()
})

test('rows taken at the merge undo, to first order, the change that was measured there', async () => {
  const { model: anchor, codec } = session.get('anchor')
  const picked = halfOf(session.probes, 'harmful', 'fit', 1).slice(0, 3)
  const source = await rowSourceOf('margin', { anchor, codec, probes: session.probes, seed: 1 })
  const atAnchor = source.atAnchor!.slice(0, picked.length)
  let seen: { rows: Float64Array[]; weights: Float64Array; changes: number[] } | undefined
  const rowSource: RowSource = {
    atAnchor,
    async linearise(model) {
      const items = picked.map((probe) => decisionItem(codec, probe))
      const scores = await decisionScores(model, items)
      const parts = scores.map((score, row) => ({ row, factor: 1, score }))
      const rows = await decisionRows(model, parts, picked.length, {})
      const values = scores.map(({ value }) => value)
      seen = {
        rows: await flatRows(model, rows),
        weights: await flatWeights(model),
        changes: values.map((value, j) => value - atAnchor[j]),
      }
      return { values, rows }
    },
  }
  const { rounds, out } = await run(0, { rounds: 1, rows: 'replace' }, { functionals: [], rowSource })
  await rounds.solve(Number.POSITIVE_INFINITY)
  const after = await flatWeights(out)
  const step = after.map((value, j) => value - seen!.weights[j])
  expect(Math.max(...seen!.changes.map(Math.abs))).toBeGreaterThan(0.1)
  seen!.rows.forEach((row, j) => {
    expect(inner(row, step) / -seen!.changes[j]).toBeCloseTo(1, 3)
  })
  rounds.dispose()
})
