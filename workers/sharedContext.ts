// What both engines stand on, whatever computes: the queue of jobs, the way to the page, what the page has handed over
// and what is known of its subjects. engine/context.ts puts a device below it, cpu/context.ts onnxruntime's wasm provider.

import { EngineError } from '../src/core/errors.ts'
import type { ForwardModel } from '../src/core/evaluate/forwardModel.ts'
import type { UserProbeSet } from '../src/core/evaluate/userProbes.ts'
import { type Checkpoint, openCheckpoint } from '../src/core/files/checkpoint.ts'
import { urlFolder } from '../src/core/files/folder.ts'
import type { DeviceModel } from '../src/core/model/deviceModel.ts'
import type { ForwardMeasures, MeasuredSession } from '../src/core/session/measures.ts'
import type { JobOptions } from '../src/core/session/session.ts'
import { originKey } from '../src/share/experimentKey.ts'
import { AnsweredStore } from './answeredStore.ts'
import type { EngineEvent, Experiment, ModelOrigin, ModelSummary, Subject } from './api.ts'
import { builtInUrl, fetchZooIndex, type ModelAbout } from './builtIn.ts'
import { type Job, JobQueue } from './jobs.ts'
import { factsOf } from './modelFacts.ts'

/** A model as an engine runs it. */
export type RunningModel = DeviceModel | ForwardModel

/** What there is between opening an engine and opening it anew. */
export interface Opened<Model extends RunningModel> {
  session: MeasuredSession<Model> & {
    load(id: string, checkpoint: Checkpoint, options: JobOptions): Promise<unknown>
  }
  measures: ForwardMeasures<Model>
}

export type EventListener = (event: EngineEvent) => void | Promise<void>

export abstract class SharedContext<Model extends RunningModel, Live extends Opened<Model> = Opened<Model>> {
  readonly queue = new JobQueue(
    (progress) => this.emit({ kind: 'progress', progress }),
    () => this.giveBack(),
  )
  /** what subjects answered to probes; measuring fills it */
  readonly answered = new AnsweredStore()
  /** prompts that the page has handed over to measure on, by digest; they outlive the session */
  readonly userProbes = new Map<string, UserProbeSet>()
  protected live: Live | undefined
  // Resolves when the page has it, where the page is on the other side of a port.
  #onEvent: EventListener = () => {}

  /** Stops and forgets what was under way, before the engine is opened anew. */
  protected startAnew(onEvent: EventListener): void {
    this.#onEvent = onEvent
    this.queue.cancelAll()
    this.answered.clear()
  }

  emit(event: EngineEvent): void | Promise<void> {
    return this.#onEvent(event)
  }

  /** Frees what only the next job would use again; called when none has come for a while. */
  protected giveBack(): void {}

  /** Throws `device-lost` when the engine is not open. */
  current(): Live {
    if (!this.live) throw new EngineError('device-lost', 'the engine is not open')
    return this.live
  }

  optionsOf(job: Job): JobOptions {
    return { signal: job.signal, onProgress: job.report }
  }

  /** Loads a checkpoint's weights into the session, under its origin's key. */
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

  /** Opens the models that come with the page, or those of one family. */
  async openListed(job: Job, family?: string): Promise<ModelSummary[]> {
    const summaries: ModelSummary[] = []
    for (const { id, ...about } of await fetchZooIndex(family)) {
      const checkpoint = await openCheckpoint(urlFolder(builtInUrl(id)), job.signal)
      summaries.push(await this.openModel(job, { kind: 'built-in', id }, checkpoint, about))
    }
    return summaries
  }

  /** The model a subject stands for. */
  abstract subjectModel(experiment: Experiment, subject: Subject, options: JobOptions): Promise<Model>
}
