// Fine-tuning of an open model, a step at a time: float32 copies of its weights are trained, the model itself stays as
// it is. Nothing but base, options and batches decides the weights, so the same adapter gives the same bits.

import { EngineError } from '../errors.ts'
import type { Sequence } from '../model/batch.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { Trainer, type TrainerOptions } from './trainer.ts'

/** Weights, gradient and two moments, each in float32. */
const BYTES_PER_PARAMETER = 16
/** More than a tab should be asked for beside the models that are open. */
export const MAX_TRAINING_BYTES = 2 ** 31

export interface TrainedStep {
  /** 0 … steps − 1 */ step: number
  /** mean loss of the step's targets before it, nats per token */ loss: number
  /** global gradient norm before clipping */ gradientNorm: number
  rate: number
  /** of all sequences, prompts included */ tokens: number
  durationMs: number
}

export class FineTuning {
  /** being trained: float32, in the base's shape */
  readonly model: DeviceModel
  readonly steps: number
  private readonly trainer: Trainer
  private readonly batch: (step: number) => readonly Sequence[]

  /**
   * `batch` gives the sequences of a step and is a function of the step alone. `request-invalid` for a model too large
   * to be trained beside others, `gpu-limit` for one that the adapter cannot hold in float32.
   */
  constructor(base: DeviceModel, options: TrainerOptions, batch: (step: number) => readonly Sequence[]) {
    const needed = BYTES_PER_PARAMETER * base.parameterCount
    if (needed > MAX_TRAINING_BYTES)
      throw new EngineError(
        'request-invalid',
        `training ${base.parameterCount} weights holds ${needed} bytes on the device, at most ${MAX_TRAINING_BYTES} are taken`,
      )
    this.steps = options.steps
    this.batch = batch
    this.model = new DeviceModel(base.gpu, base.config, 'f32')
    try {
      this.model.copyFrom(base)
      this.trainer = new Trainer(this.model, options)
    } catch (error) {
      this.model.dispose()
      throw error
    }
  }

  /** steps done */
  get step(): number {
    return this.trainer.step
  }

  get isDone(): boolean {
    return this.step >= this.steps
  }

  /** One step; `not-finite` names the step and leaves the weights as before it. */
  async trainStep(): Promise<TrainedStep> {
    if (this.isDone) throw new EngineError('request-invalid', `all ${this.steps} steps are done`)
    const begun = performance.now()
    const sequences = this.batch(this.step)
    const report = await this.trainer.trainStep(sequences)
    return {
      ...report,
      tokens: sequences.reduce((sum, { ids }) => sum + ids.length, 0),
      durationMs: performance.now() - begun,
    }
  }

  /** The weights in a type of storage, one tensor at a time in the model's order; later steps do not change them. */
  rounded(type: DeviceModel['type']): DeviceModel {
    const copy = new DeviceModel(this.model.gpu, this.model.config, type)
    copy.copyFrom(this.model)
    return copy
  }

  dispose(): void {
    this.trainer.dispose()
    this.model.dispose()
  }
}
