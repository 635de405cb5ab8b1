// Results that were computed elsewhere, beside those of this page: own ones come first, field by field, and every
// field knows where it is from. Nothing here computes; it only chooses.

import type { Experiment, GeometrySummary, ModelOrigin, ModelSummary, Subject } from '../../../workers/api.ts'
import { geometryKey, measurementKey, originKey } from '../../share/experimentKey.ts'
import { type Measurement, measurementId, type PartName } from '../../share/measurement.ts'
import { aqiViews } from '../../share/results/format.ts'
import type { ReceivedSet, RunsSlice } from '../slices/runs.ts'

/** Where a result is from: this page's engine, a link, or what ships with the page. */
export type Provenance = 'own' | ReceivedSet['source']

type Results = Pick<RunsSlice, 'measurements' | 'received'>

/** What is received of one subject; a link's results come before shipped ones. */
export function receivedMeasurement(
  received: readonly ReceivedSet[],
  id: string,
): { measurement: Measurement; source: ReceivedSet['source'] } | undefined {
  for (const { measurements, source } of received) {
    const measurement = measurements[id]
    if (measurement) return { measurement, source }
  }
  return undefined
}

/** Own results where there are any, received ones elsewhere. */
function overlay(own: Measurement, received: Measurement): Measurement {
  const { skills: ownSkills, ...ownShares } = own.behaviour
  const { skills, ...shares } = received.behaviour
  const known = { ...skills, ...ownSkills }
  const shown: Measurement = {
    ...own,
    aqi: { ...received.aqi, ...own.aqi },
    budget: { ...own.budget },
    clusters: { ...own.clusters },
    behaviour: { ...shares, ...ownShares, ...((skills || ownSkills) && { skills: known }) },
    drift: own.drift ?? received.drift,
    labels: { ...received.labels, ...own.labels },
    complete: [...new Set([...own.complete, ...received.complete])],
  }
  // A budget and a picture belong to the AQI they come with.
  for (const view of aqiViews) {
    if (own.aqi[view]) continue
    const { [view]: budget } = received.budget
    const { [view]: clusters } = received.clusters
    if (budget) shown.budget[view] = budget
    if (clusters) shown.clusters[view] = clusters
  }
  return shown
}

let last:
  | { own: Results['measurements']; received: Results['received']; shown: Results['measurements'] }
  | undefined
const overlaid = new WeakMap<Measurement, { received: Measurement; shown: Measurement }>()

/** Every measurement that the page shows; the same object while nothing has changed. */
export function selectShown({ measurements: own, received }: Results): Results['measurements'] {
  if (received.length === 0) return own
  if (last?.own === own && last.received === received) return last.shown
  const shown: Record<string, Measurement> = {}
  for (const set of received.toReversed()) Object.assign(shown, set.measurements)
  for (const [id, measurement] of Object.entries(own)) {
    const other = shown[id]
    if (!other) {
      shown[id] = measurement
      continue
    }
    const known = overlaid.get(measurement)
    if (known?.received === other) shown[id] = known.shown
    else {
      shown[id] = overlay(measurement, other)
      overlaid.set(measurement, { received: other, shown: shown[id] })
    }
  }
  last = { own, received, shown }
  return shown
}

/** The geometry on the page: the own one, or a received one. */
export function selectShownGeometry(
  { geometries, received }: Pick<RunsSlice, 'geometries' | 'received'>,
  experiment: Experiment,
): { geometry: GeometrySummary; source: Provenance } | undefined {
  const key = geometryKey(experiment)
  const own = geometries[key]
  if (own) return { geometry: own, source: 'own' }
  for (const { geometries: given, source } of received) {
    const geometry = given[key]
    if (geometry) return { geometry, source }
  }
  return undefined
}

/** What is told of a model that nobody has opened here. */
export function receivedModel(
  received: readonly ReceivedSet[],
  origin: ModelOrigin,
): ModelSummary | undefined {
  const key = originKey(origin)
  for (const { models } of received) {
    const model = models.find((one) => originKey(one.origin) === key)
    if (model) return model
  }
  return undefined
}

const hasPart = (measurement: Measurement, part: PartName): boolean => {
  switch (part) {
    case 'aqi':
      return measurement.aqi.prompts !== undefined || measurement.aqi.completions !== undefined
    case 'behaviour':
      return measurement.behaviour.refusal !== undefined
    case 'drift':
      return measurement.drift !== null
  }
}

/** All of a part, so that nothing would be gained by measuring it. */
export function isWhole(measurement: Measurement, part: PartName): boolean {
  const { aqi, behaviour } = measurement
  switch (part) {
    case 'aqi':
      return aqi.prompts !== undefined && aqi.completions !== undefined
    case 'behaviour':
      return behaviour.refusal !== undefined && behaviour.skills !== undefined && aqi.answers !== undefined
    case 'drift':
      return measurement.drift !== null
  }
}

const partNames: readonly PartName[] = ['aqi', 'behaviour', 'drift']

/** The same measurements with what of them is finished: all that is whole, or nothing where they are to be measured. */
export function withComplete(
  measurements: Readonly<Record<string, Measurement>>,
  isFinished: boolean,
): Record<string, Measurement> {
  return Object.fromEntries(
    Object.entries(measurements).map(([id, measurement]) => [
      id,
      { ...measurement, complete: isFinished ? partNames.filter((part) => isWhole(measurement, part)) : [] },
    ]),
  )
}

/** Where a part of a subject's results on the page is from; undefined where there is none. */
export function provenanceOf(
  { measurements, received }: Results,
  experiment: Experiment,
  subject: Subject,
  part: PartName,
): Provenance | undefined {
  const id = measurementId(measurementKey(experiment, subject), subject)
  const own = measurements[id]
  if (own && hasPart(own, part)) return 'own'
  const other = receivedMeasurement(received, id)
  return other && hasPart(other.measurement, part) ? other.source : undefined
}

interface Standing {
  measurements: Record<string, Measurement>
  geometries: Record<string, GeometrySummary>
}
const standingOf = new WeakMap<readonly ReceivedSet[], Standing>()

/** Results that need not be measured again: shipped ones, until the user asks for it. */
export function standingResults(received: readonly ReceivedSet[]): Standing {
  const known = standingOf.get(received)
  if (known) return known
  const sets = received.filter(({ source, isRecomputed }) => source === 'shipped' && !isRecomputed)
  const linked = received.filter(({ source }) => source === 'link')
  const standing: Standing = {
    measurements: Object.assign({}, ...sets.map(({ measurements }) => measurements)),
    geometries: Object.assign({}, ...sets.map(({ geometries }) => geometries)),
  }
  // What a link says is to be replaced by a run of one's own, and by nothing else.
  for (const { measurements, geometries } of linked) {
    for (const id of Object.keys(measurements)) delete standing.measurements[id]
    for (const key of Object.keys(geometries)) delete standing.geometries[key]
  }
  standingOf.set(received, standing)
  return standing
}
