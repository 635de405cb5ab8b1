// LED-Merging (arXiv 2502.16770): locate, elect, disjoint, merge. Per tensor, M_k = 1[top r_k of the expert's
// importance] ∧ 1[top r_k of the base's on the same data], without what another expert elects too, and
// θ = θ_0 + λ Σ w_k M_k∘τ_k. Importance of a weight is |w| Σ_batches |∂L/∂w|. The paper speaks of neurons; its code
// masks single weights, and so does this.

import { EngineError } from '../../../errors.ts'
import { chooseRows } from '../../../kernels/chooseRows/chooseRows.ts'
import { defineMethod, type TensorTask } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { baseOf, encodeRows } from '../../tensorTask.ts'
import { declaration } from './declaration.ts'
import { elect } from './elect.ts'

async function scoresOf(task: TensorTask, buffer: GPUBuffer | undefined, of: string): Promise<Float32Array> {
  if (!buffer)
    throw new EngineError('request-invalid', `there is no importance of ${of}`, { tensor: task.name })
  return task.gpu.readFloats(buffer, task.count)
}

export const method = defineMethod({
  declaration,
  async merge(task) {
    const { gpu, models, padded, type, name } = task
    const base = baseOf(task)
    const own: Float32Array[] = []
    const ofBase: Float32Array[] = []
    let shared: Float32Array | undefined
    for (const k of models.keys()) {
      own.push(await scoresOf(task, task.material('importance', k), `expert ${k + 1}`))
      const particular = task.material('baseImportance', k)
      shared ??= particular
        ? undefined
        : await scoresOf(task, task.material('importance', 'base'), 'the base')
      ofBase.push(particular ? await scoresOf(task, particular, 'the base') : shared!)
    }
    const shares = task.modelParameters.map((values) => numberOf(values, 'r'))
    let choice: Uint8Array
    try {
      choice = elect(own, ofBase, shares, padded)
    } catch (error) {
      if (error instanceof EngineError) throw new EngineError(error.code, error.message, { tensor: name })
      throw error
    }
    const lambda = numberOf(task.parameters, 'lambda')
    const coefficients = task.scratch(models.length * 4)
    gpu.write(
      coefficients,
      Float32Array.from(task.modelParameters, (values) => lambda * numberOf(values, 'weight')),
    )
    const chosen = task.scratch(padded)
    gpu.write(chosen, choice)
    gpu.run(
      chooseRows,
      { count: padded, rows: models.length, stride: padded },
      { base, rows_: encodeRows(task, { minusBase: true }), coefficients, choice: chosen, out: task.out },
      type,
    )
  },
})
