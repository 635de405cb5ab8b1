// TeZO on a model that only runs forward: a quantised ONNX build, say. Its matrices are moved by U diag(s) V through
// branches beside them, so the quantised weights are never touched while s is walked; what comes out is s, to be added
// to the weights (`addMoves`) or written as an adapter. Losses, halves and steps are those of tezo.ts.

import { EngineError } from '../errors.ts'
import type { ForwardModel } from '../evaluate/forwardModel.ts'
import type { ProbeFile } from '../evaluate/probes.ts'
import { sequenceLosses } from '../evaluate/sequenceLosses.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import type { Sequence } from '../model/batch.ts'
import { Random } from '../tensors/random.ts'
import type { Factors } from './lowRankModel.ts'
import { descendLowRank } from './lowRankSteps.ts'
import { benignOf, completionSequence, REPAIR_STREAMS, repairHalves } from './repairProbes.ts'
import type { TezoOptions } from './tezo.ts'

/** A model whose matrices are W + U diag(s) V, s set by `move`. */
export interface MovableModel extends ForwardModel {
  /** numbers of s */
  readonly size: number
  move(s: ArrayLike<number>): void
}

export interface TezoForwardResult {
  /** s of the step that was best on the accepting half; zeros: the model as it was */
  s: Float64Array
  trace: { step: number; loss: number; slope: number }[]
  checks: { step: number; harmful: number; benign: number; total: number }[]
  bestStep: number
  /** forward passes over a batch of 2 · batchPairs sequences */
  forwardPasses: number
}

const meanOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length

/**
 * Walks s from zero; the model is left moved to the best. Factors are drawn once: `redraw` is not offered here,
 * because the branches are part of the graph. `request-invalid` for settings out of range, `cancelled`, `not-finite`.
 */
export async function tezoForward(
  model: MovableModel,
  codec: TextCodec,
  probes: ProbeFile,
  options: Omit<TezoOptions, 'redraw'>,
): Promise<TezoForwardResult> {
  const { rank, steps, batchPairs, checkEvery, seed, signal } = options
  const sizes = { batchPairs, checkEvery }
  for (const [name, value] of Object.entries(sizes))
    if (!Number.isInteger(value) || value < 1)
      throw new EngineError('request-invalid', `${name}: expected a whole number from 1, found ${value}`)
  if (model.size === 0 || model.size % rank !== 0)
    throw new EngineError('request-invalid', `a model with ${model.size} numbers to move at rank ${rank}`)
  const halves = repairHalves(probes, seed)
  const sequence = ({ prompt, aligned }: { prompt: string; aligned: string }) =>
    completionSequence(codec, prompt, aligned)
  const pairs = (half: typeof halves.estimate) => ({
    harmful: half.harmful.map(sequence),
    benign: benignOf(half).map(sequence),
  })
  const [train, accept] = [pairs(halves.estimate), pairs(halves.accept)]
  const lossOf = async (harmful: readonly Sequence[], benign: readonly Sequence[]) => {
    const losses = await sequenceLosses(model, [...harmful, ...benign], { signal })
    return {
      harmful: meanOf(losses.subarray(0, harmful.length)),
      benign: meanOf(losses.subarray(harmful.length)),
    }
  }
  const result: TezoForwardResult = {
    s: new Float64Array(model.size),
    trace: [],
    checks: [],
    bestStep: 0,
    forwardPasses: 0,
  }
  const check = async (step: number, s: Float64Array) => {
    model.move(s)
    const { harmful, benign } = await lossOf(accept.harmful, accept.benign)
    const total = harmful + benign
    const best = Math.min(...result.checks.map((one) => one.total))
    result.checks.push({ step, harmful, benign, total })
    if (total >= best) return
    result.bestStep = step
    result.s = s.slice()
  }
  const drawn = new Random(seed, REPAIR_STREAMS.batches)
  const pick = (from: Sequence[]) => drawn.shuffle([...from]).slice(0, batchPairs)
  const s = new Float64Array(model.size)
  let batch = { step: -1, harmful: [] as Sequence[], benign: [] as Sequence[] }
  await check(0, s)
  await descendLowRank(
    s,
    async (at, step) => {
      if (step !== batch.step) batch = { step, harmful: pick(train.harmful), benign: pick(train.benign) }
      model.move(at)
      result.forwardPasses++
      const { harmful, benign } = await lossOf(batch.harmful, batch.benign)
      return harmful + benign
    },
    {
      ...options,
      rate: (step) => options.rate * (1 - (0.9 * step) / Math.max(1, steps - 1)),
      onStep: (step, loss, slope) => {
        result.trace.push({ step: step + 1, loss, slope })
        options.onProgress?.(step + 1, steps)
      },
      afterStep: async (step) => {
        if ((step + 1) % checkEvery === 0 || step + 1 === steps) await check(step + 1, s)
        return false
      },
    },
  )
  model.move(result.s)
  return result
}

/** W + U diag(s) V of one matrix (M,N), summed in float64; `index` is the place of its factors among all. */
export function addMoves(
  weight: Float32Array,
  { M, N, u, v }: Factors,
  s: ArrayLike<number>,
  index: number,
): Float32Array {
  const rank = u.length / M
  const out = new Float32Array(weight.length)
  for (let m = 0; m < M; m++)
    for (let n = 0; n < N; n++) {
      let sum = weight[m * N + n]
      for (let r = 0; r < rank; r++) sum += u[m * rank + r] * s[index * rank + r] * v[r * N + n]
      out[m * N + n] = sum
    }
  return out
}
