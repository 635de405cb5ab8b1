// θ = θ_0 + Σ w_k (θ_k − θ_0) + β (θ_aligned − θ_0) (MergeAlign, arXiv 2411.06824; equal shares there). The base is
// what experts and the aligned model were all trained from.

import { EngineError } from '../../../errors.ts'
import { combine } from '../../../kernels/elementwise/elementwise.ts'
import { defineMethod } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { baseOf, encodeCombination, encodeRows, encodeWide } from '../../tensorTask.ts'
import { declaration } from './declaration.ts'

export const method = defineMethod({
  declaration,
  merge(task) {
    const { gpu, models, padded } = task
    const aligned = task.material('aligned')
    if (!aligned)
      throw new EngineError('request-invalid', 'MergeAlign needs an aligned model', { tensor: task.name })
    const K = models.length
    const differences = encodeRows(task, { minusBase: true })
    const alignment = task.scratch(padded * 4)
    gpu.run(
      combine,
      { count: padded, alpha: 1, beta: -1 },
      { a: aligned, b: encodeWide(task, baseOf(task)), out: alignment },
    )
    const rows = task.scratch((K + 1) * padded * 4)
    gpu.copy(differences, rows, K * padded * 4)
    gpu.copy(alignment, rows, padded * 4, 0, K * padded * 4)
    const shares = task.modelParameters.map((values) => numberOf(values, 'weight'))
    encodeCombination(task, rows, [...shares, numberOf(task.parameters, 'beta')], 1)
  },
})
