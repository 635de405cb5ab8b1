// What the parts of the engine share: the open device with its session, the queue of jobs, and the way from the page's
// experiment to a model in the session. Each part ("wing") is a function of it; see engine.ts.

import type { EngineError } from '../../src/core/errors.ts'
import { Gpu } from '../../src/core/gpu/device.ts'
import type { DeviceModel } from '../../src/core/model/deviceModel.ts'
import { Measures } from '../../src/core/session/measures.ts'
import { type JobOptions, Session } from '../../src/core/session/session.ts'
import { setupOf } from '../../src/share/setup.ts'
import { AfterMerge } from '../afterMerge.ts'
import { Answering } from '../answering.ts'
import type { EngineInfo, Experiment, Subject } from '../api.ts'
import { fetchProbes } from '../builtIn.ts'
import { type EventListener, SharedContext } from '../sharedContext.ts'

export { setupOf }

export interface Live {
  gpu: Gpu
  session: Session
  measures: Measures
  after: AfterMerge
  /** set by a self-test that failed: nothing is merged on this device */
  broken?: EngineError | undefined
}

export class EngineContext extends SharedContext<DeviceModel, Live> {
  readonly #closing: (() => void | Promise<void>)[] = []
  /** the other runtime over our weights, opened once for whoever asks */
  readonly answering = new Answering()

  constructor() {
    super()
    this.onClose(() => this.answering.dispose())
  }

  /** Device and session. Throws `device-lost` when there is none. */
  override current(): Live {
    const live = super.current()
    live.gpu.check()
    return live
  }

  /** Scratch buffers of all sizes that were ever needed: merges of other ranks and methods leave theirs behind. */
  protected override giveBack(): void {
    this.live?.gpu.flush()
    this.live?.gpu.pool.trim()
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

  /** Opens the device and an empty session; what was open is closed. Rejects `gpu-unavailable`. */
  async open(onEvent: EventListener): Promise<EngineInfo> {
    this.startAnew(onEvent)
    this.live?.gpu.close()
    this.live = undefined
    for (const close of this.#closing) await close()
    const gpu = await Gpu.open(navigator.gpu)
    const session = new Session(gpu, await fetchProbes(), this.userProbes)
    const opened: Live = { gpu, session, measures: new Measures(session), after: new AfterMerge() }
    this.live = opened
    void gpu.lost.then((reason) => {
      if (this.live === opened) void this.emit({ kind: 'device-lost', reason })
    })
    return gpu.summary
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
