// Riemannian (Karcher) mean of unit tensors on the sphere, times their mean norm (mergekit `karcher`): from the
// normalised mean, c ← exp_c(T) with T = mean of (θ / sin θ)(u − cos θ c), until ‖T‖ < tol. Everything is done on
// coefficients over the inputs with their cosines. A base that is given is the first of the inputs.

import { EngineError } from '../../../errors.ts'
import { eigenSymmetric } from '../../../geometry/eigen.ts'
import { defineMethod, type TensorTask } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { encodeLines, lineTiling, measureLines } from '../../sphere.ts'
import { cosines, OPPOSITE } from '../../sphereShares.ts'
import { declaration } from './declaration.ts'

/**
 * Angles that float32 cosines can tell from 0. Terms with θ < tol are left out, but below this nobody knows which
 * those are: all then count, with θ / sin θ = 1, so that models nearly alike are averaged evenly.
 */
const LEAST_ANGLE = 1e-3

/** Σ_ij a_i b_j C_ij. */
function form(c: Float64Array, a: ArrayLike<number>, b: ArrayLike<number>, size: number): number {
  let sum = 0
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) sum += a[i] * b[j] * c[i * size + j]
  return sum
}

/**
 * The nearest Gram matrix of actual vectors. Cosines summed in float32 may belong to none: with inputs that depend on
 * one another ‖T‖² would then be negative, and the search would stop or run on for nothing.
 */
function positivePart(c: Float64Array, size: number): Float64Array {
  const { values, vectors } = eigenSymmetric(c, size)
  return Float64Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size]
    let sum = 0
    for (let k = 0; k < size; k++)
      sum += Math.max(0, values[k]) * vectors[k * size + i] * vectors[k * size + j]
    return sum
  })
}

/** Coefficients over unit vectors with these cosines (K, K) of their mean on the sphere. */
export function karcherShares(
  cosine: Float64Array,
  size: number,
  maxIter: number,
  tol: number,
): Float64Array {
  const c = positivePart(cosine, size)
  const mean = new Float64Array(size).fill(1 / size)
  const start = Math.sqrt(form(c, mean, mean, size))
  let at = mean.map((share) => share / start)
  if (!(start >= tol)) at = Float64Array.from({ length: size }, (_, k) => (k === 0 ? 1 : 0))
  for (let step = 0; step < maxIter; step++) {
    const tangent = new Float64Array(size)
    for (let k = 0; k < size; k++) {
      let dot = 0
      for (let i = 0; i < size; i++) dot += at[i] * c[i * size + k]
      if (dot < OPPOSITE)
        throw new EngineError(
          'request-invalid',
          `input ${k + 1} is opposite to the mean of all, which is then not unique`,
        )
      const angle = Math.acos(Math.min(1, dot))
      if (angle < tol && tol >= LEAST_ANGLE) continue
      const pull = (angle < LEAST_ANGLE ? 1 : angle / Math.sin(angle)) / size
      tangent[k] += pull
      for (let i = 0; i < size; i++) tangent[i] -= pull * dot * at[i]
    }
    const length = Math.sqrt(Math.max(0, form(c, tangent, tangent, size)))
    if (length < tol) break
    at = at.map((share, i) => Math.cos(length) * share + (Math.sin(length) / length) * tangent[i])
    const norm = Math.sqrt(form(c, at, at, size))
    at = at.map((share) => share / norm)
  }
  return at
}

const vectorsOf = ({ base, models }: TensorTask) => ({
  buffers: [...(base ? [base] : []), ...models],
  minusBase: false,
})

export const method = defineMethod<undefined, Float64Array>({
  declaration,
  tiling: lineTiling(() => 'tensor'),
  async measure(tensor) {
    const tol = numberOf(tensor.parameters, 'tol')
    const { values: gram, size } = await measureLines(tensor, vectorsOf, 'tensor')
    if (size === 1) return Float64Array.of(1)
    const norms = Array.from({ length: size }, (_, k) => Math.sqrt(gram[k * size + k]))
    // Inputs of no length have no direction, and do not shorten the result either.
    const used = norms.flatMap((norm, k) => (norm > tol ? [k] : []))
    const shares = new Float64Array(size)
    if (used.length > 0) {
      const cosine = cosines(gram, size)
      const part = used.flatMap((i) => used.map((j) => cosine[i * size + j]))
      const length = used.reduce((sum, k) => sum + norms[k], 0) / used.length
      const maxIter = numberOf(tensor.parameters, 'max_iter')
      karcherShares(Float64Array.from(part), used.length, maxIter, tol).forEach((share, i) => {
        shares[used[i]] = (share * length) / norms[used[i]]
      })
    }
    return shares
  },
  merge: (task, _, shares) => encodeLines(task, vectorsOf(task), 'tensor', shares),
})
