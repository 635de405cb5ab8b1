// AdamW training of a decoder on the engine's own kernels: float32 master weights, gradient of the mean target
// loss, global-norm clipping, one learning-rate schedule. A step is a pure function of weights, moments, step
// number and batch, so a run resumed from a snapshot gives the same bits on the same adapter.

import { EngineError } from '../errors.ts'
import { adamW } from '../kernels/adamW/adamW.ts'
import { GRAM_PLAIN, weightedGram } from '../kernels/weightedGram/weightedGram.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import { type DeviceModel, paddedCount } from '../model/deviceModel.ts'
import { createGradients, type GradientBuffers, GradientSink } from '../model/gradientSink.ts'
import { encodeLossGradient, readGradients } from '../model/gradients.ts'
import { rateAt, type Schedule } from './schedule.ts'

export interface TrainerOptions extends Schedule {
  weightDecay: number
  beta1: number
  beta2: number
  epsilon: number
  /** largest global gradient norm; the gradient is scaled down to it */
  clipNorm: number
}

export interface StepReport {
  step: number
  /** mean loss of the batch's targets before the step, nats */
  loss: number
  /** global gradient norm before clipping */
  gradientNorm: number
  rate: number
}

/** Everything a run needs to go on: steps done, and weights and moments by tensor name. */
export interface TrainerSnapshot {
  step: number
  weights: Map<string, Float32Array>
  first: Map<string, Float32Array>
  second: Map<string, Float32Array>
}

const CHUNK = 4096

export class Trainer {
  private readonly model: DeviceModel
  private readonly options: TrainerOptions
  private readonly gradients: GradientBuffers
  private readonly first: GradientBuffers
  private readonly second: GradientBuffers
  /** where each tensor's partial sums of squares start, in bytes; bindings start at multiples of 256 */
  private readonly partialAt = new Map<string, { offset: number; chunks: number }>()
  private readonly partial: GPUBuffer
  /** steps done */
  step = 0

  /** `model` must be stored in f32; it is updated in place. */
  constructor(model: DeviceModel, options: TrainerOptions) {
    if (model.type !== 'f32')
      throw new EngineError('request-invalid', `training needs f32 master weights, found ${model.type}`)
    this.model = model
    this.options = options
    const { gpu, config } = model
    this.gradients = createGradients(gpu, config)
    this.first = createGradients(gpu, config)
    this.second = createGradients(gpu, config)
    let offset = 0
    for (const [name, { count }] of model.tensors) {
      const chunks = Math.ceil(count / CHUNK)
      this.partialAt.set(name, { offset, chunks })
      offset += Math.ceil((chunks * 4) / 256) * 256
    }
    this.partial = gpu.createBuffer(offset)
  }

  /** One step on `sequences`; `not-finite` when loss or gradient is not a number, weights then as before. */
  async trainStep(sequences: readonly Sequence[]): Promise<StepReport> {
    const { model, options } = this
    const { gpu } = model
    const batch = new Batch(gpu, model.config, sequences)
    if (batch.rowCount === 0) throw new EngineError('request-invalid', 'the batch has no target tokens')
    for (const buffer of this.gradients.values()) gpu.clear(buffer)
    const sink = new GradientSink(gpu, model.config, batch, this.gradients, 'gradient')
    const scale = new Float32Array(batch.rowCount).fill(1 / batch.rowCount)
    const loss = encodeLossGradient(model, batch, scale, sink)
    for (const [name, { offset, chunks }] of this.partialAt) {
      const count = model.tensor(name).count
      const a = this.gradients.get(name)!
      const partial = { buffer: this.partial, offset, size: chunks * 4 }
      gpu.run(
        weightedGram,
        {
          rowsA: 1,
          rowsB: 1,
          count: paddedCount(count),
          stride: paddedCount(count),
          chunkSize: CHUNK,
          chunks,
          mode: GRAM_PLAIN,
        },
        { a, b: a, w: gpu.unused, partial },
      )
    }
    const [losses, partials] = [
      await gpu.readFloats(loss, batch.rowCount),
      await gpu.readFloats(this.partial, this.partial.size / 4),
    ]
    gpu.pool.release(loss)
    batch.release()
    let squares = 0
    for (const { offset, chunks } of this.partialAt.values())
      for (let i = 0; i < chunks; i++) squares += partials[offset / 4 + i]
    const report = {
      step: this.step,
      loss: losses.reduce((sum, value) => sum + value, 0) / losses.length,
      gradientNorm: Math.sqrt(squares),
      rate: rateAt(options, this.step),
    }
    if (!Number.isFinite(report.loss) || !Number.isFinite(report.gradientNorm))
      throw new EngineError(
        'not-finite',
        `step ${this.step}: loss ${report.loss}, gradient norm ${report.gradientNorm}`,
      )
    this.update(report)
    this.step++
    return report
  }

  private update({ rate, gradientNorm }: StepReport): void {
    const { model, options } = this
    const t = this.step + 1
    const params = {
      rate,
      beta1: options.beta1,
      beta2: options.beta2,
      epsilon: options.epsilon,
      correction1: 1 / (1 - options.beta1 ** t),
      correction2: 1 / (1 - options.beta2 ** t),
      gradScale: Math.min(1, options.clipNorm / (gradientNorm + 1e-6)),
    }
    for (const [name, { spec, count, buffer }] of model.tensors)
      model.gpu.run(
        adamW,
        // Norm gains and biases are not decayed: their natural place is one and zero of their own.
        {
          ...params,
          count: paddedCount(count),
          decay: spec.role === 'gain' || spec.role === 'bias' ? 0 : options.weightDecay,
        },
        {
          grad: this.gradients.get(name)!,
          first: this.first.get(name)!,
          second: this.second.get(name)!,
          weights: buffer,
        },
      )
  }

  async snapshot(): Promise<TrainerSnapshot> {
    const { gpu } = this.model
    const count = (name: string) => this.model.tensor(name).count
    const weights = new Map<string, Float32Array>()
    for (const name of this.model.tensors.keys()) weights.set(name, await this.model.read(name))
    return {
      step: this.step,
      weights,
      first: await readGradients(gpu, this.first, count),
      second: await readGradients(gpu, this.second, count),
    }
  }

  restore(snapshot: TrainerSnapshot): void {
    const { gpu } = this.model
    for (const name of this.model.tensors.keys()) {
      gpu.write(this.model.buffer(name), snapshot.weights.get(name)!)
      gpu.write(this.first.get(name)!, snapshot.first.get(name)!)
      gpu.write(this.second.get(name)!, snapshot.second.get(name)!)
    }
    this.step = snapshot.step
  }

  dispose(): void {
    // The last step's update may only be encoded yet; a submission that names a destroyed buffer is dropped whole.
    this.model.gpu.flush()
    for (const buffers of [this.gradients, this.first, this.second])
      for (const buffer of buffers.values()) buffer.destroy()
    this.partial.destroy()
  }
}
