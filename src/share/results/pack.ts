// From what the store holds to what travels. Runs in Node as well: what ships with the page is packed by a command.

import type { AqiView, Experiment, GeometrySummary, ModelSummary, Subject } from '../../../workers/api.ts'
import { measurementKey, mergeLambda } from '../experimentKey.ts'
import { type Measurement, measurementId } from '../measurement.ts'
import {
  aqiViews,
  type PackedAqi,
  type PackedChange,
  type PackedGeometry,
  type PackedModel,
  type PackedResults,
  type PackedRow,
  resultsVersion,
  sharesOfBehaviour,
} from './format.ts'
import { packBeside, packEstimate, packPoints, significant } from './quantise.ts'

/** One measurement and the experiment it answers; for a merge, λ_align is the subject's. */
export interface ResultRow {
  experiment: Experiment
  subject: Subject
  measurement: Measurement
}

export interface ResultSet {
  experiment: Experiment
  /** the experiment's anchor, then its experts */ models: readonly ModelSummary[]
  geometry?: GeometrySummary | undefined
  rows: readonly ResultRow[]
  /** the adapter, when it is to be told */ adapter?: string
}

export interface PackOptions {
  /** views of which points are kept; all when missing */ pointsOf?: readonly AqiView[]
  /** rows that keep their points; all when missing */ hasPoints?: (row: ResultRow) => boolean
}

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** What a merge's experiment has other than the set's. */
function changeOf(base: Experiment, { experiment, subject }: ResultRow): PackedChange {
  const change: PackedChange = {}
  if (experiment.method !== base.method) change.method = experiment.method
  if (!isEqual(experiment.parameters, base.parameters)) change.parameters = experiment.parameters
  for (const id of ['rank', 'damping', 'antidote'] as const)
    if (experiment[id] !== base[id]) change[id] = experiment[id]
  const lambda = subject.kind === 'merge' ? subject.lambdaAlign : experiment.lambdaAlign
  if (lambda !== base.lambdaAlign) change.lambdaAlign = lambda
  const weightsOf = ({ experts }: Experiment) => experts.map(({ weight }) => weight)
  if (!isEqual(weightsOf(experiment), weightsOf(base))) change.weights = weightsOf(experiment)
  return change
}

function packAqi({ aqi, budget }: Measurement, view: AqiView): PackedAqi | undefined {
  const result = aqi[view]
  if (!result) return undefined
  const { normalised, logSeparation, perClass } = result
  const limit = budget[view]
  const packed = [packEstimate(normalised), packEstimate(logSeparation), ...perClass] as const
  if (!limit) return packed
  const violation = Number.isFinite(limit.violation) ? packBeside(logSeparation, limit.violation) : null
  return [...packed, [packBeside(logSeparation, limit.threshold), violation, limit.isViolated ? 1 : 0]]
}

function packRow(of: PackedRow['of'], row: ResultRow, options: PackOptions): PackedRow {
  const { measurement } = row
  const { behaviour, drift, labels, clusters } = measurement
  const packed: PackedRow = { of }
  const views = aqiViews.flatMap((view) => {
    const aqi = packAqi(measurement, view)
    return aqi ? [[view, aqi] as const] : []
  })
  if (views.length > 0) packed.aqi = Object.fromEntries(views)
  const pictured = aqiViews.filter(
    (view) =>
      clusters[view] && (options.pointsOf?.includes(view) ?? true) && (options.hasPoints?.(row) ?? true),
  )
  if (pictured.length > 0)
    packed.points = Object.fromEntries(pictured.map((view) => [view, packPoints(clusters[view]!)]))
  const said = [...sharesOfBehaviour, 'answerLoss' as const].flatMap((name) => {
    const estimate = behaviour[name]
    return estimate ? [[name, packEstimate(estimate)] as const] : []
  })
  if (said.length > 0) packed.said = Object.fromEntries(said)
  const skills = Object.entries(behaviour.skills ?? {})
  if (skills.length > 0)
    packed.skills = Object.fromEntries(skills.map(([name, share]) => [name, packEstimate(share)]))
  if (drift)
    packed.drift = [
      ...[drift.own, drift.heldOut, drift.otherSource, drift.total].map((value) => significant(value, 4)),
      ...drift.byLayer.map((value) => significant(value, 3)),
    ]
  const scored = Object.entries(labels)
  if (scored.length > 0)
    packed.labels = Object.fromEntries(
      scored.map(([digest, { toxicity, judge }]) => [
        digest,
        {
          ...(toxicity && { toxicity: packEstimate(toxicity) }),
          ...(judge && { judge: packEstimate(judge) }),
        },
      ]),
    )
  return packed
}

function packModel(model: ModelSummary): PackedModel {
  const { name, role, skill, architecture, dtype, parameterCount, layerCount, hiddenSize, byteLength } = model
  return {
    ...{
      name: name.slice(0, 100),
      role,
      architecture: architecture.slice(0, 100),
      dtype: dtype.slice(0, 20),
    },
    ...(skill !== undefined && { skill: skill.slice(0, 40) }),
    size: [parameterCount, layerCount, hiddenSize, byteLength],
  }
}

function packGeometry(geometry: GeometrySummary): PackedGeometry {
  const five = (rows: readonly (readonly number[])[]) =>
    rows.map((row) => row.map((value) => significant(value, 5)))
  const correlation = (value: number | string) => (typeof value === 'number' ? significant(value, 4) : value)
  return {
    eigenvalues: geometry.eigenvalues.map((value) => significant(value, 4)),
    rank: geometry.rank,
    explained: significant(geometry.explained, 4),
    metric: correlation(geometry.metricCorrelation),
    fast: correlation(geometry.fastFormCorrelation),
    identity: significant(geometry.identityDifference, 4),
    own: five(geometry.alignmentCoordinates),
    heldOut: five(geometry.heldOutCoordinates),
    other: five(geometry.otherCoordinates),
    gram: five(geometry.gram),
    conflict: geometry.conflictByLayer.map((value) => (value === null ? null : significant(value, 3))),
    ms: Math.round(geometry.durationMs),
  }
}

/** The experiment that a reader makes of a change. */
function changed(base: Experiment, { weights, ...change }: PackedChange): Experiment {
  const experts = base.experts.map((expert, k) => ({ ...expert, weight: weights?.[k] ?? expert.weight }))
  return { ...base, ...change, experts }
}

/**
 * Packs what is known. Rows that a reader could not file where they belong are left out: models that are none of the
 * experiment's, and merges that differ from it in more than a change can say.
 */
export function packResults(set: ResultSet, options: PackOptions = {}): PackedResults {
  const packed = new Set<string>()
  const rows = set.rows.flatMap((row) => {
    const { subject, measurement } = row
    const id = measurementId(measurement.key, subject)
    if (packed.has(id)) return []
    packed.add(id)
    if (subject.kind === 'merge') {
      const change = changeOf(set.experiment, row)
      const read = changed(set.experiment, change)
      const isSame =
        measurementKey(read, subject) === measurement.key && mergeLambda(read) === subject.lambdaAlign
      return isSame ? [packRow(change, row, options)] : []
    }
    if (measurementKey(set.experiment, subject) !== measurement.key) return []
    const index = set.models.findIndex(({ id }) => id === subject.id)
    return index < 0 ? [] : [packRow(index, row, options)]
  })
  return {
    v: resultsVersion,
    ...(set.adapter !== undefined && { on: set.adapter.slice(0, 100) }),
    models: set.models.map(packModel),
    ...(set.geometry && { geometry: packGeometry(set.geometry) }),
    rows,
  }
}
