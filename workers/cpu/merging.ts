// Models, geometry and merges without WebGPU: the built-in models, shipped geometry, references.

import { weightOf } from '../../src/core/session/cpu/hostWeights.ts'
import { encodeWeights } from '../../src/core/tensors/dtype.ts'
import { geometryKey, mergeKey } from '../../src/share/experimentKey.ts'
import type { EngineApi, Experiment, GeometrySummary } from '../api.ts'
import { directoryEntries, type MergedWeights, zipEntries } from '../exportMerge.ts'
import type { Job } from '../jobs.ts'
import type { CpuContext } from './context.ts'

type MergingApi = Pick<
  EngineApi,
  'openBuiltIn' | 'openFamily' | 'close' | 'prepare' | 'applyMerge' | 'exportZip' | 'exportDirectory'
>

export function cpuMergingWing(context: CpuContext): MergingApi {
  const { queue } = context

  async function prepare(job: Job, experiment: Experiment): Promise<GeometrySummary> {
    const begun = performance.now()
    const setup = context.mergeSetup({ ...experiment, antidote: 0 }, experiment.lambdaAlign)
    const { input } = await context.current().session.prepare(setup, context.optionsOf(job))
    return { key: geometryKey(experiment), ...input.numbers, durationMs: performance.now() - begun }
  }

  /** The merge of an experiment for writing it out. */
  async function written(job: Job, experiment: Experiment): Promise<MergedWeights> {
    const { session } = context.current()
    const setup = context.mergeSetup(experiment, experiment.lambdaAlign)
    const { layout, values, type } = await session.merge(setup, context.optionsOf(job))
    const places = new Map(layout.weights.map((weight) => [weight.name, weight]))
    return {
      type,
      readStored: async (name) => encodeWeights(weightOf(places.get(name)!, values), type),
    }
  }

  return {
    openBuiltIn: (jobId) => queue.run(jobId, (job) => context.openListed(job)),
    openFamily: (jobId, family) => queue.run(jobId, (job) => context.openListed(job, family)),
    close: (id) =>
      queue.run(undefined, async () => {
        const { session, measures } = context.current()
        await session.close(id)
        measures.forget(id)
      }),

    prepare: (jobId, experiment) => queue.run(jobId, (job) => prepare(job, experiment)),

    applyMerge: (experiment) =>
      queue.run(
        undefined,
        async (job) => {
          const begun = performance.now()
          const setup = context.mergeSetup(experiment, experiment.lambdaAlign)
          await context.current().session.merge(setup, context.optionsOf(job))
          return { key: mergeKey(experiment), durationMs: performance.now() - begun }
        },
        true,
      ),

    exportZip: (jobId, experiment) =>
      queue.run(jobId, async (job) => {
        const merged = await written(job, experiment)
        const setup = context.mergeSetup(experiment, experiment.lambdaAlign)
        return zipEntries(context.current().session, setup, merged, job)
      }),

    exportDirectory: (jobId, experiment, directory) =>
      queue.run(jobId, async (job) => {
        const merged = await written(job, experiment)
        const setup = context.mergeSetup(experiment, experiment.lambdaAlign)
        return directoryEntries(context.current().session, setup, merged, directory, job)
      }),
  }
}
