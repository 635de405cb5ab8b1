// Plain weighted average of the experts, Σ λ_k θ_k with Σ λ_k = 1: the barycentre for any metric (2203.05482).

import { writeMerge } from '../../kernels/mergeStep/mergeStep.ts'
import { paddedCount } from '../../model/deviceModel.ts'
import { assertSameStorage, encodeBarycentre } from '../mergeInput.ts'
import type { MergeMethod } from './method.ts'

export const average: MergeMethod = {
  id: 'average',
  label: 'Plain average',
  source: 'model soups, arXiv 2203.05482',
  needs: [],
  encode(input, _material, out) {
    assertSameStorage(input, out)
    const { anchor } = input
    const { gpu } = anchor
    for (const { spec, count: exact } of anchor.tensors.values()) {
      const count = paddedCount(exact)
      const delta = gpu.pool.take(count * 4)
      encodeBarycentre(input, spec.name, delta)
      gpu.run(
        writeMerge,
        { count, rows: 0, stride: count },
        {
          base: anchor.buffer(spec.name),
          delta,
          rows: gpu.unused,
          metric: gpu.unused,
          b: gpu.unused,
          out: out.buffer(spec.name),
        },
        anchor.type,
      )
      gpu.pool.release(delta)
    }
  },
}
