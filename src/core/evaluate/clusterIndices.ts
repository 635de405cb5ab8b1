// The usual indices of a two-cluster labelling, from the Gram matrix. Lower is better for Xie-Beni (1991) and
// Davies-Bouldin (1979), higher for Calinski-Harabasz (1974), Dunn (1974) and silhouette (Rousseeuw 1987).
// Xie-Beni and Calinski-Harabasz use the measured d^2, as their definitions do: CHI * XB = (n-2) n1 n2 / n^2.

import type { Unavailable } from './estimate.ts'
import { type PairGram, separationOf } from './separation.ts'

export interface ClusterIndices {
  xieBeni: number
  calinskiHarabasz: number
  daviesBouldin: number
  dunn: number
  /** -1 to 1 */ silhouette: number
}

/** Mean distance of each class's points to their centroid: ||h_i - c||^2 = G_ii - 2/n sum_j G_ij + q/n^2. */
function meanRadii({ counts: [n1, n2], values }: PairGram): [number, number] {
  const n = n1 + n2
  const radius = (from: number, to: number) => {
    const size = to - from
    const rowSums = new Float64Array(n)
    let total = 0
    for (let i = from; i < to; i++) {
      for (let j = from; j < to; j++) rowSums[i] += values[i * n + j]
      total += rowSums[i]
    }
    let sum = 0
    for (let i = from; i < to; i++) {
      const squared = values[i * n + i] - (2 * rowSums[i]) / size + total / (size * size)
      sum += Math.sqrt(Math.max(squared, 0))
    }
    return sum / size
  }
  return [radius(0, n1), radius(n1, n)]
}

/** All indices; at least two vectors per class. Unavailable where the means or all points of a class coincide. */
export function clusterIndices(gram: PairGram): ClusterIndices | Unavailable {
  const { counts, values } = gram
  const n1 = counts[0]
  const n = n1 + counts[1]
  const { distanceSquared, within, plain } = separationOf(gram)
  if (!(distanceSquared > 0)) return { unavailable: 'the class means coincide' }
  if (!(within > 0)) return { unavailable: 'no spread within the classes' }
  let closest = Number.POSITIVE_INFINITY
  let diameter = 0
  let silhouette = 0
  for (let i = 0; i < n; i++) {
    const own = i < n1 ? 0 : 1
    const sums = [0, 0]
    for (let j = 0; j < n; j++) {
      const other = j < n1 ? 0 : 1
      const squared = values[i * n + i] + values[j * n + j] - 2 * values[i * n + j]
      const distance = i === j ? 0 : Math.sqrt(Math.max(squared, 0))
      sums[other] += distance
      if (own === other) diameter = Math.max(diameter, distance)
      else closest = Math.min(closest, distance)
    }
    const a = sums[own] / (counts[own] - 1)
    const b = sums[1 - own] / counts[1 - own]
    if (a !== b) silhouette += (b - a) / Math.max(a, b) / n
  }
  const [s1, s2] = meanRadii(gram)
  return {
    xieBeni: 1 / plain,
    calinskiHarabasz: ((n - 2) * (n1 * counts[1]) * plain) / (n * n),
    daviesBouldin: (s1 + s2) / Math.sqrt(distanceSquared),
    dunn: closest / diameter,
    silhouette,
  }
}
