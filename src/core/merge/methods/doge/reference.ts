import type { MergeReference } from '../../method.ts'
import {
  added,
  type Dense,
  denseOf,
  frobenius,
  referenceTriplets,
  times,
  transposed,
} from '../../spectral.reference.ts'

/** The first `count` left singular vectors as columns, or undefined when there are none. */
function leftVectors(m: Dense, count: number): Dense | undefined {
  const vectors = referenceTriplets(m)
    .slice(0, count)
    .map(({ u }) => u)
  return vectors.length === 0 ? undefined : transposed(vectors)
}

/** M − Q Qᵀ M. */
const outside = (q: Dense | undefined, m: Dense): Dense =>
  q ? added(m, times(q, times(transposed(q), m)), -1) : m

export const reference: MergeReference = ({ tensors, base, models }) => {
  const tau = models.map((model) =>
    tensors.map(({ name }) => Array.from(model.get(name)!, (x, i) => x - base!.get(name)![i])),
  )
  // Every element of a model in one list: sorted names, then row-major; the sort keeps equals in that order.
  const places = tensors
    .map(({ name }, at) => ({ name, at }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ at }) => tau[0][at].map((_, i) => [at, i]))
  const masks = tau.map((parts) => {
    const order = [...places].sort((a, b) => Math.abs(parts[b[0]][b[1]]) - Math.abs(parts[a[0]][a[1]]))
    const kept = parts.map((part) => part.map(() => 0))
    const top = Number(tensors[0].parameters.top)
    for (const [at, i] of order.slice(0, Math.trunc(top * places.length))) kept[at][i] = 1
    return kept
  })
  return new Map(
    tensors.map(({ name, shape, parameters }, at) => {
      const [rows, columns] = shape.length === 2 ? shape : [1, tau[0][at].length]
      const tasks = tau.map((parts) => denseOf(parts[at], rows, columns))
      const shares = tasks.map((m) => (frobenius(m) === 0 ? 0 : Number(parameters.eta) / frobenius(m)))
      const total = shares.reduce((a, b) => a + b, 0)
      let delta: Dense = denseOf(new Float64Array(rows * columns), rows, columns)
      if (shape.length === 2) {
        const r = Math.min(rows, columns)
        const stacked = joinColumns(tasks, Math.trunc(r / tasks.length))
        const q = stacked && leftVectors(stacked, Math.trunc(r / Number(parameters.subspace)))
        const sum = tasks.reduce((s, m, i) => added(s, m, shares[i]), delta)
        let [first, second] = [delta, delta]
        for (let step = 1; step <= Number(parameters.steps); step++) {
          let gradient: Dense = denseOf(new Float64Array(rows * columns), rows, columns)
          for (const m of tasks) {
            const rest = added(added(m, sum, -1), delta, -total)
            gradient = gradient.map((row, a) => {
              const c = m[a].reduce((s, x, k) => s + x * rest[a][k], 0)
              return row.map((x, k) => x - 2 * total * c * m[a][k])
            })
          }
          gradient = outside(q, gradient)
          first = first.map((row, a) => row.map((x, k) => 0.9 * x + 0.1 * gradient[a][k]))
          second = second.map((row, a) => row.map((x, k) => 0.999 * x + 0.001 * gradient[a][k] ** 2))
          delta = delta.map((row, a) =>
            row.map((x, k) => {
              const mean = first[a][k] / (1 - 0.9 ** step)
              const size = Math.sqrt(second[a][k] / (1 - 0.999 ** step))
              return x - (Number(parameters.lr) * mean) / (size + 1e-8)
            }),
          )
          delta = outside(q, delta)
        }
      }
      const flat = delta.flat()
      return [
        name,
        base!
          .get(name)!
          .map((x, i) =>
            masks.reduce((s, mask, k) => s + shares[k] * (tau[k][at][i] + flat[i]) * mask[at][i], x),
          ),
      ]
    }),
  )
}

/** Leading left vectors of all tasks side by side, or undefined when there are none. */
function joinColumns(tasks: readonly Dense[], count: number): Dense | undefined {
  const parts = tasks.map((m) => leftVectors(m, count)).filter((part) => part !== undefined)
  return parts[0]?.map((_, i) => parts.flatMap((part) => part[i]))
}
