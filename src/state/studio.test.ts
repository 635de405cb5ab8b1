// @vitest-environment happy-dom
// The whole state against an engine that makes its numbers up: order of work, staleness, cancel, errors, loss.
import { describe, expect, it, vi } from 'vitest'
import { EngineError } from '../core/errors.ts'
import { encodeLink } from '../share/codec.ts'
import { mergeKey } from '../share/experimentKey.ts'
import { sweepGrid } from '../share/parameters.ts'
import { acceptPart } from './actions/events.ts'
import { closeModel, openFolder } from './actions/models.ts'
import {
  addExpert,
  redistribute,
  removeExpert,
  setAnchor,
  setMethod,
  setNumber,
  setWeight,
} from './actions/recipe.ts'
import { askAll } from './actions/requests.ts'
import { runAgain, stopAll } from './actions/runner.ts'
import { askSelfTest } from './actions/selfTest.ts'
import { reopenEngine, startStudio } from './actions/start.ts'
import { allTasks, sweepOrder } from './plan.ts'
import { selectMergeMeasurement, selectSweep } from './selectors.ts'
import { initialState, readState, useStudio } from './store.ts'
import { fakeParts } from './testing/fakeData.ts'
import { createFakeEngine } from './testing/fakeEngine.ts'
import { begin, experiment, resetStudio, runs, settle, stopStudio, stopWith } from './testing/freshStudio.ts'

resetStudio()

describe('start', () => {
  it('opens anchor and two task experts in equal parts and measures everything', async () => {
    begin()
    await settle()
    expect(experiment()).toMatchObject({
      anchor: { id: 'anchor' },
      experts: [
        { origin: { id: 'task-sort' }, weight: 0.5 },
        { origin: { id: 'task-reverse' }, weight: 0.5 },
      ],
      lambdaAlign: 4,
    })
    expect(selectSweep(runs().measurements, experiment()).map((point) => point.lambdaAlign)).toEqual(
      sweepGrid,
    )
    const tasks = allTasks(experiment(), 'anchor', ['task-sort', 'task-reverse'])
    const complete = Object.values(runs().measurements).flatMap((measurement) => measurement.complete)
    expect(complete).toHaveLength(tasks.length - 1)
    expect(runs().job).toBeNull()
    expect(runs().written?.key).toBe(mergeKey(experiment()))
  })

  it('visits every point of the sweep once', () => {
    expect([...sweepOrder].sort((a, b) => a - b)).toEqual(sweepGrid)
  })

  it('takes the experiment of a link and writes changes back to it', async () => {
    begin()
    await settle(2000)
    const linked = { ...experiment(), lambdaAlign: 64, rank: 3 }
    stopStudio()
    history.replaceState(
      null,
      '',
      encodeLink({ experiment: linked, view: { page: 'studio', aqiView: 'prompts', prompt: 'hi' } }),
    )
    useStudio.setState(initialState(), true)
    begin()
    await settle()
    expect(experiment()).toEqual(linked)
    expect(readState().view).toMatchObject({ aqiView: 'prompts', prompt: 'hi' })
    setNumber('lambdaAlign', 2)
    await settle(1000)
    // What stands in the prompt field is nobody's but the reader's.
    expect(location.hash).toBe(
      encodeLink({ experiment: experiment(), view: { page: 'studio', aqiView: 'prompts', prompt: '' } }),
    )
  })

  it('explains a link it cannot read and goes on with the default', async () => {
    history.replaceState(null, '', '#v9.abc')
    begin()
    await settle()
    expect(experiment().lambdaAlign).toBe(4)
    expect(runs().errors).toMatchObject([{ failure: { code: 'link-invalid' } }])
  })

  it('says so where there is no WebGPU', async () => {
    begin({ openError: new EngineError('gpu-unavailable', 'no adapter') })
    await settle()
    expect(readState().models.engine).toEqual({ kind: 'unsupported', reason: 'no adapter' })
  })
})

describe('results', () => {
  it('never answer for another experiment', async () => {
    begin()
    await settle()
    const before = experiment()
    setWeight(0, 0.9)
    await vi.advanceTimersByTimeAsync(1)
    expect(selectSweep(runs().measurements, experiment())).toEqual([])
    // A part of the old weights arrives late: filed under its own key, not shown.
    for (const part of fakeParts(before, { kind: 'merge', lambdaAlign: 3 }, 'aqi')) acceptPart(part)
    expect(selectSweep(runs().measurements, experiment())).toEqual([])
    expect(selectSweep(runs().measurements, before).map((point) => point.lambdaAlign)).toContain(3)
  })

  it('that nobody asked for are dropped', async () => {
    begin()
    await settle()
    const before = runs().measurements
    const foreign = { ...experiment(), seed: 77 }
    for (const part of fakeParts(foreign, { kind: 'model', id: 'anchor' }, 'aqi')) acceptPart(part)
    expect(runs().measurements).toBe(before)
  })

  it('of whole models outlive a change of weights, and all outlive a return', async () => {
    const engine = begin()
    await settle()
    setWeight(0, 0.9)
    await settle()
    const measured = engine.calls.filter((call) => call === 'measure').length
    setWeight(0, 0.5)
    await settle()
    expect(engine.calls.filter((call) => call === 'measure')).toHaveLength(measured)
    expect(selectMergeMeasurement(runs().measurements, experiment())?.complete).toHaveLength(3)
  })

  it('of the average are those of AlignMerge without shield', async () => {
    begin()
    await settle()
    setMethod('linear')
    expect(selectMergeMeasurement(runs().measurements, experiment())?.subject).toEqual({
      kind: 'merge',
      lambdaAlign: 0,
    })
  })

  it('under a wrong key are an error, not a curve', async () => {
    const engine = createFakeEngine()
    const connect = () => {
      const connection = engine.connect()
      const { prepare } = connection.port
      connection.port.prepare = async (...given) => ({ ...(await prepare(...given)), key: 'other' })
      return connection
    }
    stopWith(startStudio(connect))
    await settle()
    expect(runs().geometries).toEqual({})
    expect(runs().errors[0]?.failure.message).toContain('answered for experiment other')
  })
})

describe('sliders', () => {
  it('stop the measuring of the old merge; the latest wins', async () => {
    const engine = begin({ stepMs: 1000 })
    await vi.advanceTimersByTimeAsync(3500)
    expect(runs().job?.label).toContain('the merge at λ_align 4')
    setNumber('lambdaAlign', 5)
    setNumber('lambdaAlign', 6)
    setNumber('lambdaAlign', 7)
    await vi.advanceTimersByTimeAsync(40)
    expect(engine.calls).toContain('cancel')
    expect(runs().written?.key).toBe(mergeKey(experiment()))
    expect(
      engine.calls.filter((call) => call === 'applyMerge'),
      engine.calls.join(' '),
    ).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(400)
    expect(runs().job?.label).toContain('the merge at λ_align 7')
  })

  it('let the measuring of a whole model finish', async () => {
    const engine = begin({ stepMs: 1000 })
    await vi.advanceTimersByTimeAsync(1500)
    expect(runs().job?.label).toBe('AQI of Anchor (aligned instruct)')
    setNumber('lambdaAlign', 9)
    await vi.advanceTimersByTimeAsync(400)
    expect(engine.calls).not.toContain('cancel')
    await vi.advanceTimersByTimeAsync(2000)
    expect(runs().job?.label).toContain('the merge at λ_align 9')
  })

  it('keep the weights on the simplex', async () => {
    begin()
    await settle()
    addExpert({ kind: 'built-in', id: 'safety' })
    const weights = () => experiment().experts.map((expert) => expert.weight)
    expect(weights().map((weight) => weight.toFixed(3))).toEqual(['0.333', '0.333', '0.333'])
    setWeight(2, 0.5)
    expect(weights()).toEqual([0.25, 0.25, 0.5])
    removeExpert(2)
    expect(weights()).toEqual([0.5, 0.5])
    removeExpert(0)
    removeExpert(0)
    expect(weights()).toEqual([1])
    expect(redistribute([1, 0, 0], 0, 0.4)).toEqual([0.4, 0.3, 0.3])
  })

  it('ignore what is no number and clamp what is', async () => {
    begin()
    await settle()
    setNumber('rank', Number.NaN)
    expect(experiment().rank).toBe(8)
    setNumber('rank', 99.4)
    expect(experiment().rank).toBe(16)
  })

  it('do not let the anchor be its own expert', async () => {
    begin()
    await settle()
    setAnchor({ kind: 'built-in', id: 'task-sort' })
    expect(experiment().experts).toEqual([{ origin: { kind: 'built-in', id: 'task-reverse' }, weight: 1 }])
  })
})

describe('cancel', () => {
  it('stops everything, keeps what there is, and goes on when told', async () => {
    begin({ stepMs: 1000 })
    await vi.advanceTimersByTimeAsync(4200)
    const before = Object.keys(runs().measurements).length
    expect(before).toBeGreaterThan(0)
    stopAll()
    await settle()
    expect(runs()).toMatchObject({ isStopped: true, job: null, errors: [] })
    expect(Object.keys(runs().measurements)).toHaveLength(before)
    runAgain()
    await settle(200_000)
    expect(selectSweep(runs().measurements, experiment())).toHaveLength(sweepGrid.length)
  })

  it('steps aside for a question and goes on', async () => {
    begin({ stepMs: 1000 })
    await vi.advanceTimersByTimeAsync(4200)
    const asked = askAll(' sort 3 1 2 ')
    await vi.advanceTimersByTimeAsync(1500)
    await asked
    expect(runs().answers).toMatchObject({ prompt: 'sort 3 1 2', mergeKey: mergeKey(experiment()) })
    await settle(200_000)
    expect(runs().job).toBeNull()
    expect(selectSweep(runs().measurements, experiment())).toHaveLength(sweepGrid.length)
  })
})

describe('errors', () => {
  it('keep the state and are not tried again by themselves', async () => {
    const engine = begin({
      errors: { prepare: new EngineError('shape-mismatch', 'expected [4, 4]', { tensor: 'wte' }) },
    })
    await settle()
    expect(runs().errors).toMatchObject([{ failure: { code: 'shape-mismatch', where: { tensor: 'wte' } } }])
    expect(engine.calls.filter((call) => call === 'prepare')).toHaveLength(1)
    expect(experiment().lambdaAlign).toBe(4)
  })

  it('of one measurement do not stop the others', async () => {
    const engine = createFakeEngine()
    const connect = () => {
      const connection = engine.connect()
      const { measure } = connection.port
      connection.port.measure = async (jobId, asked, subject, parts) => {
        if (subject.kind === 'merge' && subject.lambdaAlign === 64)
          throw new EngineError('not-finite', 'NaN in logits')
        return measure(jobId, asked, subject, parts)
      }
      return connection
    }
    stopWith(startStudio(connect))
    await settle()
    expect(selectSweep(runs().measurements, experiment()).map((point) => point.lambdaAlign)).toEqual(
      sweepGrid.filter((lambda) => lambda !== 64),
    )
  })

  it('of the device keep the results until the engine is opened again', async () => {
    const engine = begin()
    await settle()
    const before = runs().measurements
    engine.emit({ kind: 'device-lost', reason: 'driver reset' })
    expect(readState().models.engine).toEqual({ kind: 'lost', reason: 'driver reset' })
    expect(runs().measurements).toBe(before)
    setNumber('lambdaAlign', 3)
    await settle()
    expect(runs().job).toBeNull()
    const reopened = reopenEngine()
    await settle()
    await reopened
    expect(engine.calls).toContain('terminate')
    expect(selectMergeMeasurement(runs().measurements, experiment())?.complete).toHaveLength(3)
  })
})

describe('models of the user', () => {
  const files = [new File(['{}'], 'config.json')]

  it('are offered, not forced on the experiment, and can be let go', async () => {
    const engine = begin()
    await settle()
    const before = experiment()
    const opening = openFolder(files)
    await settle(1000)
    await opening
    const model = readState().models.list.at(-1)
    if (model?.origin.kind !== 'files') throw new Error('not opened')
    expect(experiment()).toBe(before)
    addExpert(model.origin)
    await closeModel(model)
    expect(readState().models.list).toContain(model)
    removeExpert(2)
    await closeModel(model)
    expect(readState().models.list).not.toContain(model)
    expect(engine.calls).toContain('close')
  })

  it('join where a link has been waiting for them', async () => {
    begin()
    await settle(2000)
    const linked = {
      ...experiment(),
      experts: [{ origin: { kind: 'files' as const, name: 'mine', digest: 'c0'.repeat(32) }, weight: 1 }],
    }
    stopStudio()
    history.replaceState(
      null,
      '',
      encodeLink({ experiment: linked, view: { page: 'studio', aqiView: 'prompts', prompt: '' } }),
    )
    useStudio.setState(initialState(), true)
    begin()
    await settle()
    expect(runs().geometries).toEqual({})
    const opening = openFolder(files)
    await settle(1000)
    await opening
    await settle()
    expect(Object.keys(runs().geometries)).toHaveLength(1)
  })
})

describe('the self-test', () => {
  it('that passes is told and stays beside the results', async () => {
    begin()
    await settle()
    const asked = askSelfTest()
    await settle()
    await asked
    expect(readState().models.selfTest?.passed).toBe(true)
    expect(runs().announcement).toContain('passed')
  })

  it('that fails stops all measuring, and is the first thing done on the next visit', async () => {
    const first = begin({ brokenKernel: 'matmul' })
    await settle(100)
    const asked = askSelfTest()
    await settle()
    await asked
    expect(readState().models.selfTest?.passed).toBe(false)
    expect(runs().announcement).toContain('merging is off')
    const before = first.calls.length
    setNumber('lambdaAlign', 2)
    await settle()
    expect(first.calls.slice(before).filter((call) => call === 'measure' || call === 'prepare')).toEqual([])
    stopStudio()
    useStudio.setState(initialState(), true)
    const second = begin()
    await settle()
    expect(second.calls.indexOf('selfTest')).toBeGreaterThan(second.calls.indexOf('open'))
    expect(second.calls.indexOf('selfTest')).toBeLessThan(second.calls.indexOf('openBuiltIn'))
    stopStudio()
    useStudio.setState(initialState(), true)
    const third = begin()
    await settle()
    expect(third.calls).not.toContain('selfTest')
  })
})
