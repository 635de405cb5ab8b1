// The page's own plan, done in Node: every task of an experiment over a session with the built-in models.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Experiment, GeometrySummary, ModelSummary, Subject } from '../../../workers/api.ts'
import type { ViewMeasurement } from '../../core/evaluate/aqiViews.ts'
import { isUnavailable } from '../../core/evaluate/estimate.ts'
import type { Labeller } from '../../core/evaluate/labeller/labeller.ts'
import { labelItems, measureLabels } from '../../core/evaluate/labeller/measureLabels.ts'
import { openRules } from '../../core/evaluate/labeller/ruleLabeller.ts'
import { readProbes } from '../../core/evaluate/probes.ts'
import { openCheckpoint } from '../../core/files/checkpoint.ts'
import { Gpu } from '../../core/gpu/device.ts'
import type { DeviceModel } from '../../core/model/deviceModel.ts'
import { Measures } from '../../core/session/measures.ts'
import { Session } from '../../core/session/session.ts'
import { summariseGeometry } from '../../core/session/summary.ts'
import { lessons } from '../../help/lessons.ts'
import { type ShippedSet, shippedExperiment } from '../../help/shipped.ts'
import { geometryKey, measurementKey, mergeKey, originKey } from '../../share/experimentKey.ts'
import { emptyMeasurement, type Measurement, measurementId, type PartName } from '../../share/measurement.ts'
import { statedParameters } from '../../share/methods.ts'
import type { ResultRow } from '../../share/results.ts'
import { setupOf } from '../../share/setup.ts'
import { allTasks, sweepExperiment, sweepOrder } from '../../state/plan.ts'
import { nodeFolder } from '../nodeFolder.ts'
import { nodeGpu } from '../nodeGpu.ts'

export interface ShippedResults {
  models: ModelSummary[]
  geometry: GeometrySummary
  rows: ResultRow[]
  adapter: string
}

export interface ShippedStudio {
  session: Session
  measures: Measures
  measure(set: ShippedSet, say?: (line: string) => void): Promise<ShippedResults>
  /** One part of one subject, as the engine measures it. */
  measurePart(experiment: Experiment, subject: Subject, part: PartName): Promise<Measurement>
  summarise(experiment: Experiment): Promise<GeometrySummary>
  close(): void
}

/** A session with all built-in models below `site`/zoo; the device is opened unless given. */
export async function openShippedStudio(site: string, shared?: Gpu): Promise<ShippedStudio> {
  const text = (path: string) => readFile(join(site, path), 'utf8')
  const probes = readProbes(JSON.parse(await text('zoo/probes.json')), 'probes.json')
  const labeller = await openRules(await text('labellers/rules.json'), 'rules.json')
  const index = JSON.parse(await text('zoo/index.json')) as {
    models: Pick<ModelSummary, 'id' | 'name' | 'role' | 'description' | 'skill'>[]
  }
  const gpu = shared ?? (await Gpu.open(await nodeGpu()))
  const session = new Session(gpu, probes)
  const models: ModelSummary[] = []
  for (const { id, ...about } of index.models) {
    const origin = { kind: 'built-in' as const, id }
    const checkpoint = await openCheckpoint(await nodeFolder(join(site, 'zoo', id)))
    await session.load(originKey(origin), checkpoint)
    const { config, rawConfig, parameterCount, dtype, byteLength } = checkpoint
    const architecture = String((rawConfig.architectures as unknown[] | undefined)?.[0] ?? config.family)
    models.push({
      ...{ id: originKey(origin), ...about, origin, architecture, parameterCount, dtype, byteLength },
      ...{ layerCount: config.layerCount, hiddenSize: config.hiddenSize },
    })
  }
  return studioOf(session, models, labeller, () => {
    session.dispose()
    if (!shared) gpu.close()
  })
}

function studioOf(
  session: Session,
  models: readonly ModelSummary[],
  labeller: Labeller,
  close: () => void,
): ShippedStudio {
  const measures = new Measures(session)
  const modelOf = (experiment: Experiment, subject: Subject): Promise<DeviceModel> | DeviceModel =>
    subject.kind === 'model'
      ? session.get(subject.id).model
      : session.merge({ ...setupOf(experiment), lambdaAlign: subject.lambdaAlign })

  async function measureInto(
    measurement: Measurement,
    experiment: Experiment,
    subject: Subject,
    part: PartName,
  ): Promise<void> {
    const setup = setupOf(experiment)
    const model = await modelOf(experiment, subject)
    const { probesPerClass, seed } = experiment
    measurement.complete.push(part)
    if (part === 'drift') measurement.drift = await measures.drift(setup, model)
    else if (part === 'aqi')
      for (const view of ['prompts', 'completions'] as const)
        takeView(measurement, view, await measures.aqi(setup, view, model, probesPerClass))
    else {
      const { behaviour, answers, answered } = await measures.behaviour(setup, model, probesPerClass)
      measurement.behaviour = behaviour
      takeView(measurement, 'answers', answers)
      measurement.labels[labeller.digest] = await measureLabels(labeller, labelItems(answered), seed)
    }
  }

  async function summarise(experiment: Experiment): Promise<GeometrySummary> {
    const begun = performance.now()
    const numbers = await summariseGeometry(session, setupOf(experiment))
    return { key: geometryKey(experiment), ...numbers, durationMs: performance.now() - begun }
  }

  return {
    ...{ session, measures, summarise, close },
    async measurePart(experiment, subject, part) {
      const measurement = emptyMeasurement(measurementKey(experiment, subject), subject)
      await measureInto(measurement, experiment, subject, part)
      return measurement
    },
    async measure(set, say = () => {}) {
      const base = shippedExperiment(set)
      const ids = [base.anchor, ...base.experts.map(({ origin }) => origin)].map(originKey)
      const rows = new Map<string, ResultRow>()
      const geometry = await summarise(base)
      for (const lesson of set.lessons) {
        const experiment: Experiment = lessons[lesson]
        // Rounds and searches at every λ would be most of the bytes; the page measures those when somebody looks.
        const isPlain = Object.keys(statedParameters(experiment.method, experiment.parameters)).length === 0
        const points = sweepOrder.map((lambdaAlign) => ({ ...sweepExperiment(experiment), lambdaAlign }))
        const wishes = { points: isPlain ? points : [], pinned: [] }
        for (const task of allTasks(experiment, ids[0]!, ids.slice(1), wishes)) {
          if (task.kind !== 'measure') continue
          const { subject, part } = task
          const key = measurementKey(task.experiment, subject)
          const id = measurementId(key, subject)
          const row = rows.get(id) ?? {
            ...{ experiment: task.experiment, subject, measurement: emptyMeasurement(key, subject) },
          }
          rows.set(id, row)
          if (row.measurement.complete.includes(part)) continue
          const begun = performance.now()
          await measureInto(row.measurement, task.experiment, subject, part)
          const whom =
            subject.kind === 'model'
              ? subject.id
              : mergeKey({ ...task.experiment, lambdaAlign: subject.lambdaAlign })
          say(`${lesson}, ${whom}, ${part}: ${((performance.now() - begun) / 1000).toFixed(1)} s`)
        }
      }
      const cast = ids.map((id) => models.find((model) => model.id === id)!)
      return { models: cast, geometry, rows: [...rows.values()], adapter: session.gpu.summary.adapter }
    },
  }
}

/** A view's results; what is unavailable is left out of budget and points, its reason is in the AQI. */
function takeView(
  measurement: Measurement,
  view: 'prompts' | 'completions' | 'answers',
  { result, budget, points }: ViewMeasurement,
): void {
  measurement.aqi[view] = result
  if (!isUnavailable(budget)) measurement.budget[view] = budget
  if (!isUnavailable(points)) measurement.clusters[view] = points
}
