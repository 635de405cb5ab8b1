// The merge to a repository of a hub: written file by file into blobs, which browsers keep on disk, then uploaded.

import { pushFolder } from '../../src/core/sources/pushFolder.ts'
import type { PushApi } from '../api/push.ts'
import { blobEntries } from '../exportMerge.ts'
import { type EngineContext, setupOf } from './context.ts'

export function pushWing(context: EngineContext): PushApi {
  return {
    pushMerge: (jobId, experiment, target) =>
      context.queue.run(jobId, async (job) => {
        const merged = await context.mergeOf(experiment, context.optionsOf(job))
        const files = await blobEntries(context.current().session, setupOf(experiment), merged, job)
        return pushFolder(files, target, {
          title: `Upload a merge by ${experiment.method} with AlignMerge Studio`,
          signal: job.signal,
          onProgress: (done, total) => job.report('uploading', done, total),
        })
      }),
  }
}
