// Model Stock (Jang et al., arXiv 2403.19522; mergekit `model_stock`): θ = θ_0 + t · mean τ with
// t = K c / (1 + (K−1) c), c the mean cosine of pairs of task vectors, by tensor or by row. t is not clamped: c < 0
// extrapolates. 1 + (K−1) c = 0 means task vectors that cancel: where their mean is zero the base is the result.

import { EngineError } from '../../../errors.ts'
import { defineMethod, type PlannedTensor, type TensorTask } from '../../method.ts'
import { isOn } from '../../parameters.ts'
import { encodeLines, linesOf, lineTiling, measureLines } from '../../sphere.ts'
import { declaration } from './declaration.ts'

/** Least product of norms in a cosine. */
const SHORTEST = 1e-6
/** What float32 cosines leave of a sum that cancels. */
const ROUNDING = 1e-6

/** t of K vectors with this Gram matrix at `at`; undefined where it is infinite. */
function ratio(gram: Float64Array, at: number, size: number): number | undefined {
  let sum = 0
  for (let i = 0; i < size; i++)
    for (let j = i + 1; j < size; j++) {
      const norms = Math.sqrt(gram[at + i * size + i]) * Math.sqrt(gram[at + j * size + j])
      sum += gram[at + i * size + j] / Math.max(norms, SHORTEST)
    }
  const cosine = sum / ((size * (size - 1)) / 2)
  const divisor = 1 + (size - 1) * cosine
  if (Math.abs(divisor) > ROUNDING) return (size * cosine) / divisor
  let [total, own] = [0, 0]
  for (let i = 0; i < size; i++) {
    own += gram[at + i * size + i]
    for (let j = 0; j < size; j++) total += gram[at + i * size + j]
  }
  return total <= ROUNDING * own ? 0 : undefined
}

const linesIn = (tensor: PlannedTensor) =>
  linesOf(tensor, isOn(tensor.parameters, 'filter_wise') ? 'rows' : 'tensor')
const vectorsOf = ({ models }: TensorTask) => ({ buffers: models, minusBase: true })

export const method = defineMethod<undefined, Float64Array>({
  declaration,
  tiling: lineTiling(linesIn),
  async measure(tensor) {
    const lines = linesIn(tensor)
    const { count, size, values } = await measureLines(tensor, vectorsOf, lines)
    const shares = new Float64Array(count * size)
    for (let line = 0; line < count; line++) {
      const t = ratio(values, line * size * size, size)
      if (t === undefined)
        throw new EngineError(
          'request-invalid',
          `directions of the task vectors cancel${lines === 'rows' ? ` in row ${line}` : ''}, so the ratio t has no value`,
          { tensor: tensor.name },
        )
      shares.fill(t / size, line * size, (line + 1) * size)
    }
    return shares
  },
  merge: (task, _, shares) => encodeLines(task, vectorsOf(task), linesIn(task), shares),
})
