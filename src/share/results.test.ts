import { describe, expect, it } from 'vitest'
import type { Estimate, Subject } from '../../workers/api.ts'
import { fakeMeasurement, fakeResults } from '../state/testing/fakeResults.ts'
import { placeholderExperiment } from '../views/app/placeholderExperiment.ts'
import { decodeLink } from './codec.ts'
import { maxHashCharacters } from './encode.ts'
import type { LinkState } from './experiment.ts'
import { geometryKey, measurementKey } from './experimentKey.ts'
import { measurementId } from './measurement.ts'
import { fitResults, packResults, type ResultSet, unpackResults } from './results.ts'

const experiment = placeholderExperiment
const ties = { ...experiment, method: 'ties', parameters: { density: 0.3 } }
const tiesMerge: Subject = { kind: 'merge', lambdaAlign: 0 }
const base = fakeResults(experiment)
const { models } = base
const set: ResultSet = {
  ...base,
  rows: [
    ...base.rows,
    { experiment: ties, subject: tiesMerge, measurement: fakeMeasurement(ties, tiesMerge) },
  ],
}

/** As nobody has checked it. */
interface Loose {
  rows: {
    of: object
    said: object
    drift: object
    points: { prompts: object }
    aqi: { completions: unknown[] }
  }[]
  models: object[]
  geometry: object
}

/** As it comes out of a link: text and back. */
const sent = (edit: (packed: Loose) => void = () => {}) => {
  const packed = JSON.parse(JSON.stringify(packResults(set))) as Loose
  edit(packed)
  return unpackResults(packed, experiment)
}

function taken(result: ReturnType<typeof sent>) {
  if (!result.ok) throw new Error(result.reason)
  return result.value
}

function expectNear(found: Estimate | undefined, given: Estimate) {
  if ('unavailable' in given) return expect(found).toEqual(given)
  if (!found || 'unavailable' in found) throw new Error('no estimate')
  const within = 0.005 * (given.high - given.low) + 1e-12
  for (const key of ['value', 'low', 'high'] as const)
    expect(Math.abs(found[key] - given[key])).toBeLessThanOrEqual(within)
  expect(found.count).toBe(given.count)
}

describe('results', () => {
  it('come back under the keys of the store, within half a percent of their intervals', () => {
    const { measurements } = taken(sent())
    expect(Object.keys(measurements)).toHaveLength(set.rows.length)
    let compared = 0
    for (const { experiment: asked, subject, measurement } of set.rows) {
      const found = measurements[measurementId(measurementKey(asked, subject), subject)]!
      expect(found.subject).toEqual(subject)
      expect(found.complete).toEqual([])
      for (const view of ['prompts', 'completions', 'answers'] as const) {
        expectNear(found.aqi[view]?.normalised, measurement.aqi[view]!.normalised)
        expectNear(found.aqi[view]?.logSeparation, measurement.aqi[view]!.logSeparation)
        expect(found.aqi[view]?.perClass).toEqual(measurement.aqi[view]!.perClass)
        expect(found.budget[view]?.isViolated).toBe(measurement.budget[view]!.isViolated)
        compared++
      }
      for (const name of ['refusal', 'compliance', 'answerLoss'] as const)
        expectNear(found.behaviour[name], measurement.behaviour[name]!)
      expect(Object.keys(found.behaviour.skills!)).toEqual(Object.keys(measurement.behaviour.skills!))
      if (measurement.drift) expect(found.drift!.own / measurement.drift.own).toBeCloseTo(1, 3)
    }
    expect(compared).toBe(3 * set.rows.length)
  })

  it('keep shares of a count exactly', () => {
    const share: Estimate = { value: 37 / 64, low: 0.4558, high: 0.6911, count: 64 }
    const exact = set.rows.map((one) => ({
      ...one,
      measurement: { ...one.measurement, behaviour: { refusal: share } },
    }))
    const loose = packResults({ ...set, rows: exact }).rows[0]!.said!.refusal
    expect(loose).toHaveLength(4)
    const packed = JSON.parse(JSON.stringify(packResults(set)))
    packed.rows[0].said.refusal = [37, 64]
    const { measurements } = taken(unpackResults(packed, experiment))
    const found = Object.values(measurements)[0]!.behaviour.refusal as Exclude<
      Estimate,
      { unavailable: string }
    >
    expect(found.value).toBe(37 / 64)
    expect(found.low).toBeCloseTo(0.4558, 3)
    expect(found.high).toBeCloseTo(0.6911, 3)
  })

  it('keep points within a 510th of the extent of their picture', () => {
    const { measurements } = taken(sent())
    for (const { experiment: asked, subject, measurement } of set.rows) {
      const given = measurement.clusters.completions!
      const found =
        measurements[measurementId(measurementKey(asked, subject), subject)]!.clusters.completions!
      for (const axis of [0, 1]) {
        const on = (cloud: Float32Array) => [...cloud].filter((_, index) => index % 2 === axis)
        const all = [...on(given.safe), ...on(given.unsafe)]
        const extent = Math.max(...all) - Math.min(...all)
        for (const name of ['safe', 'unsafe'] as const)
          on(given[name]).forEach((value, index) => {
            expect(Math.abs(on(found[name])[index]! - value)).toBeLessThanOrEqual(extent / 508)
          })
      }
    }
  })

  it('bring the geometry that the sliders work on', () => {
    const { geometries, models: found } = taken(sent())
    const geometry = geometries[geometryKey(experiment)]!
    expect(geometry.gram[0]![1]! / set.geometry!.gram[0]![1]!).toBeCloseTo(1, 4)
    expect(geometry.conflictByLayer).toEqual(set.geometry!.conflictByLayer)
    expect(found.map(({ id }) => id)).toEqual(models.map(({ id }) => id))
    expect(found[0]!.layerCount).toBe(models[0]!.layerCount)
  })

  it('say so where a merge is not separable at all', () => {
    const packed = JSON.parse(JSON.stringify(packResults(set)))
    packed.rows[3].aqi.completions[4] = [1.2, null, 1]
    const found = Object.values(taken(unpackResults(packed, experiment)).measurements)[3]!
    expect(found.budget.completions).toEqual({ threshold: 1.2, isViolated: true, violation: Infinity })
  })

  it.each<[string, (packed: Loose) => void]>([
    ['another version', (p) => Object.assign(p, { v: 2 })],
    ['an unknown field', (p) => Object.assign(p, { html: '<b>' })],
    ['no rows', (p) => Reflect.deleteProperty(p, 'rows')],
    ['rows without end', (p) => Object.assign(p, { rows: Array(65).fill(p.rows[0]) })],
    ['the same row twice', (p) => p.rows.push(p.rows[0])],
    ['a model that is none of the experiment', (p) => Object.assign(p.rows[0], { of: 3 })],
    ['half a model', (p) => Object.assign(p.rows[0], { of: 0.5 })],
    ['a merge by an unknown method', (p) => Object.assign(p.rows[5].of, { method: 'souffle' })],
    ['a merge outside the range of λ', (p) => Object.assign(p.rows[5].of, { lambdaAlign: 1e6 })],
    [
      'a merge of another anchor',
      (p) => Object.assign(p.rows[5].of, { anchor: { kind: 'built-in', id: 'x' } }),
    ],
    ['weights of too few experts', (p) => Object.assign(p.rows[5].of, { weights: [1] })],
    ['more hits than trials', (p) => Object.assign(p.rows[0].said, { refusal: [65, 64] })],
    ['a share above one', (p) => Object.assign(p.rows[0].said, { refusal: [1.5, 1, 2, 64] })],
    [
      'an interval the wrong way round',
      (p) => Object.assign(p.rows[0].said, { refusal: [0.5, 0.6, 0.4, 64] }),
    ],
    ['a number as text', (p) => Object.assign(p.rows[3].drift, { 0: '1' })],
    ['a drift below zero', (p) => Object.assign(p.rows[3].drift, { 1: -1 })],
    ['a drift of too few numbers', (p) => Object.assign(p.rows[3], { drift: [1, 2, 3] })],
    ['a reason that turns its text around', (p) => Object.assign(p.rows[0].said, { refusal: 'x\u202ey' })],
    ['a skill of no name', (p) => Object.assign(p.rows[0], { skills: { '': [1, 2] } })],
    [
      'a skill named like a prototype',
      (p) => Object.assign(p.rows[0], { skills: JSON.parse('{"__proto__":[1,2]}') }),
    ],
    [
      'skills without end',
      (p) =>
        Object.assign(p.rows[0], {
          skills: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`s${i}`, [1, 2]])),
        }),
    ],
    ['labels of no labeller', (p) => Object.assign(p.rows[0], { labels: { mine: { judge: [1, 2] } } })],
    ['points that are no base64', (p) => Object.assign(p.rows[0].points.prompts, { 4: '<svg>' })],
    ['points without end', (p) => Object.assign(p.rows[0].points.prompts, { 4: 'AAAA'.repeat(900) })],
    ['half a point', (p) => Object.assign(p.rows[0].points.prompts, { 4: 'AA==' })],
    ['a frame of infinite extent', (p) => Object.assign(p.rows[0].points.prompts, { 1: 1e300 })],
    ['a Gram matrix of other experts', (p) => Object.assign(p.geometry, { gram: [[1]] })],
    ['a model without layers', (p) => Object.assign(p.models[0], { size: [1] })],
    ['a missing model', (p) => p.models.pop()],
    ['a name with control characters', (p) => Object.assign(p.models[0], { name: 'a\u0007' })],
  ])('are refused with %s', (_name, edit) => {
    expect(sent(edit)).toMatchObject({ ok: false, reason: expect.stringMatching(/^results/) })
  })

  it('leave out what a reader could not file where it belongs', () => {
    const stranger = { ...experiment, seed: 7 }
    const merge: Subject = { kind: 'merge', lambdaAlign: 4 }
    const rows = [
      { experiment: stranger, subject: merge, measurement: fakeMeasurement(stranger, merge) },
      {
        experiment,
        subject: { kind: 'model', id: 'who' } as Subject,
        measurement: base.rows[0]!.measurement,
      },
    ]
    expect(packResults({ ...set, rows }).rows).toEqual([])
    expect(packResults({ ...set, rows: [...base.rows, ...base.rows] }).rows).toHaveLength(base.rows.length)
  })
})

describe('a link with results', () => {
  const state: LinkState = {
    experiment,
    view: { page: 'studio', aqiView: 'completions', prompt: '' },
  }

  it('carries as much as fits, pictures last', () => {
    const fitted = [maxHashCharacters, 10_000, 7000, 5000, 3000, 400].map((most) => ({
      most,
      ...fitResults(state, set, most),
    }))
    for (const { most, hash } of fitted.slice(0, -1)) expect(hash.length - 1).toBeLessThanOrEqual(most)
    expect(fitted.map(({ kept }) => kept)).toEqual([
      ...['this view', 'two pictures', 'one picture', 'numbers', 'the merge', 'nothing'],
    ])
    for (const { hash, kept } of fitted) {
      const decoded = decodeLink(hash)
      if (decoded.kind !== 'link') throw new Error(JSON.stringify(decoded))
      expect(decoded.state.results === undefined).toBe(kept === 'nothing')
      if (decoded.state.results === undefined) continue
      const { measurements } = taken(unpackResults(decoded.state.results, experiment))
      const pictured = Object.values(measurements).filter(({ clusters }) => clusters.completions)
      expect(pictured).toHaveLength(
        { 'this view': 14, 'two pictures': 2, 'one picture': 2 }[kept as string] ?? 0,
      )
      expect(Object.keys(measurements)).toHaveLength(kept === 'the merge' ? 4 : set.rows.length)
    }
  })
})
