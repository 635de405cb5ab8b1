// With full bases U (m, m) and V (n, n), as the formula stands.
import type { MergeReference } from '../../method.ts'
import {
  added,
  completeBasis,
  type Dense,
  denseOf,
  flat,
  referenceTriplets,
  times,
  transposed,
} from '../../spectral.reference.ts'

/** τ̃ of a newcomer. */
function projected(running: Dense, tau: Dense, alpha: number): Dense {
  const triplets = referenceTriplets(running)
  if (triplets.length === 0) return tau
  const u = completeBasis(
    triplets.map((triplet) => triplet.u),
    tau.length,
  )
  const v = completeBasis(
    triplets.map((triplet) => triplet.v),
    tau[0].length,
  )
  const p = times(times(u, tau), transposed(v))
  const total = triplets.reduce((sum, { s }) => sum + s, 0)
  let sum = 0
  let kept = 0
  for (const { s } of triplets) {
    sum += s
    if (alpha >= 1 || sum / total <= alpha) kept++
  }
  for (let i = 0; i < triplets.length; i++) p[i][i] = 0
  for (let i = 0; i < kept; i++) for (let j = 0; j < kept; j++) p[i][j] = 0
  return times(times(transposed(u), p), v)
}

export const reference: MergeReference = ({ tensors, base, models }) => {
  const tau = models.map((model) =>
    tensors.map(({ name, shape }) => {
      const [rows, columns] = shape.length === 2 ? shape : [1, base!.get(name)!.length]
      return denseOf(
        model.get(name)!.map((x, i) => x - base!.get(name)![i]),
        rows,
        columns,
      )
    }),
  )
  const size = (parts: Dense[]) =>
    Math.sqrt(parts.reduce((sum, m) => sum + m.flat().reduce((s, x) => s + x * x, 0), 0))
  const norms = tau.map(size)
  let running = tau[0]
  let lambda = 1
  for (let t = 1; t < tau.length; t++) {
    const moved = tensors.map(({ shape, parameters }, at) => {
      const step =
        shape.length === 2 ? projected(running[at], tau[t][at], Number(parameters.alpha)) : tau[t][at]
      return added(step, running[at], lambda)
    })
    const mean = norms.slice(0, t + 1).reduce((a, b) => a + b, 0) / (t + 1)
    const isNothing = size(moved) === 0 || mean === 0
    lambda = isNothing ? 1 : size(moved) / mean
    running = moved.map((m) => m.map((row) => row.map((x) => (isNothing ? 0 : x / lambda))))
  }
  return new Map(
    tensors.map(({ name }, at) => {
      const delta = flat(running[at])
      return [name, base!.get(name)!.map((x, i) => x + delta[i])]
    }),
  )
}
