// What weights are chosen by (safety-aware merging, arXiv 2406.14563):
//   J(θ) = w_task · mean CE of the task pairs + w_align · mean CE of the safety pairs,
// cross-entropy on the answers' tokens alone, the mean over a pair's tokens first, then over the pairs of a kind, in
// nats. The paper sums over pairs of equally large sets, which is the same up to a factor. Its α factor is
// w_align / w_task. Smaller is better.

import { EngineError, throwIfCancelled } from '../errors.ts'
import type { ForwardModel } from '../evaluate/forwardModel.ts'
import { sequenceLosses } from '../evaluate/sequenceLosses.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import { Batch } from '../model/batch.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { type GradientBuffers, GradientSink } from '../model/gradientSink.ts'
import { encodeLossGradient } from '../model/gradients.ts'
import { type Pair, type PairKind, type PairSequence, pairSequence } from './pairs.ts'

export interface ObjectiveWeights {
  /** w_task */ task: number
  /** w_align */ align: number
}

export interface ObjectiveParts {
  /** J */ objective: number
  /** mean CE of the task pairs, nats per token, before w_task */ task: number
  /** the same of the safety pairs */ safety: number
}

/** Sequences of one forward and backward pass, as for rows of A. */
const GRADIENT_SEQUENCES = 32

/** w_task 1 and w_align = α; the paper's ablation has α 1 … 32. */
export const alphaWeights = (alpha: number): ObjectiveWeights => ({ task: 1, align: alpha })

export class PairObjective {
  readonly weights: ObjectiveWeights
  readonly pairs: readonly Pair[]
  private readonly sequences: readonly PairSequence[]
  private readonly counts: Record<PairKind, number>

  /** `request-invalid` for a weight below 0, both 0, or no pair of a kind that counts. */
  constructor(codec: TextCodec, pairs: readonly Pair[], weights: ObjectiveWeights) {
    const { task, align } = weights
    if (!(task >= 0 && align >= 0 && task + align > 0 && Number.isFinite(task + align)))
      throw new EngineError(
        'request-invalid',
        `weights of the objective: task ${task}, alignment ${align}; expected none negative, one above 0`,
      )
    this.counts = { task: 0, safety: 0 }
    for (const { kind } of pairs) this.counts[kind]++
    if ((task > 0 && this.counts.task === 0) || (align > 0 && this.counts.safety === 0))
      throw new EngineError(
        'request-invalid',
        `the objective has ${this.counts.task} task pairs and ${this.counts.safety} safety pairs; expected some of each that counts`,
      )
    this.weights = weights
    this.pairs = pairs
    this.sequences = pairs.map((pair) => pairSequence(codec, pair))
  }

  /** J by forward passes. Rejects `cancelled`, and `not-finite` where a loss is no number. */
  async evaluate(model: DeviceModel | ForwardModel, signal?: AbortSignal): Promise<ObjectiveParts> {
    return this.sum(await sequenceLosses(model, this.sequences, { signal }))
  }

  /** J, and dJ/dθ written into `gradients` (one row each, overwritten). */
  async gradient(
    model: DeviceModel,
    gradients: GradientBuffers,
    signal?: AbortSignal,
  ): Promise<ObjectiveParts> {
    const { gpu, config } = model
    for (const buffer of gradients.values()) gpu.clear(buffer)
    const means = new Float64Array(this.sequences.length)
    for (let start = 0; start < this.sequences.length; start += GRADIENT_SEQUENCES) {
      throwIfCancelled(signal)
      const batch = new Batch(gpu, config, this.sequences.slice(start, start + GRADIENT_SEQUENCES))
      const scale = new Float32Array(batch.rowCount)
      for (let s = 0; s < batch.sequenceCount; s++) {
        const [from, to] = [batch.rowStarts[s], batch.rowStarts[s + 1]]
        scale.fill(this.share(this.pairs[start + s].kind) / (to - from), from, to)
      }
      const sink = new GradientSink(gpu, config, batch, gradients, 'gradient')
      const loss = encodeLossGradient(model, batch, scale, sink)
      const losses = await gpu.readFloats(loss, batch.rowCount)
      gpu.pool.release(loss)
      for (let s = 0; s < batch.sequenceCount; s++) {
        const own = losses.subarray(batch.rowStarts[s], batch.rowStarts[s + 1])
        means[start + s] = own.reduce((sum, value) => sum + value, 0) / own.length
      }
      batch.release()
    }
    return this.sum(means)
  }

  /** Mean CE of each pair alone, nats per token. */
  losses(model: DeviceModel | ForwardModel, signal?: AbortSignal): Promise<Float64Array> {
    return sequenceLosses(model, this.sequences, { signal })
  }

  /** dJ/d (mean CE of one pair). */
  private share(kind: PairKind): number {
    return (kind === 'task' ? this.weights.task : this.weights.align) / this.counts[kind]
  }

  private sum(means: Float64Array): ObjectiveParts {
    const totals = { task: 0, safety: 0 }
    this.pairs.forEach(({ kind }, i) => {
      totals[kind] += means[i] / this.counts[kind]
    })
    const objective = this.weights.task * totals.task + this.weights.align * totals.safety
    if (!Number.isFinite(objective))
      throw new EngineError('not-finite', `the objective is ${objective}: the merge gives no probabilities`)
    return { objective, ...totals }
  }
}
