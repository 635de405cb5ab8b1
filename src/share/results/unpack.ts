// From what travelled to what the store shows. Nobody vouches for it: every field is checked, every list has an end,
// every number a range, and a merge's experiment is checked like a link's. The keys are worked out here, from the
// experiment, so that received results can never stand under a key they do not belong to.

import type {
  AqiResult,
  Behaviour,
  Budget,
  ClusterPoints,
  Estimate,
  Experiment,
  GeometrySummary,
  MeasuredLabels,
  ModelRole,
  ModelSummary,
  Subject,
} from '../../../workers/api.ts'
import { wilsonShare } from '../../core/evaluate/bootstrap.ts'
import { readExperiment } from '../experiment.ts'
import { geometryKey, measurementKey, mergeLambda, originKey } from '../experimentKey.ts'
import { emptyMeasurement, type Measurement, measurementId } from '../measurement.ts'
import { type Reader, Refusal, type Validated, validated } from '../reader.ts'
import { aqiViews, linkLimits, type ResultLimits, sharesOfBehaviour } from './format.ts'
import { fromBase64, unpackCloud } from './quantise.ts'
import { upgradeResults } from './upgrades.ts'

export interface UnpackedResults {
  /** anchor, then experts; ids are the engine's */ models: ModelSummary[]
  /** by measurementId */ measurements: Record<string, Measurement>
  /** by geometryKey */ geometries: Record<string, GeometrySummary>
  /** what they were computed on, where that is said */ adapter?: string
}

const roles: readonly { value: ModelRole }[] = (
  ['anchor', 'task', 'safety', 'uncensored', 'other'] as const
).map((value) => ({ value }))

const MOST = 1e30

interface Range {
  min: number
  max: number
}
const unit: Range = { min: 0, max: 1 }

function readEstimate(reader: Reader, value: unknown, path: string, { min, max }: Range): Estimate {
  if (typeof value === 'string') return { unavailable: reader.words(value, path, 200) }
  const parts = reader.list(value, path, 4)
  if (parts.length === 2) {
    const count = reader.count(parts[1], `${path}[1]`, 1e6)
    const share = wilsonShare(reader.count(parts[0], `${path}[0]`, count), count)
    return share
  }
  if (parts.length !== 4) throw new Refusal(`${path} is neither a share nor a value with its interval`)
  const low = parts[1] === null ? Number.NEGATIVE_INFINITY : reader.within(parts[1], `${path}[1]`, min, max)
  const high = reader.within(parts[2], `${path}[2]`, min, max)
  if (low > high) throw new Refusal(`${path} has an interval that ends before it begins`)
  return {
    value: reader.within(parts[0], `${path}[0]`, min, max),
    ...{ low, high, count: reader.count(parts[3], `${path}[3]`, 1e6) },
  }
}

function readAqi(reader: Reader, value: unknown, path: string): { aqi: AqiResult; budget?: Budget } {
  const parts = reader.list(value, path, 5)
  if (parts.length < 4) throw new Refusal(`${path} has ${parts.length} entries, expected 4 or 5`)
  const aqi: AqiResult = {
    normalised: readEstimate(reader, parts[0], `${path}[0]`, { min: 0, max: 100 }),
    logSeparation: readEstimate(reader, parts[1], `${path}[1]`, { min: -1000, max: 1000 }),
    perClass: [reader.count(parts[2], `${path}[2]`, 1e6), reader.count(parts[3], `${path}[3]`, 1e6)],
  }
  if (parts[4] === undefined) return { aqi }
  const [threshold, violation, isViolated] = reader.list(parts[4], `${path}[4]`, 3)
  return {
    aqi,
    budget: {
      threshold: reader.within(threshold, `${path}[4][0]`, -1000, 1000),
      isViolated: reader.within(isViolated, `${path}[4][2]`, 0, 1) === 1,
      violation:
        violation === null ? Number.POSITIVE_INFINITY : reader.within(violation, `${path}[4][1]`, 0, 2000),
    },
  }
}

function readCloud(
  reader: Reader,
  value: unknown,
  path: string,
  frame: readonly [[number, number], [number, number]],
  maxPoints: number,
): Float32Array {
  // Two bytes a point; four letters stand for three bytes.
  const text = reader.text(value, path, 4 * Math.ceil((2 * maxPoints) / 3))
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text))
    throw new Refusal(`${path} is not base64`)
  const bytes = fromBase64(text)
  if (bytes.length % 2 !== 0) throw new Refusal(`${path} ends within a point`)
  return unpackCloud(bytes, ...frame)
}

function readPoints(reader: Reader, value: unknown, path: string, maxPoints: number): ClusterPoints {
  const parts = reader.list(value, path, 6)
  const at = (index: number) => reader.within(parts[index], `${path}[${index}]`, -1e9, 1e9)
  const frame = [
    [at(0), at(1)],
    [at(2), at(3)],
  ] as const satisfies [[number, number], [number, number]]
  if (frame.some(([least, greatest]) => least > greatest)) throw new Refusal(`${path} has an empty frame`)
  return {
    safe: readCloud(reader, parts[4], `${path}[4]`, frame, maxPoints),
    unsafe: readCloud(reader, parts[5], `${path}[5]`, frame, maxPoints),
  }
}

/** Entries whose names are the sender's own: skills, labellers. */
function namedEntries(
  reader: Reader,
  value: unknown,
  path: string,
  most: number,
  name: RegExp,
): [string, unknown][] {
  const entries = Object.entries(reader.record(value, path))
  if (entries.length > most) throw new Refusal(`${path} has ${entries.length} entries, more than ${most}`)
  for (const [key] of entries)
    if (!name.test(key) || key in Object.prototype) throw new Refusal(`${path} has an entry of no valid name`)
  return entries
}

function readSubject(reader: Reader, of: unknown, path: string, base: Experiment) {
  if (typeof of === 'number') {
    const origins = [base.anchor, ...base.experts.map(({ origin }) => origin)]
    const id = originKey(origins[reader.count(of, path, origins.length - 1)]!)
    return { experiment: base, subject: { kind: 'model', id } as Subject }
  }
  const { weights, ...change } = reader.object(of, path, [
    ...['method', 'parameters', 'lambdaAlign', 'rank', 'damping', 'antidote', 'weights'],
  ])
  const given =
    weights === undefined ? undefined : reader.list(weights, `${path}.weights`, base.experts.length)
  if (given && given.length !== base.experts.length)
    throw new Refusal(`${path}.weights has ${given.length} entries, expected ${base.experts.length}`)
  const before = reader.adjusted.length
  const experiment = readExperiment(
    reader,
    {
      ...base,
      ...change,
      experts: base.experts.map((expert, k) => (given ? { ...expert, weight: given[k] } : expert)),
    },
    path,
  )
  // Moved to its edge, a number would make these the results of another merge.
  if (reader.adjusted.length > before) throw new Refusal(`${reader.adjusted.at(-1)} is outside its range`)
  return { experiment, subject: { kind: 'merge', lambdaAlign: mergeLambda(experiment) } as Subject }
}

function readRow(reader: Reader, value: unknown, path: string, base: Experiment, limits: ResultLimits) {
  const fields = reader.object(value, path, ['of', 'aqi', 'points', 'said', 'skills', 'drift', 'labels'])
  const { experiment, subject } = readSubject(reader, fields.of, `${path}.of`, base)
  const measurement = emptyMeasurement(measurementKey(experiment, subject), subject)
  const ofViews = (id: 'aqi' | 'points') =>
    fields[id] === undefined ? {} : reader.object(fields[id], `${path}.${id}`, aqiViews)
  const [aqi, points] = [ofViews('aqi'), ofViews('points')]
  for (const view of aqiViews) {
    if (aqi[view] !== undefined) {
      const read = readAqi(reader, aqi[view], `${path}.aqi.${view}`)
      measurement.aqi[view] = read.aqi
      if (read.budget) measurement.budget[view] = read.budget
    }
    if (points[view] !== undefined)
      measurement.clusters[view] = readPoints(reader, points[view], `${path}.points.${view}`, limits.points)
  }
  if (fields.said !== undefined) measurement.behaviour = readBehaviour(reader, fields.said, `${path}.said`)
  if (fields.skills !== undefined)
    measurement.behaviour.skills = Object.fromEntries(
      namedEntries(reader, fields.skills, `${path}.skills`, 32, /^[\p{L}\p{N}][\p{L}\p{N} ._:-]{0,39}$/u).map(
        ([name, share]) => [name, readEstimate(reader, share, `${path}.skills.${name}`, unit)],
      ),
    )
  if (fields.drift !== undefined) {
    const [own, heldOut, otherSource, total, ...byLayer] = reader
      .list(fields.drift, `${path}.drift`, 4 + 256)
      .map((entry, index) => reader.within(entry, `${path}.drift[${index}]`, 0, MOST))
    if (total === undefined) throw new Refusal(`${path}.drift has fewer than 4 entries`)
    measurement.drift = { own: own!, heldOut: heldOut!, otherSource: otherSource!, total, byLayer }
  }
  if (fields.labels !== undefined)
    measurement.labels = Object.fromEntries(
      namedEntries(reader, fields.labels, `${path}.labels`, 4, /^[0-9a-f]{64}$/).map(([digest, scores]) => [
        digest,
        readLabels(reader, scores, `${path}.labels`, digest),
      ]),
    )
  return measurement
}

function readBehaviour(reader: Reader, value: unknown, path: string): Partial<Behaviour> {
  const said = reader.object(value, path, [...sharesOfBehaviour, 'answerLoss'])
  const behaviour: Partial<Behaviour> = {}
  for (const name of sharesOfBehaviour)
    if (said[name] !== undefined) behaviour[name] = readEstimate(reader, said[name], `${path}.${name}`, unit)
  if (said.answerLoss !== undefined)
    behaviour.answerLoss = readEstimate(reader, said.answerLoss, `${path}.answerLoss`, { min: 0, max: 1000 })
  return behaviour
}

function readLabels(reader: Reader, value: unknown, path: string, labeller: string): MeasuredLabels {
  const scores = reader.object(value, path, ['toxicity', 'judge'])
  const labels: MeasuredLabels = { labeller }
  for (const label of ['toxicity', 'judge'] as const)
    if (scores[label] !== undefined)
      labels[label] = readEstimate(reader, scores[label], `${path}.${label}`, unit)
  return labels
}

function readModels(reader: Reader, value: unknown, base: Experiment): ModelSummary[] {
  const origins = [base.anchor, ...base.experts.map(({ origin }) => origin)]
  const given = reader.list(value, 'results.models', origins.length)
  if (given.length !== origins.length)
    throw new Refusal(`results.models has ${given.length} entries, expected ${origins.length}`)
  return given.map((entry, index) => {
    const path = `results.models[${index}]`
    const model = reader.object(entry, path, ['name', 'role', 'skill', 'architecture', 'dtype', 'size'])
    const size = reader.list(model.size, `${path}.size`, 4)
    const [parameterCount, layerCount, hiddenSize, byteLength] = [1e13, 256, 1e6, 1e14].map((most, at) =>
      reader.count(size[at], `${path}.size[${at}]`, most),
    ) as [number, number, number, number]
    const origin = origins[index]!
    return {
      ...{ id: originKey(origin), origin, description: '' },
      name: reader.words(model.name, `${path}.name`, 100),
      role: reader.choice(model.role, `${path}.role`, roles),
      ...(model.skill !== undefined && { skill: reader.words(model.skill, `${path}.skill`, 40) }),
      architecture: reader.words(model.architecture, `${path}.architecture`, 100),
      dtype: reader.words(model.dtype, `${path}.dtype`, 20),
      ...{ parameterCount, layerCount, hiddenSize, byteLength },
    }
  })
}

function readGeometry(reader: Reader, value: unknown, base: Experiment): GeometrySummary {
  const path = 'results.geometry'
  const fields = reader.object(value, path, [
    ...['eigenvalues', 'rank', 'explained', 'metric', 'fast', 'identity', 'own', 'heldOut', 'other', 'gram'],
    ...['conflict', 'ms'],
  ])
  const K = base.experts.length
  const numbers = (list: unknown, where: string, most: number, min: number) =>
    reader.list(list, where, most).map((entry, at) => reader.within(entry, `${where}[${at}]`, min, MOST))
  const rows = (id: string, most: number) => {
    const list = reader.list(fields[id], `${path}.${id}`, K)
    if (list.length !== K) throw new Refusal(`${path}.${id} has ${list.length} rows, expected ${K}`)
    return list.map((row, k) => numbers(row, `${path}.${id}[${k}]`, most, -MOST))
  }
  const correlation = (id: 'metric' | 'fast') =>
    typeof fields[id] === 'string'
      ? reader.words(fields[id], `${path}.${id}`, 200)
      : reader.within(fields[id], `${path}.${id}`, -1, 1)
  const gram = rows('gram', K)
  if (gram.some((row) => row.length !== K)) throw new Refusal(`${path}.gram is not square`)
  return {
    key: geometryKey(base),
    eigenvalues: numbers(fields.eigenvalues, `${path}.eigenvalues`, 1024, -MOST),
    rank: reader.count(fields.rank, `${path}.rank`, 1024),
    explained: reader.within(fields.explained, `${path}.explained`, 0, 1.001),
    metricCorrelation: correlation('metric'),
    fastFormCorrelation: correlation('fast'),
    identityDifference: reader.within(fields.identity, `${path}.identity`, 0, MOST),
    alignmentCoordinates: rows('own', 64),
    heldOutCoordinates: rows('heldOut', 64),
    otherCoordinates: rows('other', 64),
    gram,
    conflictByLayer: reader
      .list(fields.conflict, `${path}.conflict`, 256)
      .map((entry, at) =>
        entry === null ? null : reader.within(entry, `${path}.conflict[${at}]`, -MOST, MOST),
      ),
    durationMs: reader.within(fields.ms, `${path}.ms`, 0, 1e12),
  }
}

/** Results of `experiment`, or why they are none; nothing of them is shown then. */
export function unpackResults(
  value: unknown,
  experiment: Experiment,
  limits: ResultLimits = linkLimits,
): Validated<UnpackedResults> {
  return validated((reader) => {
    const content = upgradeResults(reader, value)
    const fields = reader.object(content, 'results', ['on', 'models', 'geometry', 'rows'])
    const geometry =
      fields.geometry === undefined ? undefined : readGeometry(reader, fields.geometry, experiment)
    const measurements: Record<string, Measurement> = {}
    for (const [index, row] of reader.list(fields.rows, 'results.rows', limits.rows).entries()) {
      const measurement = readRow(reader, row, `results.rows[${index}]`, experiment, limits)
      const id = measurementId(measurement.key, measurement.subject)
      if (id in measurements)
        throw new Refusal(`results.rows[${index}] is of something that was there before`)
      measurements[id] = measurement
    }
    return {
      models: readModels(reader, fields.models, experiment),
      measurements,
      geometries: geometry ? { [geometry.key]: geometry } : {},
      ...(fields.on !== undefined && { adapter: reader.words(fields.on, 'results.on', 100) }),
    }
  })
}
