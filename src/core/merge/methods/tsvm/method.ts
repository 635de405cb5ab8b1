// TSV-Merge (Gargiulo et al., arXiv 2412.00081): of each task vector τ_i = U_i S_i V_iᵀ of a matrix the first r/T
// triplets, side by side, whitened by their polar factors: θ = θ_0 + α polar(U) S polar(V)ᵀ. Others: θ_0 + α mean τ.
// At least one triplet of each is kept (ours: the paper takes int(r/T)).

import { defineMethod } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import {
  encodeMeanTask,
  isMatrix,
  leadingTriplets,
  readTasks,
  tripletsOf,
  whitenedSum,
  writeMoved,
} from '../../spectral.ts'
import { declaration } from './declaration.ts'

export const method = defineMethod({
  declaration,
  async merge(task) {
    const alpha = numberOf(task.parameters, 'alpha')
    if (!isMatrix(task)) {
      encodeMeanTask(task, alpha)
      return
    }
    const [rows, columns] = task.shape
    const host = await readTasks(task)
    const kept = Math.max(1, Math.floor(Math.min(rows, columns) / task.models.length))
    const parts = tripletsOf(host).map((triplets) => leadingTriplets(triplets, kept))
    writeMoved(task, host.base, whitenedSum(parts, rows, columns).data, alpha)
  },
})
