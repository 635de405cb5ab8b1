// AlignMerge: barycentre of the experts in the anchor's Fisher chart minus its shielded part,
// θ = θ_IT + Σ λ_k Δ_k − G⁻¹Aᵀb. L_geo and the chart: arXiv 2512.16245; the form of L_align and the closed
// form: ours (methods.md §1.3).

import { EngineError } from '../../errors.ts'
import { writeMerge } from '../../kernels/mergeStep/mergeStep.ts'
import { paddedCount } from '../../model/deviceModel.ts'
import { assertSameStorage, encodeBarycentre } from '../mergeInput.ts'
import type { MergeMethod } from './method.ts'

export const alignMerge: MergeMethod = {
  id: 'alignmerge',
  label: 'AlignMerge',
  source: 'arXiv 2512.16245; form of L_align ours',
  needs: ['shield'],
  encode(input, { shield }, out) {
    if (!shield) throw new EngineError('request-invalid', 'AlignMerge needs alignment rows and a metric')
    assertSameStorage(input, out)
    const { anchor } = input
    const { gpu } = anchor
    const b = gpu.pool.take(shield.b.length * 4)
    gpu.write(b, Float32Array.from(shield.b))
    const isPlain = shield.b.every((value) => value === 0)
    for (const { spec, count: exact } of anchor.tensors.values()) {
      const count = paddedCount(exact)
      const delta = gpu.pool.take(count * 4)
      encodeBarycentre(input, spec.name, delta)
      const rows = shield.rows.rows.get(spec.name)
      // A tensor left out of A is just interpolated.
      const metric = shield.metric.diagonal.get(spec.name)
      gpu.run(
        writeMerge,
        { count, rows: isPlain || !rows ? 0 : shield.rows.count, stride: count },
        {
          base: anchor.buffer(spec.name),
          delta,
          rows: rows ?? gpu.unused,
          metric: metric ?? gpu.unused,
          b,
          out: out.buffer(spec.name),
        },
        anchor.type,
      )
      gpu.pool.release(delta)
    }
    gpu.pool.release(b)
  },
}
