// AlignMerge in two weights, where everything can be drawn: logistic regression that refuses a request x with
// probability p = 1/(1 + exp(−θᵀx)). Its Fisher information F(θ) = Σ p_i (1 − p_i) x_i x_iᵀ is exact, so metric,
// directions, projector and merge are the large model's formulas (docs/alignmerge.md) and no picture of them:
//   G = F(θ_IT) + ρ mean(diag F) 1;  A: gradients of the log-odds of refusing, one row x_i for each harmful request;
//   F_A u = μ G u with F_A = AᵀA/n, Uᵀ G U = 1;  c_i = u_iᵀ G δ̄;  δ* = δ̄ − Σ_i λ/(1+λ) c_i u_i.

import {
  apply,
  dot,
  eigen,
  inner,
  inverse,
  length,
  minus,
  outer,
  plus,
  plusMatrix,
  type Symmetric,
  times,
  type Vector,
  zeroMatrix,
} from './plane.ts'

/** A request as two numbers; a harmful one should be refused. */
export interface ToyPoint extends Vector {
  isHarmful: boolean
}

export interface ToyExpert {
  at: Vector
  /** λ_k, not negative; scaled to sum 1 */
  weight: number
}

export interface ToyProblem {
  points: readonly ToyPoint[]
  anchor: Vector
  experts: readonly ToyExpert[]
  /** 0 to Infinity */
  lambdaAlign: number
  /** directions shielded */
  rank: 1 | 2
  metric: 'fisher' | 'identity'
  /** ρ, share of the mean Fisher value added to both coordinates */
  damping: number
}

export interface ToySolution {
  /** G, damped */
  metric: Symmetric
  /** of each expert, not damped */
  expertFishers: readonly Symmetric[]
  /** G-orthonormal, most sensitive first; along +u harmful requests are refused less */
  directions: readonly Vector[]
  /** μ_i of both directions */
  eigenvalues: readonly [number, number]
  /** λ_k (K), sum 1 */
  weights: readonly number[]
  /** weights θ, not displacements */
  average: Vector
  fisherAverage: Vector
  merge: Vector
  /** the merge as λ_align goes to infinity */
  shielded: Vector
  /** c_i of the average and of the merge (rank) */
  before: readonly number[]
  after: readonly number[]
  /** s = λ/(1+λ) */
  share: number
  driftBefore: number
  drift: number
  /** L_geo and L_align at the merge */
  geometric: number
  alignment: number
}

/** 1/(1 + exp(−z)), without overflow. */
export const logistic = (z: number): number => (z >= 0 ? 1 / (1 + Math.exp(-z)) : 1 - 1 / (1 + Math.exp(z)))

/** Probability that weights θ refuse request x. */
export const refusalOf = (theta: Vector, x: Vector): number => logistic(dot(theta, x))

/** F(θ) = Σ p(1−p) x xᵀ, nats per weight². */
export function fisherAt(points: readonly Vector[], theta: Vector): Symmetric {
  let sum = zeroMatrix
  for (const x of points) {
    const p = refusalOf(theta, x)
    sum = plusMatrix(sum, outer(x, p * (1 - p)))
  }
  return sum
}

/** G of a problem. */
export function metricOf({ points, anchor, metric, damping }: ToyProblem): Symmetric {
  if (metric === 'identity') return { xx: 1, xy: 0, yy: 1 }
  const fisher = fisherAt(points, anchor)
  // Where no point tells anything there is nothing to damp by; a metric of zeros would divide by nothing.
  const added = Math.max((damping * (fisher.xx + fisher.yy)) / 2, 1e-9)
  return { xx: fisher.xx + added, xy: fisher.xy, yy: fisher.yy + added }
}

/** Solutions of F_A u = μ G u, by whitening with the Cholesky factor of G. */
export function alignmentDirections(
  rows: readonly Vector[],
  metric: Symmetric,
): { directions: readonly [Vector, Vector]; eigenvalues: readonly [number, number] } {
  // G = C Cᵀ with C = (a 0; b d); v of C⁻¹ F_A C⁻ᵀ, then u = C⁻ᵀ v.
  const a = Math.sqrt(metric.xx)
  const b = metric.xy / a
  const d = Math.sqrt(Math.max(metric.yy - b * b, Number.MIN_VALUE))
  const whiten = ({ x, y }: Vector): Vector => ({ x: x / a, y: (y - (b * x) / a) / d })
  let whitened = zeroMatrix
  let mean: Vector = { x: 0, y: 0 }
  for (const row of rows) {
    whitened = plusMatrix(whitened, outer(whiten(row), 1 / rows.length))
    mean = plus(mean, row, 1 / rows.length)
  }
  const { values, vectors } = eigen(whitened)
  const back = ({ x, y }: Vector): Vector => ({ x: (x - (b * y) / d) / a, y: y / d })
  const oriented = vectors.map(back).map((u) => (dot(mean, u) > 0 ? times(-1, u) : u))
  return { directions: [oriented[0], oriented[1]], eigenvalues: values }
}

/** δ − Σ_i share c_i u_i */
function removed(delta: Vector, directions: readonly Vector[], metric: Symmetric, share: number): Vector {
  return directions.reduce((left, u) => plus(left, u, -share * inner(metric, u, delta)), delta)
}

/** The merge of a problem and everything on the way. Weights of zero throughout count as equal. */
export function solveToy(problem: ToyProblem): ToySolution {
  const { points, anchor, experts, lambdaAlign, rank } = problem
  const total = experts.reduce((sum, { weight }) => sum + weight, 0)
  const weights = experts.map(({ weight }) => (total > 0 ? weight / total : 1 / experts.length))
  const metric = metricOf(problem)
  const rows = points.filter(({ isHarmful }) => isHarmful)
  const found = alignmentDirections(rows, metric)
  const directions = rows.length === 0 ? [] : found.directions.slice(0, rank)
  const deltas = experts.map(({ at }) => minus(at, anchor))
  const deltaBar = deltas.reduce((sum, delta, k) => plus(sum, delta, weights[k]), { x: 0, y: 0 })
  // λ/(1+λ) of Infinity is 1 and not NaN.
  const share = 1 - 1 / (1 + lambdaAlign)
  const deltaStar = removed(deltaBar, directions, metric, share)
  const before = directions.map((u) => inner(metric, u, deltaBar))
  const after = before.map((c) => c / (1 + lambdaAlign))
  const expertFishers = experts.map(({ at }) => fisherAt(points, at))
  const norm = (values: readonly number[]) => Math.sqrt(values.reduce((sum, c) => sum + c * c, 0))
  return {
    metric,
    expertFishers,
    directions,
    eigenvalues: found.eigenvalues,
    weights,
    average: plus(anchor, deltaBar),
    fisherAverage: fisherAverage(experts, weights, expertFishers),
    merge: plus(anchor, deltaStar),
    shielded: plus(anchor, removed(deltaBar, directions, metric, 1)),
    before,
    after,
    share,
    driftBefore: norm(before),
    drift: norm(after),
    geometric: deltas.reduce(
      (sum, delta, k) => sum + weights[k] * length(metric, minus(deltaStar, delta)) ** 2,
      0,
    ),
    alignment: after.reduce((sum, c) => sum + c * c, 0),
  }
}

/** (Σ λ_k F_k)⁻¹ Σ λ_k F_k θ_k, with 1e-9 of each mean added so that a blind direction has an answer. */
function fisherAverage(
  experts: readonly ToyExpert[],
  weights: readonly number[],
  fishers: readonly Symmetric[],
): Vector {
  let sum = zeroMatrix
  let pulled: Vector = { x: 0, y: 0 }
  experts.forEach(({ at }, k) => {
    const added = 1e-9 * (fishers[k].xx + fishers[k].yy) + 1e-12
    const own = plusMatrix(fishers[k], { xx: added, xy: 0, yy: added })
    sum = plusMatrix(sum, own, weights[k])
    pulled = plus(pulled, apply(own, at), weights[k])
  })
  return apply(inverse(sum), pulled)
}

export interface ToyBehaviour {
  /** mean probability of refusing harmful and harmless requests */
  refusal: number
  overRefusal: number
}

export function behaviourOf(points: readonly ToyPoint[], theta: Vector): ToyBehaviour {
  const mean = (isHarmful: boolean) => {
    const own = points.filter((point) => point.isHarmful === isHarmful)
    return own.reduce((sum, x) => sum + refusalOf(theta, x), 0) / own.length
  }
  return { refusal: mean(true), overRefusal: mean(false) }
}

/** log(1 + exp(z)), without overflow. */
const softplus = (z: number): number => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))

/** Σ_i KL(p_i of `from` ‖ p_i of `to`), nats; what ½ δᵀFδ approximates. */
export function divergence(points: readonly Vector[], from: Vector, to: Vector): number {
  let sum = 0
  for (const x of points) {
    const [z, other] = [dot(from, x), dot(to, x)]
    // log p − log p' = softplus(−z') − softplus(−z); log q − log q' = softplus(z') − softplus(z)
    const p = logistic(z)
    sum += p * (softplus(-other) - softplus(-z)) + (1 - p) * (softplus(other) - softplus(z))
  }
  return sum
}
