// The engine behind the worker's interface: one context (device, session, queue) and one wing for each kind of work.
// A new kind of work is a type in api/, a wing in engine/ and a line here; what cpuEngine.ts does in the same way stands
// beside it in sharedContext.ts and *Work.ts. No numerics of its own.

import type { EngineApi } from './api.ts'
import { EngineContext } from './engine/context.ts'
import { measuringWing } from './engine/measuring.ts'
import { mergingWing } from './engine/merging.ts'
import { modelsWing } from './engine/models.ts'
import { playWing } from './engine/play.ts'
import { probesWing } from './engine/probes.ts'
import { pushWing } from './engine/push.ts'
import { trainingWing } from './engine/training.ts'

export function createEngine(): EngineApi {
  const context = new EngineContext()
  return {
    open: (onEvent) => context.open(onEvent),
    cancel: (jobId) => context.queue.cancel(jobId),
    ...modelsWing(context),
    ...mergingWing(context),
    ...measuringWing(context),
    ...probesWing(context),
    ...trainingWing(context),
    ...pushWing(context),
    ...playWing(context),
  }
}
