// Does the chart hold along a merge? k(t) = KL(p_IT ‖ p_{θ_IT + tδ}) per token, over t²: flat up to t means that the
// quadratic form ½ t² δᵀFδ describes the model that far (methods.md §1.4). No Fisher is needed for that; with one,
// k at the smallest t over ½ t² Σ f δ² says what the diagonal leaves out. Measure and steps are ours.

import { EngineError, throwIfCancelled } from '../errors.ts'
import { sequencesPerBatch } from '../evaluate/answers.ts'
import { type ProbeFile, pickProbes } from '../evaluate/probes.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import type { Fisher } from '../geometry/fisher.ts'
import { sumGrams } from '../geometry/gramPass.ts'
import { GRAM_TIMES } from '../kernels/weightedGram/weightedGram.ts'
import { differenceRows } from '../merge/mergeInput.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import { type DeviceModel, paddedTensors } from '../model/deviceModel.ts'
import { allLogits } from '../model/gradients.ts'
import { modelOnTheWay } from './pathRows.ts'
import { chatSequence } from './sequences.ts'

export const CHART_STEPS = [0.1, 0.25, 0.5, 1] as const

export interface ChartPoint {
  t: number
  /** k(t), nats per token */ divergence: number
  /** k(t)/t² */ curvature: number
}

export interface ChartValidity {
  points: ChartPoint[]
  /** tokens averaged over */ tokens: number
  /** k(t)/(½ t² Σ f δ²) at the smallest t; absent without a Fisher or without motion */ fisherRatio?: number
}

/** Generic text: harmless requests and skills with their answers, from the estimating probes. */
export function genericSequences(
  codec: TextCodec,
  probes: Pick<ProbeFile, 'items'>,
  count: number,
  seed: number,
): Sequence[] {
  const share = Math.ceil(count / 2)
  const picked = (['harmless', 'skill'] as const).flatMap((set) =>
    pickProbes(probes, set, 'estimate', share, seed),
  )
  if (picked.length === 0)
    throw new EngineError('request-invalid', 'the probe file has no harmless or skill estimating probes')
  return picked.slice(0, count).map((probe) => chatSequence(codec, probe.prompt, probe.aligned))
}

/** KL(p ‖ q) of two rows of logits (V), nats, in float64. */
export function divergence(p: ArrayLike<number>, q: ArrayLike<number>): number {
  const logSum = (row: ArrayLike<number>) => {
    let top = Number.NEGATIVE_INFINITY
    for (let i = 0; i < row.length; i++) top = Math.max(top, row[i])
    let sum = 0
    for (let i = 0; i < row.length; i++) sum += Math.exp(row[i] - top)
    return top + Math.log(sum)
  }
  const [logP, logQ] = [logSum(p), logSum(q)]
  let out = 0
  for (let i = 0; i < p.length; i++) {
    const log = p[i] - logP
    out += Math.exp(log) * (log - (q[i] - logQ))
  }
  return Math.max(out, 0)
}

/** Mean KL over all tokens of the sequences from `model` to `other`. */
async function meanDivergence(
  model: DeviceModel,
  other: DeviceModel,
  sequences: readonly Sequence[],
  signal: AbortSignal | undefined,
): Promise<{ mean: number; tokens: number }> {
  const { config, gpu } = model
  const V = config.vocabSize
  const longest = Math.max(...sequences.map(({ ids }) => ids.length))
  const size = sequencesPerBatch(config, longest, longest)
  let [sum, tokens] = [0, 0]
  for (let start = 0; start < sequences.length; start += size) {
    throwIfCancelled(signal)
    const batch = new Batch(gpu, config, sequences.slice(start, start + size))
    try {
      const [p, q] = [await allLogits(model, batch), await allLogits(other, batch)]
      for (let t = 0; t < batch.tokenCount; t++)
        sum += divergence(p.subarray(t * V, (t + 1) * V), q.subarray(t * V, (t + 1) * V))
      tokens += batch.tokenCount
    } finally {
      batch.release()
    }
  }
  return { mean: sum / tokens, tokens }
}

/** k(t)/t² from the anchor towards `merged`, float32 on the way. Rejects `cancelled` and `request-invalid`. */
export async function chartValidity(
  anchor: DeviceModel,
  merged: DeviceModel,
  sequences: readonly Sequence[],
  options: { steps?: readonly number[]; fisher?: Fisher; signal?: AbortSignal | undefined } = {},
): Promise<ChartValidity> {
  const { steps = CHART_STEPS, fisher, signal } = options
  if (sequences.length === 0) throw new EngineError('request-invalid', 'chart validity needs some text')
  if (steps.length === 0 || steps.some((t) => !(t > 0 && Number.isFinite(t))))
    throw new EngineError('request-invalid', `steps along the merge: found ${steps}, expected positive ones`)
  const points: ChartPoint[] = []
  let counted = 0
  for (const t of steps) {
    throwIfCancelled(signal)
    const moved = modelOnTheWay(anchor, [merged], t)
    try {
      const { mean, tokens } = await meanDivergence(anchor, moved, sequences, signal)
      points.push({ t, divergence: mean, curvature: mean / t ** 2 })
      counted = tokens
    } finally {
      moved.dispose()
    }
  }
  const least = points.reduce((a, b) => (b.t < a.t ? b : a))
  const quadratic = fisher && (await fisherNorm(anchor, merged, fisher, signal))
  return {
    points,
    tokens: counted,
    ...(quadratic ? { fisherRatio: least.curvature / (quadratic / 2) } : {}),
  }
}

/** Σ f δ², undamped. */
async function fisherNorm(
  anchor: DeviceModel,
  merged: DeviceModel,
  fisher: Fisher,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { gpu } = anchor
  const tensors = paddedTensors(anchor)
  const sums = await sumGrams(
    gpu,
    tensors,
    (name, _count, take) => {
      const delta = differenceRows({ anchor, experts: [merged] }, name, take)
      return [{ label: 'norm', a: delta, b: delta, mode: GRAM_TIMES, weights: fisher.sums.get(name)! }]
    },
    { signal },
  )
  return sums.total.get('norm')![0] / fisher.tokens
}
