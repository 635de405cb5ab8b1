// Iso-C (Marczak et al., arXiv 2502.04959): Σ τ = U S Vᵀ of a matrix with every singular value replaced by their mean,
// θ = θ_0 + α mean(S) U Vᵀ; null directions stay zero (ours: their vectors are arbitrary). Others: θ_0 + α mean τ.

import { defineMethod } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { rankOf, singularTriplets, sumOfProducts } from '../../singularValues.ts'
import { encodeMeanTask, isMatrix, readTasks, writeMoved } from '../../spectral.ts'
import { declaration } from './declaration.ts'

export const method = defineMethod({
  declaration,
  async merge(task) {
    const scale = numberOf(task.parameters, 'scale')
    if (!isMatrix(task)) {
      encodeMeanTask(task, scale)
      return
    }
    const { base, tasks } = await readTasks(task)
    const sum = tasks[0]
    for (const { data } of tasks.slice(1)) for (let i = 0; i < data.length; i++) sum.data[i] += data[i]
    const { count, values, left, right } = singularTriplets(sum)
    const mean = values.reduce((a, b) => a + b, 0) / count
    const even = new Float64Array(rankOf(values)).fill(mean)
    writeMoved(task, base, sumOfProducts(left, right, even).data, scale)
  },
})
