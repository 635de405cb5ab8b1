// Gradients at a merge as rows: row 0 the loss that an antidote raises, then losses that it must spare. One backward
// pass over all of them; products K = A G⁻¹ Aᵀ over the tensors that may move; the direction G⁻¹ Aᵀ α.

import type { Probe } from '../evaluate/probes.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import { type AlignmentRows, type LossTerm, lossRows } from '../geometry/alignmentRows.ts'
import { sumGrams } from '../geometry/gramPass.ts'
import type { Metric } from '../geometry/metric.ts'
import { writeMerge } from '../kernels/mergeStep/mergeStep.ts'
import { GRAM_OVER } from '../kernels/weightedGram/weightedGram.ts'
import { type DeviceModel, paddedCount } from '../model/deviceModel.ts'
import type { WeightSpec } from '../model/families/family.ts'
import { completionSequence, type RepairProbes } from './repairProbes.ts'

/**
 * harmful: mean loss of the unwanted completions (Panacea's h); margin: that minus the loss of the refusals, ours.
 */
export type AntidoteTarget = 'harmful' | 'margin'

export interface RowPlan {
  target: AntidoteTarget
  /** first tokens of the completions that row 0 counts */ tokens: number
  /** harmful probes of row 0 */ harmful: number
  /** rows of spared losses of harmless requests and of each skill; probes are dealt out in turn */ spared: number
  /**
   * rows of spared decision margins of harmless requests: loss of the help's first token minus that of the
   * refusal's. Where help is certain its own loss has almost no gradient left, the refusal's has
   */
  sparedMargins: number
  /** probes of each kind behind the spared rows */ perKind: number
}

/** Terms in order of rows, and the number of rows. */
export function antidoteTerms(
  codec: TextCodec,
  probes: RepairProbes,
  plan: RowPlan,
): { terms: LossTerm[]; count: number } {
  const terms: LossTerm[] = probes.harmful.slice(0, plan.harmful).flatMap((probe): LossTerm[] => {
    const sequence = (completion: string) => completionSequence(codec, probe.prompt, completion, plan.tokens)
    const unwanted: LossTerm = { row: 0, sign: 1, sequence: sequence(probe.misaligned!) }
    if (plan.target === 'harmful') return [unwanted]
    return [unwanted, { row: 0, sign: -1, sequence: sequence(probe.aligned) }]
  })
  let count = 1
  const deal = (
    probes: readonly Probe[],
    wanted: number,
    termsOf: (probe: Probe) => Omit<LossTerm, 'row'>[],
  ) => {
    const picked = probes.slice(0, plan.perKind)
    const rows = Math.min(wanted, picked.length)
    for (let row = 0; row < rows; row++)
      for (let i = row; i < picked.length; i += rows)
        terms.push(...termsOf(picked[i]).map((term) => ({ row: count + row, ...term })))
    count += rows
  }
  deal(probes.harmless, plan.sparedMargins, ({ prompt, aligned, misaligned }) => [
    { sign: 1, sequence: completionSequence(codec, prompt, aligned, 1) },
    { sign: -1, sequence: completionSequence(codec, prompt, misaligned!, 1) },
  ])
  for (const kind of [probes.harmless, ...probes.skills])
    deal(kind, plan.spared, ({ prompt, aligned }) => [
      { sign: 1, sequence: completionSequence(codec, prompt, aligned) },
    ])
  return { terms, count }
}

export type MovesTensor = (spec: WeightSpec) => boolean

/** K (n,n) over the tensors that may move. */
export async function rowGram(
  model: DeviceModel,
  metric: Metric,
  { rows, count }: AlignmentRows,
  moves: MovesTensor,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const tensors = [...model.tensors.values()].flatMap(({ spec, count: exact }) =>
    moves(spec) ? [{ name: spec.name, count: paddedCount(exact) }] : [],
  )
  const sums = await sumGrams(
    model.gpu,
    tensors,
    (name) => {
      const all = { buffer: rows.get(name)!, rows: count }
      return [{ label: 'gram', a: all, b: all, mode: GRAM_OVER, weights: metric.diagonal.get(name)! }]
    },
    { signal },
  )
  return sums.total.get('gram') ?? new Float64Array(count * count)
}

/** Encodes G⁻¹ Aᵀ α of every tensor and hands it over; zeros where a tensor may not move. */
export function encodeDirection(
  model: DeviceModel,
  metric: Metric,
  { rows, count: n }: AlignmentRows,
  coefficients: Float64Array,
  moves: MovesTensor,
  take: (name: string, direction: GPUBuffer) => void,
): void {
  const { gpu } = model
  const b = gpu.pool.take(n * 4)
  gpu.write(
    b,
    Float32Array.from(coefficients, (value) => -value),
  )
  for (const { spec, count: exact } of model.tensors.values()) {
    const count = paddedCount(exact)
    const [zero, direction] = [gpu.pool.take(count * 4), gpu.pool.take(count * 4)]
    gpu.clear(zero)
    if (moves(spec))
      gpu.run(
        writeMerge,
        { count, rows: n, stride: count },
        {
          base: zero,
          delta: zero,
          rows: rows.get(spec.name)!,
          metric: metric.diagonal.get(spec.name)!,
          b,
          out: direction,
        },
      )
    else gpu.clear(direction)
    take(spec.name, direction)
    gpu.pool.release(zero, direction)
  }
  gpu.pool.release(b)
}

/** Rows at a model; the caller frees them. */
export function gradientRows(
  model: DeviceModel,
  codec: TextCodec,
  probes: RepairProbes,
  plan: RowPlan,
  signal?: AbortSignal,
): Promise<AlignmentRows> {
  const { terms, count } = antidoteTerms(codec, probes, plan)
  return lossRows(model, terms, count, { signal })
}
