// What ships with the page still fits: made from these weights, probes and rules, read without a complaint, and the same
// numbers come out when a few are computed again. `npm run shipped` renews the files.

import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ModelSummary } from '../../../workers/api.ts'
import { lessons } from '../../help/lessons.ts'
import { findShipped, shippedExperiment, shippedSets, shippedVersion } from '../../help/shipped.ts'
import { geometryKey, measurementKey, originKey } from '../../share/experimentKey.ts'
import { type Measurement, measurementId } from '../../share/measurement.ts'
import { shippedLimits, unpackResults } from '../../share/results.ts'
import { defaultExperiment } from '../../state/actions/recipe.ts'
import { currentMerge, remainingTasks } from '../../state/plan.ts'
import { withComplete } from '../../state/share/received.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { type ShippedFile, shippedInputs } from './file.ts'
import { openShippedStudio, type ShippedStudio } from './studio.ts'

const site = resolve(import.meta.dirname, '../../../public')
const read = async (id: string): Promise<ShippedFile> =>
  JSON.parse(await readFile(join(site, 'results', `${id}.json`), 'utf8')) as ShippedFile
const unpack = async (id: string) => {
  const set = shippedSets.find((one) => one.id === id)!
  const unpacked = unpackResults((await read(id)).results, shippedExperiment(set), shippedLimits)
  if (!unpacked.ok) throw new Error(unpacked.reason)
  expect(unpacked.adjusted).toEqual([])
  return unpacked.value
}

let studio: ShippedStudio
beforeAll(async () => {
  studio = await openShippedStudio(site, await openTestDevice())
})
afterAll(() => {
  studio?.session.gpu.close()
})

it.each(shippedSets)('$id was made from these weights, probes and rules', async ({ id }) => {
  expect(await read(id)).toMatchObject({ id, version: shippedVersion, ...(await shippedInputs(site)) })
})

it('are small enough', async () => {
  const sizes = await Promise.all(
    shippedSets.map(async ({ id }) => (await readFile(join(site, 'results', `${id}.json`))).byteLength),
  )
  expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(150_000)
})

it('begin with what a visitor meets first', async () => {
  const { models } = JSON.parse(await readFile(join(site, 'zoo/index.json'), 'utf8')) as {
    models: ModelSummary[]
  }
  const list = models.map((model) => ({ ...model, origin: { kind: 'built-in' as const, id: model.id } }))
  expect(lessons.first).toEqual(defaultExperiment(list))
})

it.each(Object.entries(lessons))(
  'leave nothing of the lesson %s to be waited for',
  async (_id, experiment) => {
    const set = findShipped(experiment)
    expect(set).toBeDefined()
    const { measurements, geometries } = await unpack(set!.id)
    const ids = [experiment.anchor, ...experiment.experts.map(({ origin }) => origin)].map(originKey)
    const input = {
      ...{ experiment, anchorId: ids[0]!, expertIds: ids.slice(1), preparedKey: null, hasGeometry: false },
      ...{ measurements: {}, failed: {}, compared: [], labeller: 'of the page' },
      standing: withComplete(measurements, true),
      hasStandingGeometry: geometryKey(experiment) in geometries,
    }
    // A lesson with rounds or a search has its own merge shipped; the page sweeps it when somebody stays.
    const isPlain = Object.keys(experiment.parameters).length === 0
    const left = remainingTasks(isPlain ? input : { ...input, wishes: { points: [], pinned: [] } })
    const average = measurementKey({ ...experiment, lambdaAlign: 0 }, { kind: 'merge', lambdaAlign: 0 })
    expect(
      left.filter(
        (task) =>
          task.kind === 'prepare' ||
          measurementKey(task.experiment, currentMerge(task.experiment)) !== average,
      ),
    ).toEqual([])
  },
)

/** Relative difference allowed: other software adapters round otherwise. */
const TOLERANCE = 0.02

it('hold numbers that come out again', async () => {
  const experiment = lessons.first
  const { measurements, geometries } = await unpack('two-tasks')
  const merge = currentMerge(experiment)
  const shipped: Measurement = measurements[measurementId(measurementKey(experiment, merge), merge)]!
  const near = (found: number, kept: number, unit = Math.abs(kept)) =>
    expect(Math.abs(found - kept) / unit).toBeLessThan(TOLERANCE)

  const geometry = await studio.summarise(experiment)
  const kept = geometries[geometryKey(experiment)]!
  expect(geometry.rank).toBe(kept.rank)
  near(geometry.explained, kept.explained)
  near(geometry.identityDifference, kept.identityDifference)
  for (const [k, row] of geometry.gram.entries())
    for (const [l, value] of row.entries()) near(value, kept.gram[k]![l]!)

  const { drift } = await studio.measurePart(experiment, merge, 'drift')
  near(drift!.own, shipped.drift!.own, shipped.drift!.total)
  near(drift!.heldOut, shipped.drift!.heldOut)
  near(drift!.total, shipped.drift!.total)

  const { aqi, clusters } = await studio.measurePart(experiment, merge, 'aqi')
  for (const view of ['prompts', 'completions'] as const) {
    const [found, before] = [aqi[view]!.normalised, shipped.aqi[view]!.normalised]
    if ('unavailable' in found || 'unavailable' in before) throw new Error('no AQI')
    near(found.value, before.value)
    near(found.low, before.low)
    expect(found.count).toBe(before.count)
    expect(clusters[view]!.safe.length).toBe(shipped.clusters[view]!.safe.length)
  }
})
