// Rows of A half-way along the merge: gradients of the decision margin at θ_IT + ½ δ̄, δ̄ the mean of the experts'
// differences. The decision margin of a harmful prompt is the loss of the unwanted completion's first token minus
// that of the aligned one's: whether to refuse is decided there, and the mean over a whole completion drowns it in
// words that follow from it (cf. arXiv 2406.05946, safety alignment is a few tokens deep).
// Why not at the anchor: there every refusal is certain, so the aligned token's loss has almost no gradient left,
// and the first order says little about a merge that is a long way off. By the midpoint rule ⟨A_j, δ̄⟩ with A_j from
// half-way is, to third order, the margin that prompt j really loses on the way:
//   f_j(θ_IT + δ̄) − f_j(θ_IT) = ∫₀¹ ⟨∇f_j(θ_IT + t δ̄), δ̄⟩ dt ≈ ⟨∇f_j(θ_IT + ½ δ̄), δ̄⟩.
// Ours; the paper's choice is not known. A relative is the outer loop of methods.md §1.3. The metric stays the
// anchor's. Experts count alike whatever their λ_k, so that the weights can move without new gradients.

import type { ProbeFile } from '../evaluate/probes.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import { type AlignmentRows, lossRows, type RowOptions } from '../geometry/alignmentRows.ts'
import { combine, widen } from '../kernels/elementwise/elementwise.ts'
import { encodeBarycentre } from '../merge/mergeInput.ts'
import { DeviceModel, paddedCount } from '../model/deviceModel.ts'
import { lossTerms, rowProbes } from './sequences.ts'

/** θ_IT + share · mean of the experts' differences, float32; to be disposed of by the caller. */
export function modelOnTheWay(
  anchor: DeviceModel,
  experts: readonly DeviceModel[],
  share: number,
): DeviceModel {
  const { gpu } = anchor
  const out = new DeviceModel(gpu, anchor.config, 'f32')
  const weights = experts.map(() => share / experts.length)
  for (const { spec, count: exact } of anchor.tensors.values()) {
    const count = paddedCount(exact)
    const [base, step] = [gpu.pool.take(count * 4), gpu.pool.take(count * 4)]
    gpu.run(widen, { count }, { weight: anchor.buffer(spec.name), out: base }, anchor.type)
    encodeBarycentre({ anchor, experts, weights }, spec.name, step)
    gpu.run(combine, { count, alpha: 1, beta: 1 }, { a: base, b: step, out: out.buffer(spec.name) })
    gpu.pool.release(base, step)
  }
  return out
}

/** Tokens of a completion that decide; see the head of the file. */
export const DECISION_TOKENS = 1

/** One row per harmful probe of a split: gradients of the decision margin half-way. */
export async function pathRows(
  anchor: DeviceModel,
  experts: readonly DeviceModel[],
  codec: TextCodec,
  probes: ProbeFile,
  choice: { split: 'estimate' | 'heldout'; count: number; seed: number },
  options: RowOptions,
): Promise<AlignmentRows> {
  const picked = rowProbes(probes, choice.split, choice.count, choice.seed)
  const model = modelOnTheWay(anchor, experts, 0.5)
  try {
    return await lossRows(model, lossTerms(codec, picked, 'margin', DECISION_TOKENS), picked.length, options)
  } finally {
    model.dispose()
  }
}
