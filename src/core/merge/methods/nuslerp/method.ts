// Spherical interpolation of two models, or of their task vectors when there is a base (mergekit `nuslerp`), at
// t = w_2 / (w_1 + w_2), with one angle for each tensor, row or column; un-normalised vectors. Where sin Ω < 1e-8, or
// vectors are opposite as far as float32 can tell (ours), the chord.

import { defineMethod, type PlannedTensor, type TensorTask } from '../../method.ts'
import { isOn, numberOf } from '../../parameters.ts'
import { encodeLines, type Lines, linesOf, lineTiling, measureLines } from '../../sphere.ts'
import { angleOf, arcShares, chordShares, OPPOSITE } from '../../sphereShares.ts'
import { declaration } from './declaration.ts'

const SHORTEST = 1e-7
const LEAST_SINE = 1e-8

/** Share of the second model: half where weights cancel. */
function positionOf([first, second]: readonly number[]): number {
  const sum = first + second
  return Math.abs(sum) < 1e-6 ? 0.5 : second / sum
}

/** mergekit's `row_wise` runs along the first axis of the stored matrix: over its columns. */
function linesIn(tensor: PlannedTensor): Lines {
  const byLine = isOn(tensor.parameters, 'nuslerp_row_wise') ? 'columns' : 'rows'
  return linesOf(tensor, isOn(tensor.parameters, 'nuslerp_flatten') ? 'tensor' : byLine)
}

const vectorsOf = ({ models, base }: TensorTask) => ({ buffers: models, minusBase: base !== undefined })

export const method = defineMethod<undefined, Float64Array>({
  declaration,
  tiling: lineTiling(linesIn),
  async measure(tensor) {
    const t = positionOf(tensor.modelParameters.map((values) => numberOf(values, 'weight')))
    const { count, values } = await measureLines(tensor, vectorsOf, linesIn(tensor))
    const shares = new Float64Array(count * 2)
    for (let line = 0; line < count; line++) {
      const { cosine } = angleOf(values, line * 4, (norm) => Math.max(norm, SHORTEST))
      const isStraight = cosine < OPPOSITE || Math.sqrt(1 - cosine * cosine) < LEAST_SINE
      shares.set(isStraight ? chordShares(t) : arcShares(cosine, t), line * 2)
    }
    return shares
  },
  merge: (task, _, shares) => encodeLines(task, vectorsOf(task), linesIn(task), shares),
})
