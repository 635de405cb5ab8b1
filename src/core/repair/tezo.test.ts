import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { flatWeights } from '../../testing/tinyMerge.ts'
import { REPAIR_PROBES, tinyRepairSession } from '../../testing/tinyRepair.ts'
import { sequenceLosses } from '../evaluate/sequenceLosses.ts'
import type { Session, SessionModel } from '../session/session.ts'
import { completionSequence, repairHalves } from './repairProbes.ts'
import { TEZO_DEFAULTS, type TezoOptions, tezoPolish } from './tezo.ts'

const OPTIONS: TezoOptions = {
  ...TEZO_DEFAULTS,
  rank: 4,
  steps: 40,
  rate: 0.1,
  momentum: 0,
  batchPairs: 12,
  checkEvery: 10,
  seed: 1,
}

let session: Session
let merge: SessionModel
beforeAll(async () => {
  session = await tinyRepairSession('bf16')
  merge = session.get('one')
})
afterAll(() => {
  const { gpu } = session
  session.dispose()
  gpu.close()
})
const polish = (change: Partial<TezoOptions> = {}) =>
  tezoPolish(merge.model, merge.codec, REPAIR_PROBES, { ...OPTIONS, ...change })

describe('tezoPolish', () => {
  it('lowers J′ on probes it never descended, by forward passes alone, and leaves the merge as it was', async () => {
    const before = await flatWeights(merge.model)
    const { model, checks, bestStep, trace, forwardPasses } = await polish()
    expect(checks.map(({ step }) => step)).toEqual([0, 10, 20, 30, 40])
    const best = checks.find(({ step }) => step === bestStep)!
    expect(bestStep).toBeGreaterThan(0)
    expect(best.total).toBeLessThan(0.93 * checks[0].total)
    expect(best.total).toBe(Math.min(...checks.map(({ total }) => total)))
    expect(forwardPasses).toBe(80)
    expect(trace.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
    expect(await flatWeights(merge.model)).toEqual(before)
    // What is handed over is what was checked: the stored model, rounding included.
    expect(model.type).toBe('bf16')
    const { accept } = repairHalves(REPAIR_PROBES, 1)
    const sequences = accept.harmful.map((one) => completionSequence(merge.codec, one.prompt, one.aligned))
    const losses = await sequenceLosses(model, sequences)
    expect(losses.reduce((sum, loss) => sum + loss, 0) / losses.length).toBeCloseTo(best.harmful, 6)
    model.dispose()
  })

  it('is a pure function of its seed, and redraws its factors when told to', async () => {
    const [a, b, c, d] = [
      await polish({ steps: 12 }),
      await polish({ steps: 12 }),
      await polish({ steps: 12, redraw: 5 }),
      await polish({ steps: 2, seed: 2 }),
    ]
    expect(b.checks).toEqual(a.checks)
    expect(await flatWeights(b.model)).toEqual(await flatWeights(a.model))
    expect(c.trace.slice(0, 5)).toEqual(a.trace.slice(0, 5))
    expect(c.trace[5]).not.toEqual(a.trace[5])
    expect(c.trace).toHaveLength(12)
    expect(d.trace[0]).not.toEqual(a.trace[0])
    for (const { model } of [a, b, c, d]) model.dispose()
  })

  it('hands back the merge itself where no step was better', async () => {
    const { model, bestStep, checks } = await polish({ rate: 50, steps: 10 })
    expect(bestStep).toBe(0)
    expect(checks[1].total).toBeGreaterThan(checks[0].total)
    expect(await flatWeights(model)).toEqual(await flatWeights(merge.model))
    model.dispose()
    const still = await polish({ steps: 0 })
    expect(still.checks).toHaveLength(1)
    still.model.dispose()
  })

  it('stops when told and refuses settings out of range', async () => {
    await expectFailure(polish({ signal: AbortSignal.abort() }), 'cancelled')
    const aborter = new AbortController()
    const stopped = polish({ signal: aborter.signal, onProgress: (done) => done === 3 && aborter.abort() })
    await expectFailure(stopped, 'cancelled')
    for (const wrong of [{ rank: 0 }, { batchPairs: 0 }, { checkEvery: 0.5 }, { redraw: -1 }, { rate: 0 }])
      await expectFailure(polish(wrong), 'request-invalid')
  })
})
