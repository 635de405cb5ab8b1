// @vitest-environment happy-dom
// No WebGPU: the engine that does without is opened, keeps what it can, and measures what needs no geometry where none
// is shipped.
import { describe, expect, it } from 'vitest'
import { EngineError } from '../core/errors.ts'
import { openFolder } from './actions/models.ts'
import { setMethod } from './actions/recipe.ts'
import { computeOnCpu, startStudio } from './actions/start.ts'
import { missingHere } from './needs.ts'
import { readState, useStudio } from './store.ts'
import { createFakeEngine, type FakeOptions } from './testing/fakeEngine.ts'
import { experiment, resetStudio, runs, settle, stopWith } from './testing/freshStudio.ts'

resetStudio()

const NONE = new EngineError('gpu-unavailable', 'no adapter was offered')
const NOT_SHIPPED = new EngineError('gpu-unavailable', 'shipped for other experts')

function begin(gpu: FakeOptions, cpu: FakeOptions = {}) {
  const engines = { gpu: createFakeEngine(gpu), cpu: createFakeEngine({ ...cpu, isCpu: true }) }
  stopWith(startStudio(engines.gpu.connect, engines.cpu.connect))
  return engines
}
const engine = () => readState().models.engine

describe('without WebGPU', () => {
  it('the other engine is opened, and says why', async () => {
    begin({ openError: NONE })
    await settle()
    expect(engine()).toMatchObject({ kind: 'ready', info: { isCpu: true } })
    expect(readState().models.withoutGpu).toBe('no adapter was offered')
    expect(runs().written).not.toBeNull()
    expect(runs().errors).toEqual([])
    expect(missingHere(engine(), 'training')).toMatch(/WebGPU/)
  })

  it('nobody is told that there is none while the other one opens', async () => {
    const kinds = new Set<string>()
    const stop = useStudio.subscribe(({ models }) => kinds.add(models.engine.kind))
    begin({ openError: NONE })
    await settle()
    stop()
    expect([...kinds]).toEqual(['opening', 'ready'])
  })

  it('nothing at all is left where neither can compute', async () => {
    begin({ openError: NONE }, { openError: new EngineError('gpu-unavailable', 'nor this') })
    await settle()
    expect(engine()).toEqual({ kind: 'unsupported', reason: 'nor this' })
    expect(missingHere(engine(), 'streamedMerge')).toMatch(/WebGPU/)
  })

  it('any other failure is none of its business', async () => {
    const { cpu } = begin({ openError: new EngineError('gpu-failed', 'a driver fell over') })
    await settle()
    expect(engine()).toMatchObject({ kind: 'failed' })
    expect(cpu.calls).toEqual([])
  })

  it('says so where neither opens', async () => {
    begin({ openError: NONE }, { openError: new EngineError('file-missing', 'probes.json') })
    await settle()
    expect(engine()).toMatchObject({ kind: 'failed', failure: { code: 'file-missing' } })
    expect(readState().models.withoutGpu).toBe('no adapter was offered')
  })

  it('models and merges that need no geometry are measured where none is shipped', async () => {
    begin({ openError: NONE }, { errors: { prepare: NOT_SHIPPED } })
    await settle()
    const complete = () =>
      Object.values(runs().measurements).map(({ subject, complete: parts }) => [
        subject.kind === 'model' ? subject.id : subject.lambdaAlign,
        [...parts].sort().join(),
      ])
    expect(complete()).toEqual(
      expect.arrayContaining([
        ['built-in:anchor', 'aqi,behaviour'],
        ['built-in:task-sort', 'aqi,behaviour'],
        [0, 'aqi,behaviour'],
      ]),
    )
    expect(complete().every(([subject]) => typeof subject === 'string' || subject === 0)).toBe(true)
    expect(runs().errors).toHaveLength(1)
    setMethod('ties')
    await settle()
    expect(Object.values(runs().measurements).filter(({ subject }) => subject.kind === 'merge')).toHaveLength(
      2,
    )
    expect(experiment().method).toBe('ties')
  })

  it('a geometry that is faulty stops the measuring, as with WebGPU', async () => {
    begin({ openError: NONE }, { errors: { prepare: new EngineError('check-failed', 'other probes') } })
    await settle()
    const merges = Object.values(runs().measurements).filter(({ subject }) => subject.kind === 'merge')
    expect(merges).toEqual([])
  })
})

describe('a device that is lost again and again', () => {
  it('is counted, and can be done without', async () => {
    const { gpu, cpu } = begin({})
    await settle()
    void openFolder([new File(['x'], 'model.safetensors')])
    await settle(1000)
    expect(readState().models.list.some(({ origin }) => origin.kind === 'files')).toBe(true)
    gpu.emit({ kind: 'device-lost', reason: 'driver reset' })
    await settle(1000)
    expect(readState().models.losses).toBe(1)
    expect(cpu.calls).toEqual([])
    void computeOnCpu(true)
    await settle()
    expect(engine()).toMatchObject({ kind: 'ready', info: { isCpu: true } })
    // Models of the user's own would need the device.
    expect(readState().models.list.some(({ origin }) => origin.kind === 'files')).toBe(false)
    expect(cpu.calls).not.toContain('openFiles')
    void computeOnCpu(false)
    await settle()
    expect(engine()).toMatchObject({ kind: 'ready', info: { adapter: 'NVIDIA H100' } })
    expect(readState().models.withoutGpu).toBeNull()
    expect(missingHere(engine(), 'training')).toBeUndefined()
  })
})
