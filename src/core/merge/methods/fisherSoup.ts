// Fisher-weighted average, θ_j = Σ λ_k F_k,j θ_k,j / Σ λ_k F_k,j (Matena & Raffel, arXiv 2111.09832).
// Fishers are per token, with a floor so that weights nobody is sure of become the plain average. The paper
// floors the target model only; a common floor is ours, since no expert is the target here.

import { EngineError } from '../../errors.ts'
import { damp } from '../../kernels/elementwise/elementwise.ts'
import { fisherAccumulate, fisherFinish } from '../../kernels/mergeStep/mergeStep.ts'
import { paddedCount } from '../../model/deviceModel.ts'
import { assertSameStorage } from '../mergeInput.ts'
import type { MergeMethod } from './method.ts'

/** added to every Fisher, per token */
export const FISHER_FLOOR = 1e-10

export const fisherSoup: MergeMethod = {
  id: 'fisher-soup',
  label: 'Fisher soup',
  source: 'arXiv 2111.09832; common floor ours',
  needs: ['expertFishers'],
  encode(input, { expertFishers }, out) {
    if (expertFishers?.length !== input.experts.length)
      throw new EngineError('request-invalid', 'the Fisher soup needs a Fisher diagonal of every expert')
    assertSameStorage(input, out)
    const { anchor, experts, weights } = input
    const { gpu } = anchor
    for (const { spec, count: exact } of anchor.tensors.values()) {
      const count = paddedCount(exact)
      const [numerator, denominator, fisher] = [0, 1, 2].map(() => gpu.pool.take(count * 4))
      gpu.clear(numerator)
      gpu.clear(denominator)
      experts.forEach((expert, k) => {
        const { sums, tokens } = expertFishers[k]
        gpu.run(damp, { count, scale: 1 / tokens, shift: 0 }, { fisher: sums.get(spec.name)!, out: fisher })
        gpu.run(
          fisherAccumulate,
          { count, lambda: weights[k], floor: FISHER_FLOOR },
          { fisher, expert: expert.buffer(spec.name), numerator, denominator },
          expert.type,
        )
      })
      gpu.run(fisherFinish, { count }, { numerator, denominator, out: out.buffer(spec.name) }, out.type)
      gpu.pool.release(numerator, denominator, fisher)
    }
  },
}
