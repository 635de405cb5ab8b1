// Fisher-weighted average, θ_j = Σ λ_k F_k,j θ_k,j / Σ λ_k F_k,j (Matena & Raffel, arXiv 2111.09832; their code for
// the norms and the floor). Two definitions:
//   paper:  λ_k = w_k/‖F_k‖ over the whole model; only the target, the first model, is floored, so that weights nobody
//           is sure of keep its values. A base, if there is one, is the target: it joins with F = floor and λ = 1 (ours)
//   common: the floor is added to every model, λ_k = w_k

import { EngineError } from '../../../errors.ts'
import { sumGrams } from '../../../geometry/gramPass.ts'
import { fisherAccumulate, fisherFinish } from '../../../kernels/mergeStep/mergeStep.ts'
import { GRAM_PLAIN } from '../../../kernels/weightedGram/weightedGram.ts'
import { defineMethod, type ModelTask, type ParameterValues, type TensorTask } from '../../method.ts'
import { isOn, numberOf } from '../../parameters.ts'
import { elementwise } from '../../tiles.ts'
import { declaration } from './declaration.ts'

function fisherOf(task: TensorTask, k: number): GPUBuffer {
  const fisher = task.material('fisher', k)
  if (!fisher)
    throw new EngineError('request-invalid', `expert ${k + 1} has no Fisher diagonal`, { tensor: task.name })
  return fisher
}

/** ‖F_k‖ over the whole model; `not-finite` names the expert and the tensor. */
async function fisherNorms(model: ModelTask): Promise<number[]> {
  const squares = (model.tensors[0]?.modelParameters ?? []).map(() => 0)
  await model.forEach(async (task) => {
    const sums = await sumGrams(task.gpu, [{ name: task.name, count: task.padded }], () =>
      squares.map((_, k) => {
        const row = { buffer: fisherOf(task, k), rows: 1 }
        return { label: String(k), a: row, b: row, mode: GRAM_PLAIN }
      }),
    )
    squares.forEach((_, k) => {
      const square = sums.total.get(String(k))![0]
      if (!Number.isFinite(square))
        throw new EngineError('not-finite', `the Fisher diagonal of expert ${k + 1} is not finite`, {
          tensor: task.name,
        })
      squares[k] += square
    })
  })
  return squares.map(Math.sqrt)
}

const isPaper = (parameters: ParameterValues) => parameters.variant === 'paper'

export const method = defineMethod<number[]>({
  declaration,
  tiling: elementwise((models) => 2 * models + 3),
  survey: fisherNorms,
  merge(task, norms) {
    const { gpu, padded: count, models, base, parameters, type, out } = task
    const floor = numberOf(parameters, 'floor')
    const isTargeted = isPaper(parameters)
    const isNormalized = isTargeted && isOn(parameters, 'normalize_fishers')
    const [numerator, denominator] = [task.scratch(count * 4), task.scratch(count * 4)]
    gpu.clear(numerator)
    gpu.clear(denominator)
    const add = (fisher: GPUBuffer, expert: GPUBuffer, lambda: number, least: number, added: number) =>
      gpu.run(
        fisherAccumulate,
        { count, lambda, least, floor: added },
        { fisher, expert, numerator, denominator },
        type,
      )
    models.forEach((model, k) => {
      const weight = numberOf(task.modelParameters[k], 'weight')
      const lambda = isNormalized && norms[k] > 0 ? weight / norms[k] : weight
      const isTarget = isTargeted && !base && k === 0
      add(fisherOf(task, k), model, lambda, isTarget ? floor : 0, isTargeted ? 0 : floor)
    })
    if (isTargeted && base) add(gpu.unused, base, 1, 0, floor)
    const fallback = isTargeted && base ? base : models[0]
    gpu.run(fisherFinish, { count }, { numerator, denominator, fallback, out }, type)
  },
})
