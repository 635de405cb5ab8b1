// One prompt to several subjects. Models answer through our own kernels, the merge through onnxruntime-web on the same
// device and the same buffers: the runtime that others would run it in. Where that is not to be had the merge answers
// through our own kernels too, and the answer says so.

import { EngineError } from '../src/core/errors.ts'
import type { ForwardModel } from '../src/core/evaluate/forwardModel.ts'
import { OrtBackend } from '../src/core/evaluate/ortBackend.ts'
import type { Gpu } from '../src/core/gpu/device.ts'
import type { DeviceModel } from '../src/core/model/deviceModel.ts'
import { answerThrough, type Question } from './answerWork.ts'
import type { Answer, Subject } from './api.ts'
import type { Job } from './jobs.ts'
import type { RunningModel } from './sharedContext.ts'

export const OWN_KERNELS = 'own kernels'
export const OTHER_RUNTIME = 'onnxruntime-web, WebGPU'

export class Answering {
  #open: { gpu: Gpu; backend: OrtBackend } | undefined

  /** The subject's answer, and what computed it. */
  async answer(
    gpu: Gpu,
    subject: Subject,
    model: DeviceModel,
    question: Question,
    job: Job,
  ): Promise<Answer> {
    const through = (runner: RunningModel, backend: string) =>
      answerThrough(runner, backend, subject, question, job)
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
