// Small subsets that stand for a large set: facility location f(S) = Σ_v max over s in S of k(v, s), with similarities
// k in [0, 1] and f(∅) = 0. It is monotone and submodular, so greedy choice reaches (1 − 1/e) of the best subset of its
// size (Nemhauser, Wolsey & Fisher 1978); the lazy form (Minoux 1978) finds the same subset with fewer gains computed,
// because a gain only ever shrinks. In float64 on the host; meant for a few hundred points, k is (n, n).

import { EngineError } from '../errors.ts'
import { Random } from '../tensors/random.ts'
import { quantileOf, STREAMS } from './bootstrap.ts'

/** k (n,n) row-major, symmetric, 1 on the diagonal. */
export interface Similarity {
  n: number
  values: Float64Array
}

/**
 * Cosine of vectors (n, width) about their mean, below 0 cut to 0: the linear kernel, centred and normalised. Without
 * centring all hidden states of a model point the same way. A vector equal to the mean is like itself alone.
 * `not-finite`, `shape-mismatch`.
 */
export function cosineSimilarity(vectors: ArrayLike<number>, width: number): Similarity {
  const n = vectors.length / width
  if (!Number.isInteger(n) || width < 1)
    throw new EngineError('shape-mismatch', `${vectors.length} values are no rows of ${width}`)
  const mean = new Float64Array(width)
  for (let i = 0; i < vectors.length; i++) mean[i % width] += vectors[i] / n
  const centred = Float64Array.from({ length: vectors.length }, (_, i) => vectors[i] - mean[i % width])
  const norms = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < width; j++) norms[i] += centred[i * width + j] ** 2
    norms[i] = Math.sqrt(norms[i])
    if (!Number.isFinite(norms[i]))
      throw new EngineError('not-finite', `vector ${i} of ${n} has a value that is not a number`)
  }
  const largest = norms.reduce((a, b) => Math.max(a, b), 0)
  const values = new Float64Array(n * n)
  for (let a = 0; a < n; a++) {
    values[a * n + a] = 1
    for (let b = 0; b < a; b++) {
      let dot = 0
      for (let j = 0; j < width; j++) dot += centred[a * width + j] * centred[b * width + j]
      const isPoint = Math.min(norms[a], norms[b]) <= 1e-12 * largest
      const cosine = isPoint ? 0 : dot / (norms[a] * norms[b])
      values[a * n + b] = Math.min(1, Math.max(0, cosine))
      values[b * n + a] = values[a * n + b]
    }
  }
  return { n, values }
}

/** f(S). */
export function coverage({ n, values }: Similarity, subset: readonly number[]): number {
  let sum = 0
  for (let v = 0; v < n; v++) {
    let best = 0
    for (const s of subset) best = Math.max(best, values[v * n + s])
    sum += best
  }
  return sum
}

export interface Cover {
  /** points in the order they were chosen */ chosen: number[]
  /** f(S_k)/f(V) for k = 1 …; f(V) = n */ curve: number[]
  /** gains that were computed; plain greedy computes n + (n−1) + … */ gains: number
}

/** Lazy greedy choice of `count` points, ties to the lower index; all where there are fewer. */
export function lazyGreedy(similarity: Similarity, count: number): Cover {
  const { n, values } = similarity
  if (!Number.isInteger(count) || count < 0)
    throw new EngineError('request-invalid', `coverage: expected a count of 0 or more, found ${count}`)
  const covered = new Float64Array(n)
  const gainOf = (s: number) => {
    let gain = 0
    for (let v = 0; v < n; v++) gain += Math.max(0, values[v * n + s] - covered[v])
    return gain
  }
  const cover: Cover = { chosen: [], curve: [], gains: n }
  // Upper bounds of gains, from the last time each was computed; largest first, then lowest index.
  const queue = Array.from({ length: n }, (_, point) => ({ point, gain: gainOf(point), age: 0 }))
  const before = (a: (typeof queue)[number], b: (typeof queue)[number]) =>
    b.gain - a.gain || a.point - b.point
  queue.sort(before)
  let total = 0
  while (cover.chosen.length < Math.min(count, n)) {
    const top = queue.shift()!
    if (top.age !== cover.chosen.length) {
      top.gain = gainOf(top.point)
      top.age = cover.chosen.length
      cover.gains++
      insert(queue, top, before)
      continue
    }
    cover.chosen.push(top.point)
    total += top.gain
    for (let v = 0; v < n; v++) covered[v] = Math.max(covered[v], values[v * n + top.point])
    cover.curve.push(total / n)
  }
  return cover
}

/** Inserts into a sorted list. */
function insert<T>(sorted: T[], entry: T, before: (a: T, b: T) => number): void {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (before(sorted[middle], entry) < 0) low = middle + 1
    else high = middle
  }
  sorted.splice(low, 0, entry)
}

/** f(S)/f(V) of random subsets of each size in `sizes`: mean and 2.5 and 97.5 % points of `draws` seeded draws. */
export function randomCoverage(
  similarity: Similarity,
  sizes: readonly number[],
  draws: number,
  seed: number,
): { size: number; mean: number; low: number; high: number }[] {
  const { n } = similarity
  const points = Array.from({ length: n }, (_, i) => i)
  return sizes.map((size) => {
    const random = new Random(seed, STREAMS.coverageSubsets * 2 ** 20 + size)
    const found = Float64Array.from({ length: draws }, () => {
      return coverage(similarity, random.shuffle([...points]).slice(0, size)) / n
    }).sort()
    const mean = found.reduce((sum, value) => sum + value, 0) / draws
    return { size, mean, low: quantileOf(found, 0.025), high: quantileOf(found, 0.975) }
  })
}
