// What stands behind points and directions of the charts.

import { EngineError } from '../../src/core/errors.ts'
import { answerProbes } from '../../src/core/evaluate/probeAnswers.ts'
import { type Geometry, ROW_SETS, type RowSetName } from '../../src/core/session/geometry.ts'
import { measureModules, moduleCoordinates } from '../../src/core/session/moduleCoordinates.ts'
import { geometryKey, mergeKey, originKey } from '../../src/share/experimentKey.ts'
import type { ModuleSummary, ProbeAnswer, ProbesApi } from '../api/probes.ts'
import type { Experiment, Subject } from '../api.ts'
import type { Job } from '../jobs.ts'
import { answeredId, answerOf, pointWork } from '../pointWork.ts'
import { type EngineContext, setupOf } from './context.ts'

export const probesWing = (context: EngineContext): ProbesApi => {
  const { queue, answered } = context
  let known: { geometry: Geometry; summary: ModuleSummary } | undefined
  context.onClose(() => {
    known = undefined
  })

  async function answer(
    job: Job,
    experiment: Experiment,
    subject: Subject,
    ids: readonly string[],
  ): Promise<ProbeAnswer[]> {
    const { session, measures } = context.current()
    const id = answeredId(experiment, subject)
    const before = answered.answersOf(id)
    const missing = new Set(ids.filter((probe) => !before.has(probe)))
    // The user's own prompts where the experiment names them.
    const file = measures.probesOf(setupOf(experiment), experiment.probesPerClass)
    const probes = file.items.filter((probe) => missing.delete(probe.id))
    for (const unknown of missing)
      throw new EngineError('request-invalid', `there is no probe ${JSON.stringify(unknown.slice(0, 60))}`)
    if (probes.length > 0) {
      const model = await context.subjectModel(experiment, subject, context.optionsOf(job))
      const speaker = (await session.answerWith?.(model)) ?? model
      const { codec } = session.get(originKey(experiment.anchor))
      const found = await answerProbes(speaker, codec, file, probes, {
        signal: job.signal,
        onProgress: (done, total) => job.report('answers', done, total),
      })
      answered.remember(id, found, false)
    }
    const all = answered.answersOf(id)
    return ids.map((probe) => answerOf(all.get(probe)!))
  }

  return {
    ...pointWork(context),

    // Before the background's next measurement: somebody is looking at the point.
    answerProbes: (jobId, experiment, subject, probes) =>
      queue.run(jobId, (job) => answer(job, experiment, subject, probes), true),

    moduleCoordinates: (jobId, experiment) =>
      queue.run(jobId, async (job) => {
        const begun = performance.now()
        context.assertSound()
        const geometry = await context.current().session.prepare(setupOf(experiment), context.optionsOf(job))
        const key = geometryKey(experiment)
        if (known?.geometry === geometry && known.summary.key === key) return known.summary
        const onProgress = (done: number, total: number) => job.report('layers and modules', done, total)
        const found = await moduleCoordinates(geometry, { signal: job.signal, onProgress })
        const summary = { ...found, key, ranks: ranksOf(geometry), durationMs: performance.now() - begun }
        known = { geometry, summary }
        return summary
      }),

    measureModules: (jobId, experiment) =>
      queue.run(jobId, async (job) => {
        const begun = performance.now()
        const options = context.optionsOf(job)
        const geometry = await context.current().session.prepare(setupOf(experiment), options)
        const model = await context.mergeOf(experiment, options)
        const found = await measureModules(geometry, model, { signal: job.signal })
        const durationMs = performance.now() - begun
        return { ...found, key: mergeKey(experiment), ranks: ranksOf(geometry), durationMs }
      }),
  }
}

const ranksOf = ({ bases }: Geometry) =>
  Object.fromEntries(ROW_SETS.map((which) => [which, bases[which].rank])) as Record<RowSetName, number>
