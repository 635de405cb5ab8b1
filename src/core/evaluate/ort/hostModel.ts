// A checkpoint that answers without any GPU: its weights in onnxruntime's wasm provider. What the studio falls back
// to where a browser has no WebGPU; measures that need gradients do not exist there.

import { throwIfCancelled } from '../../errors.ts'
import type { Checkpoint } from '../../files/checkpoint.ts'
import { decodeWeights } from '../../tensors/dtype.ts'
import { OrtModel } from './ortModel.ts'
import type { OrtModule } from './ortSession.ts'

/**
 * Opens a checkpoint on the CPU, weights widened to float32 (4 bytes per parameter, twice while it opens; onnxruntime
 * addresses 4 GiB). Rejects `runtime-failed`, `cancelled`, and what reading a weight rejects.
 */
export function openHostModel(
  ort: OrtModule,
  checkpoint: Checkpoint,
  options: { hasHidden?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<OrtModel> {
  const read = async (name: string) => {
    throwIfCancelled(options.signal)
    const { bytes, type } = await checkpoint.readWeight(name, options.signal)
    return decodeWeights(bytes, type)
  }
  return OrtModel.openHost(ort, checkpoint.config, read, { hasHidden: options.hasHidden ?? false })
}
