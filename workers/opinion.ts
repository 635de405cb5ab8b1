// The same weights through onnxruntime-web on our own device, compared with our logits on a few probes.

import { throwIfCancelled } from '../src/core/errors.ts'
import { OrtDecoder, relativeError } from '../src/core/evaluate/ort/secondOpinion.ts'
import { type ProbeFile, pickProbes } from '../src/core/evaluate/probes.ts'
import type { TextCodec } from '../src/core/files/tokenizer.ts'
import type { Gpu } from '../src/core/gpu/device.ts'
import { widen } from '../src/core/kernels/elementwise/elementwise.ts'
import { Batch } from '../src/core/model/batch.ts'
import { type DeviceModel, paddedCount } from '../src/core/model/deviceModel.ts'
import { allLogits } from '../src/core/model/gradients.ts'
import type { SecondOpinion } from './api.ts'
import type { Job } from './jobs.ts'

/** Largest relative difference of logits that counts as agreement in float32. */
export const OPINION_BOUND = 1e-4
const PROMPTS = 4

/** Opens a session, compares all logits of a few prompts, frees it. */
export async function opinionOf(
  gpu: Gpu,
  model: DeviceModel,
  codec: TextCodec,
  probes: ProbeFile,
  job: Job,
): Promise<Omit<SecondOpinion, 'subject'>> {
  job.report('loading onnxruntime-web', 0, PROMPTS + 1)
  const { loadOrtBrowser } = await import('../src/core/evaluate/ort/ortBrowser.ts')
  const decoder = await OrtDecoder.open(await loadOrtBrowser(), gpu.device, model.config)
  // onnxruntime takes one whole float32 buffer per tensor; other storage is widened for the comparison.
  const wide = new Map<string, GPUBuffer>()
  try {
    for (const [name, { spec, count }] of model.tensors) {
      const exact = spec.shape.reduce((a, b) => a * b, 1)
      const padded = paddedCount(count)
      const buffer = gpu.createBuffer(padded * 4, name)
      gpu.run(widen, { count: padded }, { weight: model.buffer(name), out: buffer }, model.type)
      wide.set(name, buffer)
      if (exact !== count) throw new Error(`${name}: ${exact} elements, ${count} on the device`)
    }
    gpu.flush()
    const prompts = pickProbes(probes, 'harmful', 'heldout', PROMPTS, 1).map(({ prompt, aligned }) => [
      ...codec.encodePrompt(prompt),
      ...codec.encodeCompletion(aligned),
    ])
    let tokens = 0
    let worst = 0
    for (const [i, ids] of prompts.entries()) {
      throwIfCancelled(job.signal)
      job.report('comparing with onnxruntime-web', i + 1, prompts.length + 1)
      const batch = new Batch(gpu, model.config, [{ ids }])
      const ours = await allLogits(model, batch)
      batch.release()
      const theirs = await decoder.logits(ids, (name) => wide.get(name)!)
      worst = Math.max(worst, relativeError(ours, theirs))
      tokens += ids.length
    }
    return {
      backend: 'onnxruntime-web, WebGPU',
      relativeError: worst,
      tokens,
      bound: OPINION_BOUND,
      passed: worst <= OPINION_BOUND,
    }
  } finally {
    await decoder.dispose()
    for (const buffer of wide.values()) buffer.destroy()
  }
}
