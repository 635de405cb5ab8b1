// The engine behind the worker's interface: owns device and session, resolves the page's experiment to a setup,
// and turns results into plain data. No numerics of its own.

import { EngineError } from '../src/core/errors.ts'
import type { AqiView } from '../src/core/evaluate/aqiVectors.ts'
import type { ViewMeasurement } from '../src/core/evaluate/aqiViews.ts'
import { isUnavailable } from '../src/core/evaluate/estimate.ts'
import { openDropped } from '../src/core/files/adapter/droppedAdapter.ts'
import { type Checkpoint, openCheckpoint } from '../src/core/files/checkpoint.ts'
import { urlFolder } from '../src/core/files/folder.ts'
import { Gpu } from '../src/core/gpu/device.ts'
import type { DeviceModel } from '../src/core/model/deviceModel.ts'
import { layerConflict } from '../src/core/session/conflict.ts'
import { expertCoordinates, identityDifference, MAXIMUM_RANK } from '../src/core/session/geometry.ts'
import { Measures } from '../src/core/session/measures.ts'
import type { AlignReport as AlignDriverReport } from '../src/core/session/mergeSlots.ts'
import { type JobOptions, Session, type Setup } from '../src/core/session/session.ts'
import { geometryKey, measurementKey, mergeKey, originKey, subjectKey } from '../src/share/experimentKey.ts'
import { AfterMerge, runWeightSearch } from './afterMerge.ts'
import { Answering } from './answering.ts'
import type {
  AlignReport,
  Answer,
  EngineApi,
  EngineEvent,
  Experiment,
  MeasurablePart,
  MeasuredPart,
  ModelOrigin,
  ModelRole,
  ModelSummary,
  Subject,
} from './api.ts'
import { builtInUrl, fetchProbes, fetchZooIndex } from './builtIn.ts'
import { digestWeights } from './digest.ts'
import { directoryEntries, zipEntries } from './exportMerge.ts'
import { type Job, JobQueue } from './jobs.ts'
import { LabellerSlot } from './labeller.ts'
import { factsOf } from './modelFacts.ts'
import { openSource } from './openSource.ts'
import { opinionOf } from './opinion.ts'
import { brokenBy, runSelfTest } from './selfTest.ts'

interface Live {
  gpu: Gpu
  session: Session
  measures: Measures
  after: AfterMerge
  /** set by a self-test that failed: nothing is merged on this device */
  broken?: EngineError | undefined
}

export function createEngine(): EngineApi {
  let live: Live | undefined
  // Resolves when the page has it, where the page is on the other side of a port.
  let emit: (event: EngineEvent) => void | Promise<void> = () => {}
  const labeller = new LabellerSlot()
  const answering = new Answering()
  const queue = new JobQueue((progress) => emit({ kind: 'progress', progress }))

  const current = (): Live => {
    if (!live) throw new EngineError('device-lost', 'the engine is not open')
    live.gpu.check()
    return live
  }
  const assertSound = (): void => {
    const { broken } = current()
    if (broken) throw broken
  }
  const optionsOf = (job: Job): JobOptions => ({ signal: job.signal, onProgress: job.report })

  async function openModel(
    job: Job,
    origin: ModelOrigin,
    checkpoint: Checkpoint,
    about: { name: string; role: ModelRole; description: string; skill?: string },
  ): Promise<ModelSummary> {
    const { session, measures } = current()
    const id = originKey(origin)
    measures.forget(id)
    await session.load(id, checkpoint, optionsOf(job))
    return { id, ...about, origin, ...factsOf(checkpoint) }
  }

  async function openListed(job: Job, family?: string): Promise<ModelSummary[]> {
    const summaries: ModelSummary[] = []
    for (const { id, ...about } of await fetchZooIndex(family)) {
      const checkpoint = await openCheckpoint(urlFolder(builtInUrl(id)), job.signal)
      summaries.push(await openModel(job, { kind: 'built-in', id }, checkpoint, about))
    }
    return summaries
  }

  /** The model a subject stands for; a merge is written anew, which takes milliseconds. */
  async function subjectModel(
    experiment: Experiment,
    subject: Subject,
    options: JobOptions,
  ): Promise<DeviceModel> {
    const { session } = current()
    if (subject.kind === 'model') return session.get(subject.id).model
    assertSound()
    const setup = { ...setupOf(experiment), lambdaAlign: subject.lambdaAlign }
    if (experiment.antidote > 0) return current().after.apply(session, setup, experiment.antidote, options)
    return session.merge(setup, options)
  }

  async function measurePart(
    job: Job,
    experiment: Experiment,
    subject: Subject,
    part: MeasurablePart,
  ): Promise<void> {
    const { measures } = current()
    const options = optionsOf(job)
    const setup = setupOf(experiment)
    const key = measurementKey(experiment, subject)
    const id = `${key}/${subjectKey(subject)}`
    const begun = performance.now()
    const send = (found: Omit<MeasuredPart, 'key' | 'subject' | 'durationMs'>) =>
      emit({ kind: 'measured', part: { key, subject, durationMs: performance.now() - begun, ...found } })
    if (part === 'labels') {
      if (!labeller.isRemembered(id)) await measurePart(job, experiment, subject, 'behaviour')
      // Waited for: the page looks for the labels as soon as this call has ended.
      await send({ labels: await labeller.measure(id, experiment.seed, job) })
      return
    }
    const model = await subjectModel(experiment, subject, options)
    if (part === 'drift') send({ drift: await measures.drift(setup, model, options) })
    else if (part === 'aqi') {
      for (const view of ['prompts', 'completions'] as const)
        send(viewPart(view, await measures.aqi(setup, view, model, experiment.probesPerClass, options)))
    } else {
      const { behaviour, answers, answered } = await measures.behaviour(
        setup,
        model,
        experiment.probesPerClass,
        { ...options, onPart: (found) => send({ behaviour: found }) },
      )
      labeller.remember(id, answered)
      send({ behaviour, ...viewPart('answers', answers) })
    }
  }

  return {
    async open(onEvent) {
      emit = onEvent
      queue.cancelAll()
      live?.gpu.close()
      live = undefined
      await labeller.clear()
      await answering.dispose()
      const gpu = await Gpu.open(navigator.gpu)
      const opened: Live = {
        gpu,
        session: new Session(gpu, await fetchProbes()),
        measures: undefined as unknown as Measures,
        after: new AfterMerge(),
      }
      opened.measures = new Measures(opened.session)
      live = opened
      void gpu.lost.then((reason) => {
        if (live === opened) emit({ kind: 'device-lost', reason })
      })
      return gpu.summary
    },

    openBuiltIn: (jobId) => queue.run(jobId, (job) => openListed(job)),
    openFamily: (jobId, family) => queue.run(jobId, (job) => openListed(job, family)),

    openFiles: (jobId, files) =>
      queue.run(jobId, async (job) => {
        const open = [...current().session.models.values()].map((model) => model.checkpoint)
        const checkpoint = await openDropped(files, open, job.signal)
        const origin: ModelOrigin = {
          kind: 'files',
          name: checkpoint.name,
          digest: await digestWeights(checkpoint, job),
        }
        return openModel(job, origin, checkpoint, {
          name: checkpoint.name,
          role: 'other',
          description: 'from dropped files',
        })
      }),

    openUrl: (jobId, url) =>
      queue.run(jobId, async (job) => {
        const checkpoint = await openCheckpoint(urlFolder(url), job.signal)
        return openModel(job, { kind: 'url', url }, checkpoint, {
          name: checkpoint.name,
          role: 'other',
          description: url,
        })
      }),

    openSource: (jobId, request, token) =>
      queue.run(jobId, async (job) => {
        const { checkpoint, origin, name, description } = await openSource(request, token, job)
        return openModel(job, origin, checkpoint, { name, role: 'other', description })
      }),

    close: (id) =>
      queue.run(undefined, async () => {
        const { session, measures } = current()
        current().after.dispose()
        session.close(id)
        measures.forget(id)
      }),

    prepare: (jobId, experiment) =>
      queue.run(jobId, async (job) => {
        const begun = performance.now()
        assertSound()
        const { session } = current()
        const setup = setupOf(experiment)
        const geometry = await session.prepare(setup, optionsOf(job))
        const checks = await session.metricChecks(setup, optionsOf(job))
        const K = setup.experts.length
        const experts = setup.experts.map(({ id }) => session.get(id).model)
        const conflict = await layerConflict(session.get(setup.anchor).model, experts, job.signal)
        const equal = new Float64Array(K).fill(1 / K)
        const basis = geometry.bases.own
        return {
          key: geometryKey(experiment),
          eigenvalues: Array.from(basis.eigenvalues),
          rank: basis.rank,
          explained: basis.explained,
          metricCorrelation: checks.metric,
          fastFormCorrelation: checks.fastForm,
          // At the hard projection with equal weights: a function of the geometry alone, like all of this summary.
          identityDifference: identityDifference(geometry, equal, Number.POSITIVE_INFINITY, MAXIMUM_RANK),
          alignmentCoordinates: expertCoordinates(geometry, 'own'),
          heldOutCoordinates: expertCoordinates(geometry, 'heldOut'),
          otherCoordinates: expertCoordinates(geometry, 'other'),
          gram: Array.from({ length: K }, (_, k) => Array.from(geometry.gram.subarray(k * K, (k + 1) * K))),
          conflictByLayer: conflict.map((value) => (Number.isFinite(value) ? value : null)),
          durationMs: performance.now() - begun,
        }
      }),

    applyMerge: (experiment) =>
      queue.run(
        undefined,
        async () => {
          const begun = performance.now()
          const { gpu } = current()
          const subject: Subject = { kind: 'merge', lambdaAlign: experiment.lambdaAlign }
          await subjectModel(experiment, subject, {})
          await gpu.idle()
          const report = current().session.merges.report({
            ...setupOf(experiment),
            lambdaAlign: experiment.lambdaAlign,
          })
          return {
            key: mergeKey(experiment),
            durationMs: performance.now() - begun,
            ...(report && { align: alignReportOf(report) }),
          }
        },
        true,
      ),

    measure: (jobId, experiment, subject, parts) =>
      queue.run(jobId, async (job) => {
        for (const part of parts) await measurePart(job, experiment, subject, part)
      }),

    setLabeller: (jobId, request) => queue.run(jobId, (job) => labeller.plug(request, job)),

    answer: (jobId, experiment, prompt) =>
      queue.run(
        jobId,
        async (job) => {
          const { session } = current()
          const setup = setupOf(experiment)
          const { codec } = session.get(setup.anchor)
          const subjects: Subject[] = [
            ...[setup.anchor, ...setup.experts.map(({ id }) => id)].map(
              (id): Subject => ({ kind: 'model', id }),
            ),
            { kind: 'merge', lambdaAlign: experiment.lambdaAlign },
          ]
          const question = { prompt, codec, probes: session.probes }
          const answers: Answer[] = []
          for (const subject of subjects) {
            const model = await subjectModel(experiment, subject, optionsOf(job))
            answers.push(await answering.answer(session.gpu, subject, model, question, job))
          }
          return answers
        },
        true,
      ),

    exportZip: (jobId, experiment) =>
      queue.run(jobId, async (job) => {
        const merged = await subjectModel(
          experiment,
          { kind: 'merge', lambdaAlign: experiment.lambdaAlign },
          optionsOf(job),
        )
        return zipEntries(current().session, setupOf(experiment), merged, job)
      }),

    exportDirectory: (jobId, experiment, directory) =>
      queue.run(jobId, async (job) => {
        const merged = await subjectModel(
          experiment,
          { kind: 'merge', lambdaAlign: experiment.lambdaAlign },
          optionsOf(job),
        )
        return directoryEntries(current().session, setupOf(experiment), merged, directory, job)
      }),

    selfTest: (jobId) =>
      queue.run(jobId, async (job) => {
        const opened = current()
        const result = await runSelfTest(opened.gpu, job)
        opened.broken = brokenBy(result)
        return result
      }),

    secondOpinion: (jobId, experiment, subject) =>
      queue.run(jobId, async (job) => {
        const { session, gpu } = current()
        const model = await subjectModel(experiment, subject, optionsOf(job))
        const { codec } = session.get(originKey(experiment.anchor))
        return { subject, ...(await opinionOf(gpu, model, codec, session.probes, job)) }
      }),

    searchWeights: (jobId, experiment, request) =>
      queue.run(jobId, (job) =>
        runWeightSearch(current().session, setupOf(experiment), request, job, (event) => emit(event)),
      ),

    antidote: (jobId, experiment, isSearch) =>
      queue.run(jobId, (job) =>
        current().after.report(
          current().session,
          setupOf(experiment),
          experiment.antidote,
          isSearch,
          optionsOf(job),
        ),
      ),

    cancel: (jobId) => queue.cancel(jobId),
  }
}

/** What the page shows of AlignMerge's rounds and search. */
function alignReportOf(report: AlignDriverReport): AlignReport {
  const { stage, lambdaAlign, scale, rounds, isAccepted, budgets, trace } = report
  return {
    stage,
    lambdaAlign,
    scale,
    rounds,
    isAccepted,
    budgets: budgets.map(({ name, value, threshold, violation }) => ({ name, value, threshold, violation })),
    evaluations: trace.length,
  }
}

/** The session's setup of a page's experiment; model ids are origin keys. */
function setupOf(experiment: Experiment): Setup {
  return {
    method: experiment.method,
    anchor: originKey(experiment.anchor),
    experts: experiment.experts.map(({ origin, weight }) => ({ id: originKey(origin), weight })),
    lambdaAlign: experiment.lambdaAlign,
    rank: experiment.rank,
    damping: experiment.damping,
    metric: experiment.metric,
    source: experiment.source,
    fisher: experiment.fisher,
    seed: experiment.seed,
    parameters: experiment.parameters,
    references: Object.fromEntries(
      Object.entries(experiment.references).map(([role, origin]) => [role, originKey(origin)]),
    ),
  }
}

/** A view's results as parts; what is unavailable is left out of budget and points, its reason is in the AQI. */
function viewPart(
  view: AqiView,
  { result, budget, points }: ViewMeasurement,
): Pick<MeasuredPart, 'aqi' | 'budget' | 'clusters'> {
  return {
    aqi: { [view]: result },
    ...(isUnavailable(budget) ? {} : { budget: { [view]: budget } }),
    ...(isUnavailable(points) ? {} : { clusters: { [view]: points } }),
  }
}
