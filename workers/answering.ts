// One prompt to several subjects. Models answer through our own kernels, the merge through onnxruntime-web on the same
// device and the same buffers: the runtime that others would run it in. Where that is not to be had the merge answers
// through our own kernels too, and the answer says so.

import { EngineError } from '../src/core/errors.ts'
import { answerPrompt } from '../src/core/evaluate/answers.ts'
import type { ForwardModel } from '../src/core/evaluate/forwardModel.ts'
import { OrtBackend } from '../src/core/evaluate/ortBackend.ts'
import type { ProbeFile } from '../src/core/evaluate/probes.ts'
import type { TextCodec } from '../src/core/files/tokenizer.ts'
import type { Gpu } from '../src/core/gpu/device.ts'
import type { DeviceModel } from '../src/core/model/deviceModel.ts'
import type { Answer, Subject } from './api.ts'
import type { Job } from './jobs.ts'

export const OWN_KERNELS = 'own kernels'
export const OTHER_RUNTIME = 'onnxruntime-web, WebGPU'

interface Question {
  prompt: string
  codec: TextCodec
  probes: ProbeFile
}

export class Answering {
  #open: { gpu: Gpu; backend: OrtBackend } | undefined

  /** The subject's answer, and what computed it. */
  async answer(
    gpu: Gpu,
    subject: Subject,
    model: DeviceModel,
    { prompt, codec, probes }: Question,
    job: Job,
  ): Promise<Answer> {
    const label = subject.kind === 'model' ? subject.id : 'merge'
    const through = async (runner: DeviceModel | ForwardModel, backend: string): Promise<Answer> => {
      const [{ text, verdict, durationMs }] = await answerPrompt(
        [{ label, model: runner }],
        codec,
        prompt,
        probes,
        { signal: job.signal },
      )
      return { subject, label, text, verdict, durationMs, backend }
    }
    if (subject.kind === 'model') return through(model, OWN_KERNELS)
    try {
      return await through(await this.runtime(gpu, model), OTHER_RUNTIME)
    } catch (error) {
      if (!leavesOwnKernels(error)) throw error
      return through(model, `${OWN_KERNELS}; ${error.message}`)
    }
  }

  /** The model as onnxruntime runs it, until the next call. */
  async runtime(gpu: Gpu, model: DeviceModel): Promise<ForwardModel> {
    if (this.#open?.gpu !== gpu) {
      await this.dispose()
      const load = async () => (await import('../src/core/evaluate/ort/ortBrowser.ts')).loadOrtBrowser()
      this.#open = { gpu, backend: new OrtBackend(gpu, load) }
    }
    return this.#open.backend.of(model)
  }

  /** Whether the runtime answers without being opened first, which takes seconds. */
  isOpenFor(gpu: Gpu, model: DeviceModel): boolean {
    return this.#open?.gpu === gpu && this.#open.backend.isOpenFor(model)
  }

  async dispose(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.backend.dispose()
  }
}

/** Whether a failure keeps onnxruntime from answering and leaves our own kernels able to. */
export const leavesOwnKernels = (error: unknown): error is EngineError =>
  error instanceof EngineError && FALLBACK.has(error.code)

const FALLBACK: ReadonlySet<string> = new Set(['file-missing', 'gpu-limit', 'gpu-failed', 'runtime-failed'])
