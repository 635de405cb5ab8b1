// What the parts of the engine share: the open device with its session, the queue of jobs, and the way from the page's
// experiment to a model in the session. Each part ("wing") is a function of it; see engine.ts.

import { EngineError } from '../../src/core/errors.ts'
import type { UserProbeSet } from '../../src/core/evaluate/userProbes.ts'
import type { Checkpoint } from '../../src/core/files/checkpoint.ts'
import { Gpu } from '../../src/core/gpu/device.ts'
import type { DeviceModel } from '../../src/core/model/deviceModel.ts'
import { Measures } from '../../src/core/session/measures.ts'
import { type JobOptions, Session } from '../../src/core/session/session.ts'
import { originKey } from '../../src/share/experimentKey.ts'
import { setupOf } from '../../src/share/setup.ts'
import { AfterMerge } from '../afterMerge.ts'
import { AnsweredStore } from '../answeredStore.ts'
import { Answering } from '../answering.ts'
import type {
  EngineEvent,
  EngineInfo,
  Experiment,
  ModelOrigin,
  ModelRole,
  ModelSummary,
  Subject,
} from '../api.ts'
import { fetchProbes } from '../builtIn.ts'
import { type Job, JobQueue } from '../jobs.ts'
import { factsOf } from '../modelFacts.ts'

export { setupOf }

export interface Live {
  gpu: Gpu
  session: Session
  measures: Measures
  after: AfterMerge
  /** set by a self-test that failed: nothing is merged on this device */
  broken?: EngineError | undefined
}

export interface ModelAbout {
  name: string
  role: ModelRole
  description: string
  skill?: string
  digest?: string
}

export class EngineContext {
  readonly queue: JobQueue
  /** what subjects answered to probes; measuring fills it */
  readonly answered = new AnsweredStore()
  #live: Live | undefined
  // Resolves when the page has it, where the page is on the other side of a port.
  #onEvent: (event: EngineEvent) => void | Promise<void> = () => {}
  /** prompts that the page has handed over to measure on, by digest; they outlive the device */
  readonly userProbes = new Map<string, UserProbeSet>()
  readonly #closing: (() => void | Promise<void>)[] = []
  /** the other runtime over our weights, opened once for whoever asks */
  readonly answering = new Answering()

  constructor() {
    this.onClose(() => this.answering.dispose())
    this.queue = new JobQueue((progress) => this.emit({ kind: 'progress', progress }))
  }

  emit(event: EngineEvent): void | Promise<void> {
    return this.#onEvent(event)
  }

  /** Device and session. Throws `device-lost` when there is none. */
  current(): Live {
    if (!this.#live) throw new EngineError('device-lost', 'the engine is not open')
    this.#live.gpu.check()
    return this.#live
  }

  /** Throws when the self-test has failed on this device. */
  assertSound(): void {
    const { broken } = this.current()
    if (broken) throw broken
  }

  /** Calls `close` before the device is opened anew: for what a wing holds on it. */
  onClose(close: () => void | Promise<void>): void {
    this.#closing.push(close)
  }

  optionsOf(job: Job): JobOptions {
    return { signal: job.signal, onProgress: job.report }
  }

  /** Opens the device and an empty session; what was open is closed. Rejects `gpu-unavailable`. */
  async open(onEvent: (event: EngineEvent) => void | Promise<void>): Promise<EngineInfo> {
    this.#onEvent = onEvent
    this.queue.cancelAll()
    this.#live?.gpu.close()
    this.#live = undefined
    this.answered.clear()
    for (const close of this.#closing) await close()
    const gpu = await Gpu.open(navigator.gpu)
    const session = new Session(gpu, await fetchProbes(), this.userProbes)
    const opened: Live = { gpu, session, measures: new Measures(session), after: new AfterMerge() }
    this.#live = opened
    void gpu.lost.then((reason) => {
      if (this.#live === opened) void this.emit({ kind: 'device-lost', reason })
    })
    return gpu.summary
  }

  /** Puts a checkpoint's weights on the device, under its origin's key. */
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

  /** The model a subject stands for; a merge is written anew, which takes milliseconds. */
  async subjectModel(experiment: Experiment, subject: Subject, options: JobOptions): Promise<DeviceModel> {
    const { session, after } = this.current()
    if (subject.kind === 'model') return session.get(subject.id).model
    this.assertSound()
    const setup = { ...setupOf(experiment), lambdaAlign: subject.lambdaAlign }
    if (experiment.antidote > 0) return after.apply(session, setup, experiment.antidote, options)
    return session.merge(setup, options)
  }

  /** The merge that an experiment asks for. */
  mergeOf(experiment: Experiment, options: JobOptions): Promise<DeviceModel> {
    return this.subjectModel(experiment, { kind: 'merge', lambdaAlign: experiment.lambdaAlign }, options)
  }
}
