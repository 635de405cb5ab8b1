// Spherical interpolation of base and one model, each tensor one vector (Shoemake 1985, as mergekit `slerp`):
// cos Ω = ⟨θ_0, θ_1⟩ / ‖θ_0‖‖θ_1‖, θ = [sin (1−t)Ω θ_0 + sin tΩ θ_1] / sin Ω; |cos Ω| > 0.9995: (1−t)θ_0 + tθ_1.

import { defineMethod, type TensorTask } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { encodeLines, lineTiling, measureLines } from '../../sphere.ts'
import { angleOf, arcShares, chordShares } from '../../sphereShares.ts'
import { baseOf } from '../../tensorTask.ts'
import { declaration } from './declaration.ts'

/** Beyond this cosine the arc is taken as its chord. */
const STRAIGHT = 0.9995
/** Shorter vectors are not scaled to length 1 for the angle. */
const SHORT = 1e-8

const vectorsOf = (task: TensorTask) => ({ buffers: [baseOf(task), task.models[0]], minusBase: false })

export const method = defineMethod<undefined, Float64Array>({
  declaration,
  tiling: lineTiling(() => 'tensor'),
  async measure(tensor) {
    const t = numberOf(tensor.parameters, 't')
    const { values } = await measureLines(tensor, vectorsOf, 'tensor')
    const { cosine } = angleOf(values, 0, (norm) => (norm > SHORT ? norm : 1))
    return Float64Array.from(Math.abs(cosine) > STRAIGHT ? chordShares(t) : arcShares(cosine, t))
  },
  merge: (task, _, shares) => encodeLines(task, vectorsOf(task), 'tensor', shares),
})
