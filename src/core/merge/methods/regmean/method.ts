// RegMean (arXiv 2212.09849): of each linear layer the W that minimises Σ_k w_k tr((W − W_k) G̃_k (W − W_k)ᵀ), i.e.
// W = (Σ w_k W_k G̃_k)(Σ w_k G̃_k)⁻¹, W (out, in), G_k the Gram matrix of the inputs of expert k's layer and G̃ = G with
// its off-diagonal scaled. Solved in float64 on the host, with a ridge ε towards the weighted mean (ours), so that
// inputs nobody ever sees take the mean; ε = 1e-8 of the mean diagonal. All other tensors: the weighted mean.

import { EngineError } from '../../../errors.ts'
import { defineMethod, type TensorTask } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { readMaterial, readTensor, writeTensor } from '../../tensorTask.ts'
import { encodeWeightedSum } from '../../weightedSum.ts'
import { declaration } from './declaration.ts'
import { solveSymmetric } from './solve.ts'

const RIDGE = 1e-8

/** G̃ of one expert (in, in); `not-finite` where G is, `shape-mismatch` where it is too small. */
async function scaledGram(
  task: TensorTask,
  gram: GPUBuffer,
  k: number,
  inputs: number,
): Promise<Float64Array> {
  if (gram.size < inputs * inputs * 4)
    throw new EngineError(
      'shape-mismatch',
      `the Gram matrix of expert ${k + 1} has ${gram.size} bytes, expected ${inputs}×${inputs} numbers`,
      { tensor: task.name },
    )
  const values = await readMaterial(task, gram, inputs * inputs)
  const share = numberOf(task.parameters, 'off_diagonal')
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]))
      throw new EngineError('not-finite', `the Gram matrix of expert ${k + 1} is not finite`, {
        tensor: task.name,
      })
    if (i % (inputs + 1) !== 0) values[i] *= share
  }
  return values
}

/** out += scale · W (rows, n) · G (n, n) */
function addProduct(
  out: Float64Array,
  scale: number,
  W: Float64Array,
  G: Float64Array,
  rows: number,
  n: number,
): void {
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < n; i++) {
      const value = scale * W[r * n + i]
      if (value === 0) continue
      for (let j = 0; j < n; j++) out[r * n + j] += value * G[i * n + j]
    }
}

export const method = defineMethod({
  declaration,
  async merge(task) {
    const { models, shape } = task
    const weights = task.modelParameters.map((values) => numberOf(values, 'weight'))
    const total = weights.reduce((a, b) => a + b, 0)
    if (total === 0)
      throw new EngineError('request-invalid', 'weights add up to 0, so there is no mean of the models', {
        tensor: task.name,
      })
    const shares = weights.map((weight) => weight / total)
    const found = shape.length === 2 ? models.map((_, k) => task.material('gram', k)) : []
    const grams = found.filter((gram) => gram !== undefined)
    if (grams.length < models.length) {
      encodeWeightedSum(task, shares)
      return
    }
    const [rows, n] = shape
    const S = new Float64Array(n * n)
    const R = new Float64Array(rows * n)
    const mean = new Float64Array(rows * n)
    for (const [k, model] of models.entries()) {
      const [G, W] = [await scaledGram(task, grams[k], k, n), await readTensor(task, model)]
      for (let i = 0; i < S.length; i++) S[i] += weights[k] * G[i]
      for (let i = 0; i < W.length; i++) mean[i] += shares[k] * W[i]
      addProduct(R, weights[k], W, G, rows, n)
    }
    let trace = 0
    for (let i = 0; i < n; i++) trace += S[i * (n + 1)]
    const ridge = (RIDGE * trace) / n
    for (let i = 0; i < n; i++) S[i * (n + 1)] += ridge
    for (let i = 0; i < R.length; i++) R[i] += ridge * mean[i]
    writeTensor(task, solveSymmetric(S, n, R, rows, mean))
  },
})
