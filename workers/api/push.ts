// The merge to a hub. Types only. The token travels in this call and is kept on neither side of it.

import type { PushedFolder, PushTarget } from '../../src/core/sources/pushFolder.ts'
import type { Experiment } from '../api.ts'

export type { PushedFolder, PushTarget }

export interface PushApi {
  /** Writes the merge and uploads it as a Hugging Face folder in one commit. */
  pushMerge(jobId: number, experiment: Experiment, target: PushTarget): Promise<PushedFolder>
}
