// Runs a method over all tensors of a plan. Where tensors come from and go to is the caller's: models that stand
// on the device (deviceMerge.ts) or files streamed through it.

import { throwIfCancelled } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'
import { paddedCount } from '../model/deviceModel.ts'
import type {
  MaterialSource,
  MergeMethod,
  ModelTask,
  OpenTensor,
  PlannedTensor,
  ShieldSource,
  TensorTask,
} from './method.ts'

export interface MergeJob {
  gpu: Gpu
  tensors: readonly PlannedTensor[]
  layerCount: number
  seed: number
  material?: MaterialSource | undefined
  shield?: ShieldSource | undefined
  /** Buffers of one tensor; called again for a survey. */
  open(tensor: PlannedTensor): OpenTensor | Promise<OpenTensor>
  /** After a tensor is merged, or only looked at (`isWritten` false). */
  close?(tensor: PlannedTensor, opened: OpenTensor, isWritten: boolean): void | Promise<void>
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

async function withTask(
  job: MergeJob,
  tensor: PlannedTensor,
  isWritten: boolean,
  work: (task: TensorTask) => void | Promise<void>,
): Promise<void> {
  throwIfCancelled(job.signal)
  const opened = await job.open(tensor)
  const count = tensor.shape.reduce((a, b) => a * b, 1)
  const taken: GPUBuffer[] = []
  const scratch = (byteLength: number) => {
    const buffer = job.gpu.pool.take(byteLength)
    taken.push(buffer)
    return buffer
  }
  try {
    await work({
      ...tensor,
      ...opened,
      gpu: job.gpu,
      layerCount: job.layerCount,
      seed: job.seed,
      count,
      padded: paddedCount(count),
      shield: job.shield,
      material: (kind, k = 'base') => job.material?.(kind, tensor.name, k, scratch),
      scratch,
    })
  } finally {
    job.gpu.pool.release(...taken)
    await job.close?.(tensor, opened, isWritten)
  }
}

/** Merges every tensor, in order; work is done when the queue is. Rejects `cancelled` between tensors. */
export async function runMerge<S>(method: MergeMethod<S>, job: MergeJob): Promise<void> {
  const { gpu, tensors, layerCount, seed, signal } = job
  const model: ModelTask = {
    gpu,
    tensors,
    layerCount,
    seed,
    signal,
    forEach: async (work) => {
      for (const tensor of tensors) await withTask(job, tensor, false, work)
    },
  }
  const survey = (await method.survey?.(model)) as S
  try {
    for (const [index, tensor] of tensors.entries()) {
      await withTask(job, tensor, true, (task) => method.merge(task, survey))
      job.onProgress?.(index + 1, tensors.length)
    }
    gpu.flush()
    gpu.check()
  } finally {
    method.release?.(survey)
  }
}
