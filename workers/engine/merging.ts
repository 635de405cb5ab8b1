// The merge itself: geometry, the merge in its slot, weights chosen by data, the antidote, and what is written out.

import type { AlignReport as AlignDriverReport } from '../../src/core/session/mergeSlots.ts'
import { summariseGeometry } from '../../src/core/session/summary.ts'
import { geometryKey, mergeKey } from '../../src/share/experimentKey.ts'
import { runWeightSearch } from '../afterMerge.ts'
import type { AlignReport, EngineApi, Experiment, GeometrySummary } from '../api.ts'
import { directoryEntries, zipEntries } from '../exportMerge.ts'
import type { Job } from '../jobs.ts'
import { type EngineContext, setupOf } from './context.ts'

type MergingApi = Pick<
  EngineApi,
  'prepare' | 'applyMerge' | 'searchWeights' | 'antidote' | 'exportZip' | 'exportDirectory'
>

export function mergingWing(context: EngineContext): MergingApi {
  const { queue } = context

  async function prepare(job: Job, experiment: Experiment): Promise<GeometrySummary> {
    const begun = performance.now()
    context.assertSound()
    const { session } = context.current()
    const numbers = await summariseGeometry(session, setupOf(experiment), context.optionsOf(job))
    return {
      key: geometryKey(experiment),
      ...numbers,
      durationMs: performance.now() - begun,
    }
  }

  return {
    prepare: (jobId, experiment) => queue.run(jobId, (job) => prepare(job, experiment)),

    applyMerge: (experiment) =>
      queue.run(
        undefined,
        async () => {
          const begun = performance.now()
          const { gpu, session } = context.current()
          await context.mergeOf(experiment, {})
          await gpu.idle()
          const report = session.merges.report({
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

    searchWeights: (jobId, experiment, request) =>
      queue.run(jobId, (job) =>
        runWeightSearch(context.current().session, setupOf(experiment), request, job, (event) =>
          context.emit(event),
        ),
      ),

    antidote: (jobId, experiment, isSearch) =>
      queue.run(jobId, (job) => {
        const { after, session } = context.current()
        const options = context.optionsOf(job)
        return after.report(session, setupOf(experiment), experiment.antidote, isSearch, options)
      }),

    exportZip: (jobId, experiment) =>
      queue.run(jobId, async (job) => {
        const merged = await context.mergeOf(experiment, context.optionsOf(job))
        return zipEntries(context.current().session, setupOf(experiment), merged, job)
      }),

    exportDirectory: (jobId, experiment, directory) =>
      queue.run(jobId, async (job) => {
        const merged = await context.mergeOf(experiment, context.optionsOf(job))
        return directoryEntries(context.current().session, setupOf(experiment), merged, directory, job)
      }),
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
