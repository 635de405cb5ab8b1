// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest'
import type { Experiment, ModelSummary, Subject } from '../../../workers/api.ts'
import { measurementKey } from '../../share/experimentKey.ts'
import { measurementId } from '../../share/measurement.ts'
import { packResults } from '../../share/results.ts'
import { setNumber } from '../actions/recipe.ts'
import { currentMerge } from '../plan.ts'
import { selectCast, selectShownCast } from '../selectors.ts'
import { readState } from '../store.ts'
import { fakeResults } from '../testing/fakeResults.ts'
import { begin, experiment, resetStudio, runs, settle } from '../testing/freshStudio.ts'
import { receiveResults, recompute } from './actions.ts'
import { provenanceOf, selectShown, selectShownGeometry } from './received.ts'

resetStudio()

const cast = (): ModelSummary[] => {
  const found = selectCast(readState().models.list, experiment())!
  return [found.anchor, ...found.experts]
}

const packedRun = (asked: Experiment, shift = 0): unknown =>
  JSON.parse(JSON.stringify(packResults(fakeResults(asked, shift))))

const shown = () => selectShown(runs())
const idOf = (subject: Subject) => measurementId(measurementKey(experiment(), subject), subject)
const anchorId = () => cast()[0]!.id
const refusalOf = (subject: Subject) => {
  const estimate = shown()[idOf(subject)]?.behaviour.refusal
  return estimate && 'value' in estimate ? estimate.value : undefined
}

describe('results of a link', () => {
  it('are on the page before anything is computed, and give way to own ones', async () => {
    const engine = begin({ stepMs: 400 })
    await settle(3000)
    const merge = currentMerge(experiment())
    expect(refusalOf(merge)).toBeUndefined()
    await receiveResults('link', packedRun(experiment(), 0.2), experiment())
    const fromLink = refusalOf(merge)!
    expect(provenanceOf(runs(), experiment(), merge, 'behaviour')).toBe('link')
    await settle(120_000)
    expect(provenanceOf(runs(), experiment(), merge, 'behaviour')).toBe('own')
    expect(refusalOf(merge)! - fromLink).toBeCloseTo(0.2, 2)
    expect(engine.calls.filter((name) => name === 'measure').length).toBeGreaterThan(20)
  })

  it('need no engine: models and geometry come with them', async () => {
    begin()
    await settle()
    const [asked, models] = [experiment(), cast()]
    await receiveResults('link', packedRun(asked), asked)
    expect(selectShownCast([], runs().received, asked)?.experts.map(({ name }) => name)).toEqual(
      models.slice(1).map(({ name }) => name),
    )
    const without = { geometries: {}, received: runs().received }
    expect(selectShownGeometry(without, asked)).toMatchObject({ source: 'link' })
    expect(selectShownGeometry({ ...without, received: [] }, asked)).toBeUndefined()
    // Of another experiment they say nothing.
    expect(selectShownGeometry(without, { ...asked, seed: 7 })).toBeUndefined()
  })

  it('that are wrong are refused whole, with the reason', async () => {
    begin()
    await settle()
    const packed = packedRun(experiment()) as { rows: { drift?: unknown[] }[] }
    packed.rows.at(-1)!.drift![0] = -1
    expect(await receiveResults('link', packed, experiment())).toBe(false)
    expect(runs().received).toEqual([])
    expect(runs().errors.at(-1)?.failure.message).toContain('drift[0]')
  })
})

describe('results that ship', () => {
  it('are not computed again, until the user asks', async () => {
    const engine = begin({ stepMs: 400 })
    while (readState().recipe.experiment === null) await settle(10)
    const before = engine.calls.filter((name) => name === 'measure').length
    await receiveResults('shipped', packedRun(experiment(), 0.2), experiment())
    await settle(60_000)
    expect(engine.calls.filter((name) => name === 'measure').length - before).toBeLessThanOrEqual(1)
    expect(engine.calls).not.toContain('prepare')
    const anchor: Subject = { kind: 'model', id: anchorId() }
    expect(provenanceOf(runs(), experiment(), anchor, 'behaviour')).toBe('shipped')
    recompute()
    await settle(120_000)
    expect(engine.calls).toContain('prepare')
    expect(provenanceOf(runs(), experiment(), anchor, 'behaviour')).toBe('own')
    expect(provenanceOf(runs(), experiment(), currentMerge(experiment()), 'drift')).toBe('own')
  })

  it('leave what they do not hold to the engine', async () => {
    const engine = begin()
    while (readState().recipe.experiment === null) await settle(10)
    const asked = experiment()
    await receiveResults('shipped', packedRun(asked), asked)
    engine.calls.length = 0
    setNumber('lambdaAlign', 3.25)
    await settle(60_000)
    // Drift, AQI, behaviour and the scores of its answers, of this one merge.
    expect(engine.calls.filter((name) => name === 'measure')).toHaveLength(4)
    expect(engine.calls).toContain('prepare')
    expect(provenanceOf(runs(), experiment(), currentMerge(experiment()), 'aqi')).toBe('own')
  })
})
