// What the parts of the engine without WebGPU share; the counterpart of engine/context.ts.

import { EngineError } from '../../src/core/errors.ts'
import type { ForwardModel } from '../../src/core/evaluate/forwardModel.ts'
import type { UserProbeSet } from '../../src/core/evaluate/userProbes.ts'
import type { Checkpoint } from '../../src/core/files/checkpoint.ts'
import { urlFolder } from '../../src/core/files/folder.ts'
import { CpuSession } from '../../src/core/session/cpu/cpuSession.ts'
import { ForwardMeasures } from '../../src/core/session/measures.ts'
import type { JobOptions, Setup } from '../../src/core/session/session.ts'
import { originKey } from '../../src/share/experimentKey.ts'
import { setupOf } from '../../src/share/setup.ts'
import { AnsweredStore } from '../answeredStore.ts'
import type { EngineEvent, EngineInfo, Experiment, ModelOrigin, ModelSummary, Subject } from '../api.ts'
import { fetchProbes } from '../builtIn.ts'
import type { ModelAbout } from '../engine/context.ts'
import { type Job, JobQueue } from '../jobs.ts'
import { factsOf } from '../modelFacts.ts'

export interface CpuLive {
  session: CpuSession
  measures: ForwardMeasures<ForwardModel>
}

/** What computes here, for people. */
export const CPU_BACKEND = 'onnxruntime-web, CPU'

export class CpuContext {
  readonly queue: JobQueue
  readonly answered = new AnsweredStore()
  readonly userProbes = new Map<string, UserProbeSet>()
  #live: CpuLive | undefined
  #onEvent: (event: EngineEvent) => void | Promise<void> = () => {}

  constructor() {
    this.queue = new JobQueue((progress) => this.emit({ kind: 'progress', progress }))
  }

  emit(event: EngineEvent): void | Promise<void> {
    return this.#onEvent(event)
  }

  current(): CpuLive {
    if (!this.#live) throw new EngineError('device-lost', 'the engine is not open')
    return this.#live
  }

  optionsOf(job: Job): JobOptions {
    return { signal: job.signal, onProgress: job.report }
  }

  async open(onEvent: (event: EngineEvent) => void | Promise<void>): Promise<EngineInfo> {
    this.#onEvent = onEvent
    this.queue.cancelAll()
    this.answered.clear()
    await this.#live?.session.dispose()
    const load = async () => (await import('../../src/core/evaluate/ort/ortWasm.ts')).loadOrtWasm()
    const shelf = urlFolder(new URL('../geometry/', self.location.href).href)
    const session = new CpuSession(load, shelf, await fetchProbes(), this.userProbes)
    this.#live = { session, measures: new ForwardMeasures<ForwardModel>(session) }
    return {
      adapter: 'CPU (no WebGPU)',
      vendor: 'onnxruntime-web',
      architecture: 'wasm',
      isFallback: true,
      isCpu: true,
      hasF16: false,
      maxBindingBytes: 0,
    }
  }

  async openModel(
    job: Job,
    origin: ModelOrigin,
    checkpoint: Checkpoint,
    about: ModelAbout,
  ): Promise<ModelSummary> {
    const { session, measures } = this.current()
    const id = originKey(origin)
    measures.forget(id)
    await session.load(id, checkpoint, this.optionsOf(job))
    return { id, ...about, origin, ...factsOf(checkpoint) }
  }

  /** The setup of an experiment's merge at a λ_align; `gpu-unavailable` where it has an antidote. */
  mergeSetup(experiment: Experiment, lambdaAlign: number): Setup {
    if (experiment.antidote > 0)
      throw new EngineError('gpu-unavailable', 'the antidote is a gradient at the merge, which needs WebGPU')
    return { ...setupOf(experiment), lambdaAlign }
  }

  /** The model a subject stands for. */
  async subjectModel(experiment: Experiment, subject: Subject, options: JobOptions): Promise<ForwardModel> {
    const { session } = this.current()
    if (subject.kind === 'model') return session.get(subject.id).model
    return session.mergedModel(this.mergeSetup(experiment, subject.lambdaAlign), options)
  }
}
