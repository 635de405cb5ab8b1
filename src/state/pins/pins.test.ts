// @vitest-environment happy-dom
// Pinned runs against an engine that makes its numbers up: measured, kept when others are dropped, kept over a reload.
import { beforeEach, describe, expect, it } from 'vitest'
import { mergeKey } from '../../share/experimentKey.ts'
import { acceptPart } from '../actions/events.ts'
import { setNumber, setWeight } from '../actions/recipe.ts'
import { session } from '../actions/session.ts'
import { maxMeasurements, mergePart } from '../slices/runs.ts'
import { fakeParts } from '../testing/fakeData.ts'
import { begin, experiment, resetStudio, runs, settle, stopStudio } from '../testing/freshStudio.ts'
import { loadPins, pinCurrent, restorePin, setPins, swapPins, unpin } from './actions.ts'
import { describeRun } from './describeRun.ts'
import { noPins, pinnedMeasurementIds, selectPins, usePinStore } from './store.ts'

resetStudio()
beforeEach(() => {
  localStorage.clear()
  usePinStore.setState(noPins)
})

const pins = () => selectPins(usePinStore.getState(), runs().measurements)

describe('a pinned run', () => {
  it('is measured whole when it comes from elsewhere', async () => {
    begin()
    await settle()
    setPins({ a: { ...experiment(), rank: 3, lambdaAlign: 7 }, b: null })
    expect(pins().a?.measurement).toBeUndefined()
    await settle()
    expect(pins().a?.measurement?.complete).toEqual(expect.arrayContaining(['drift', 'aqi', 'behaviour']))
    expect(pins().b).toBeNull()
  })

  it('keeps its measurement and its object while the recipe changes', async () => {
    begin()
    await settle()
    pinCurrent('a')
    const before = pins().a
    expect(before?.measurement?.behaviour.refusal).toBeDefined()
    setWeight(0, 0.9)
    setNumber('lambdaAlign', 64)
    await settle()
    expect(pins().a).toBe(before)
    restorePin('a')
    expect(mergeKey(experiment())).toBe(before?.mergeKey)
  })

  it('outlives measurements that are dropped for newer ones', () => {
    let all: ReturnType<typeof mergePart> = {}
    for (let seed = 0; seed < maxMeasurements + 50; seed++) {
      const part = { key: `key ${seed}`, subject: { kind: 'merge' as const, lambdaAlign: 1 }, durationMs: 1 }
      all = mergePart(all, part, new Set(['key 3/merge:1']))
    }
    expect(Object.keys(all)).toHaveLength(maxMeasurements)
    expect(Object.keys(all)).toContain('key 3/merge:1')
    expect(Object.keys(all)).not.toContain('key 4/merge:1')
  })

  it('names the measurement that must be kept, as the engine files it', async () => {
    begin()
    await settle()
    pinCurrent('b')
    const [id] = pinnedMeasurementIds()
    expect(runs().measurements[id!]).toBe(pins().b?.measurement)
    const subject = { kind: 'merge' as const, lambdaAlign: experiment().lambdaAlign }
    const [part] = fakeParts(experiment(), subject, 'drift')
    session.expectedKeys.add(part!.key)
    acceptPart(part!)
    expect(pins().b?.measurement).toBe(runs().measurements[id!])
  })

  it('is there again after a reload; what is none is dropped', async () => {
    begin()
    await settle()
    const first = experiment()
    pinCurrent('a')
    setNumber('lambdaAlign', 16)
    pinCurrent('b')
    swapPins()
    stopStudio()
    usePinStore.setState(noPins)
    loadPins()
    expect(usePinStore.getState().b).toEqual(first)
    expect(usePinStore.getState().a?.lambdaAlign).toBe(16)
    unpin('a')
    loadPins()
    expect(usePinStore.getState().a).toBeNull()
    for (const broken of ['{', '7', '{"a":"#v1.x","b":{"method":"alignmerge"}}', '{"a":["#v3.AAAA"]}']) {
      localStorage.setItem('alignmerge-pins', broken)
      loadPins()
      expect(usePinStore.getState(), broken).toEqual(noPins)
    }
  })
})

describe('the words of a run', () => {
  it('name the method and what differs from the defaults', async () => {
    begin()
    await settle()
    const base = experiment()
    expect(describeRun(base)).toBe('AlignMerge, λ 4')
    const other = { ...base, rank: 3, parameters: { budget: 'margin', lambda_bud: 16 } }
    expect(describeRun(other)).toBe('AlignMerge, λ 4, m 3, Budget Margin, λ_bud 16')
    expect(describeRun({ ...base, method: 'linear', parameters: {} })).not.toContain('λ 4')
    const uneven = {
      ...base,
      experts: base.experts.map((expert, k) => ({ ...expert, weight: k ? 0.25 : 0.75 })),
    }
    expect(describeRun(uneven)).toBe('AlignMerge, λ 4, λₖ 75:25 %')
  })
})
