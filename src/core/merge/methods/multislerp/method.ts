// Weighted mean on the sphere of any number of models, or of their task vectors when there is a base (mergekit
// `multislerp`): u = v/(‖v‖+ε), m = Σ w u / ‖Σ w u‖, one step along the mean tangent Σ w (u − ⟨u,m⟩m), times Σ w ‖v‖.
// That tangent is Σ w u − ⟨Σ w u, m⟩ m = 0 whatever the weights, so the step is none and only its a = ε stays:
// θ = cos ε · m · Σ w ‖v‖.

import { EngineError } from '../../../errors.ts'
import { defineMethod, type TensorTask } from '../../method.ts'
import { isOn, numberOf } from '../../parameters.ts'
import { encodeLines, lineTiling, measureLines } from '../../sphere.ts'
import { declaration } from './declaration.ts'

/** ‖Σ w u‖ / Σ |w| below which float32 cannot tell a direction from rounding. */
const LEAST_DIRECTION = 3e-4

const vectorsOf = ({ models, base }: TensorTask) => ({
  buffers: models,
  minusBase: base !== undefined && models.length > 1,
})

export const method = defineMethod<undefined, Float64Array>({
  declaration,
  tiling: lineTiling(() => 'tensor'),
  async measure(tensor) {
    const given = tensor.modelParameters.map((values) => numberOf(values, 'weight'))
    const total = isOn(tensor.parameters, 'normalize_weights') ? given.reduce((a, b) => a + b, 0) : 1
    if (total === 0)
      throw new EngineError('request-invalid', 'weights add up to 0, so they cannot be normalised', {
        tensor: tensor.name,
      })
    const weights = given.map((weight) => weight / total)
    const size = given.length
    if (size === 1) return Float64Array.of(1)
    const eps = numberOf(tensor.parameters, 'eps')
    const { values: gram } = await measureLines(tensor, vectorsOf, 'tensor')
    const norms = weights.map((_, k) => Math.sqrt(gram[k * size + k]))
    if (norms.every((norm) => norm === 0)) return new Float64Array(size)
    const shares = weights.map((weight, k) => (norms[k] === 0 ? 0 : weight / (norms[k] + eps)))
    const square = shares.reduce(
      (sum, a, i) => shares.reduce((inner, b, j) => inner + a * b * gram[i * size + j], sum),
      0,
    )
    const direction = Math.sqrt(Math.max(0, square))
    const weightSize = weights.reduce((sum, weight) => sum + Math.abs(weight), 0)
    if (!(direction > Math.max(eps, LEAST_DIRECTION * weightSize)))
      throw new EngineError(
        'request-invalid',
        `the weighted directions of the models cancel (mean length ${direction.toExponential(1)}), so they have no mean on the sphere`,
        { tensor: tensor.name },
      )
    const length = weights.reduce((sum, weight, k) => sum + weight * norms[k], 0)
    const scale = (Math.cos(eps) * length) / direction
    return Float64Array.from(shares, (share) => share * scale)
  },
  merge: (task, _, shares) => encodeLines(task, vectorsOf(task), 'tensor', shares),
})
