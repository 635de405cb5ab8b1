// Which models are open: built-in ones, dropped files, addresses, hubs, what is kept.

import { openDropped } from '../../src/core/files/adapter/droppedAdapter.ts'
import { openCheckpoint } from '../../src/core/files/checkpoint.ts'
import { urlFolder } from '../../src/core/files/folder.ts'
import type { EngineApi, ModelOrigin } from '../api.ts'
import { digestWeights } from '../digest.ts'
import { openSource } from '../openSource.ts'
import type { EngineContext } from './context.ts'

type ModelsApi = Pick<
  EngineApi,
  'openBuiltIn' | 'openFamily' | 'openFiles' | 'openUrl' | 'openSource' | 'close'
>

export function modelsWing(context: EngineContext): ModelsApi {
  const { queue } = context

  return {
    openBuiltIn: (jobId) => queue.run(jobId, (job) => context.openListed(job)),
    openFamily: (jobId, family) => queue.run(jobId, (job) => context.openListed(job, family)),

    openFiles: (jobId, files) =>
      queue.run(jobId, async (job) => {
        const open = [...context.current().session.models.values()].map((model) => model.checkpoint)
        const checkpoint = await openDropped(files, open, job.signal)
        const origin: ModelOrigin = {
          kind: 'files',
          name: checkpoint.name,
          digest: await digestWeights(checkpoint, job),
        }
        const about = { name: checkpoint.name, role: 'other', description: 'from dropped files' } as const
        return context.openModel(job, origin, checkpoint, about)
      }),

    openUrl: (jobId, url) =>
      queue.run(jobId, async (job) => {
        const checkpoint = await openCheckpoint(urlFolder(url), job.signal)
        const about = { name: checkpoint.name, role: 'other', description: url } as const
        return context.openModel(job, { kind: 'url', url }, checkpoint, about)
      }),

    openSource: (jobId, request, token) =>
      queue.run(jobId, async (job) => {
        const { checkpoint, origin, name, description } = await openSource(request, token, job)
        return context.openModel(job, origin, checkpoint, { name, role: 'other', description })
      }),

    close: (id) =>
      queue.run(undefined, async () => {
        const { session, measures, after } = context.current()
        after.dispose()
        session.close(id)
        measures.forget(id)
      }),
  }
}
