// CMA-ES on the host, float64: the (μ/μ_w, λ) evolution strategy with covariance adaptation, active (negative) weights
// and the default parameters of Hansen's tutorial (arXiv 1604.00772, table 1; equations in brackets). Ask for a
// generation, tell its values. No restarts and no bounds: whoever needs bounds maps the genome (genome.ts does by
// absolute values).

import { EngineError } from '../errors.ts'
import { eigenSymmetric } from '../geometry/eigen.ts'
import { Random } from '../tensors/random.ts'

/** Stream of the search's random numbers. */
const STREAM = 401

export interface CmaOptions {
  /** m⁰ (n) */ start: ArrayLike<number>
  /** σ⁰, above 0: the optimum is expected within about 3 σ⁰ of the start */ sigma: number
  seed: number
  /** λ, at least 4; default 4 + ⌊3 ln n⌋ */ population?: number | undefined
}

interface Parameters {
  /** λ */ population: number
  /** w_i (λ), descending; the first half positive, sum 1 */ weights: Float64Array
  muEffective: number
  cSigma: number
  dSigma: number
  cc: number
  c1: number
  cMu: number
  chi: number
}

function defaultParameters(n: number, population: number): Parameters {
  const raw = Array.from({ length: population }, (_, i) => Math.log((population + 1) / 2) - Math.log(i + 1))
  const half = Math.floor(population / 2)
  const sumOf = (values: number[], f = (value: number) => value) =>
    values.reduce((sum, value) => sum + f(value), 0)
  const effective = (values: number[]) => sumOf(values) ** 2 / sumOf(values, (value) => value * value)
  const muEffective = effective(raw.slice(0, half))
  const muNegative = effective(raw.slice(half))
  const cSigma = (muEffective + 2) / (n + muEffective + 5)
  const dSigma = 1 + 2 * Math.max(0, Math.sqrt((muEffective - 1) / (n + 1)) - 1) + cSigma
  const cc = (4 + muEffective / n) / (n + 4 + (2 * muEffective) / n)
  const c1 = 2 / ((n + 1.3) ** 2 + muEffective)
  const cMu = Math.min(
    1 - c1,
    (2 * (1 / 4 + muEffective + 1 / muEffective - 2)) / ((n + 2) ** 2 + muEffective),
  )
  // Negative weights: no larger than keeps the covariance positive definite [50–53].
  const negativeSum = Math.min(
    1 + c1 / cMu,
    1 + (2 * muNegative) / (muEffective + 2),
    (1 - c1 - cMu) / (n * cMu),
  )
  const positive = sumOf(raw.filter((value) => value > 0))
  const negative = -sumOf(raw.filter((value) => value < 0))
  return {
    population,
    weights: Float64Array.from(raw, (value) =>
      value >= 0 ? value / positive : (negativeSum * value) / negative,
    ),
    muEffective,
    cSigma,
    dSigma,
    cc,
    c1,
    cMu,
    chi: Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n)),
  }
}

export class CmaEs {
  readonly size: number
  readonly population: number
  /** m */ readonly mean: Float64Array
  sigma: number
  generation = 0
  private readonly parameters: Parameters
  private readonly random: Random
  private readonly covariance: Float64Array
  private readonly pathSigma: Float64Array
  private readonly pathC: Float64Array
  /** rows b_i and lengths d_i of C = B D² Bᵀ */
  private axes: Float64Array
  private lengths: Float64Array
  private asked: Float64Array[] = []

  constructor({ start, sigma, seed, population }: CmaOptions) {
    const n = start.length
    if (n < 1 || !(sigma > 0) || !Number.isFinite(sigma))
      throw new EngineError(
        'request-invalid',
        `CMA-ES: ${n} genes with σ ${sigma}; expected one or more, above 0`,
      )
    const size = population ?? 4 + Math.floor(3 * Math.log(n))
    if (!Number.isInteger(size) || size < 4)
      throw new EngineError('request-invalid', `CMA-ES: population ${size}, expected a whole number from 4`)
    this.size = n
    this.population = size
    this.mean = Float64Array.from(start)
    this.sigma = sigma
    this.parameters = defaultParameters(n, size)
    this.random = new Random(seed, STREAM)
    this.covariance = identity(n)
    this.axes = identity(n)
    this.lengths = new Float64Array(n).fill(1)
    this.pathSigma = new Float64Array(n)
    this.pathC = new Float64Array(n)
  }

  /** λ candidates (n each), x = m + σ B D z [38–40]. */
  ask(): Float64Array[] {
    const { size: n } = this
    this.asked = Array.from({ length: this.population }, () => {
      const x = Float64Array.from(this.mean)
      for (let i = 0; i < n; i++) {
        const step = this.sigma * this.lengths[i] * this.random.normal()
        for (let j = 0; j < n; j++) x[j] += step * this.axes[i * n + j]
      }
      return x
    })
    return this.asked.map((x) => x.slice())
  }

  /** Values (λ) of the candidates in the order they were asked for, smaller is better; NaN counts as worst. */
  tell(values: ArrayLike<number>): void {
    const { size: n, asked, parameters } = this
    if (values.length !== asked.length || asked.length === 0)
      throw new EngineError('request-invalid', `CMA-ES: told ${values.length} values of ${asked.length}`)
    const { weights, muEffective, cSigma, dSigma, cc, c1, cMu, chi } = parameters
    const key = (i: number) => (Number.isNaN(values[i]) ? Number.POSITIVE_INFINITY : values[i])
    const order = asked.map((_, i) => i).sort((a, b) => key(a) - key(b) || a - b)
    // y_i = (x_i − m)/σ, best first.
    const steps = order.map((i) => asked[i].map((value, j) => (value - this.mean[j]) / this.sigma))
    const mean = new Float64Array(n)
    steps.forEach((y, i) => {
      if (weights[i] > 0) for (let j = 0; j < n; j++) mean[j] += weights[i] * y[j]
    })
    for (let j = 0; j < n; j++) this.mean[j] += this.sigma * mean[j]
    // Step size [43, 44].
    const whitened = this.whiten(mean)
    for (let j = 0; j < n; j++)
      this.pathSigma[j] =
        (1 - cSigma) * this.pathSigma[j] + Math.sqrt(cSigma * (2 - cSigma) * muEffective) * whitened[j]
    const norm = Math.sqrt(this.pathSigma.reduce((sum, value) => sum + value * value, 0))
    const settled = Math.sqrt(1 - (1 - cSigma) ** (2 * (this.generation + 1)))
    const isMoving = norm / settled < (1.4 + 2 / (n + 1)) * chi
    // Covariance [45–47].
    for (let j = 0; j < n; j++)
      this.pathC[j] =
        (1 - cc) * this.pathC[j] + (isMoving ? Math.sqrt(cc * (2 - cc) * muEffective) * mean[j] : 0)
    const lost = isMoving ? 0 : cc * (2 - cc)
    const total = weights.reduce((sum, value) => sum + value, 0)
    const keep = 1 + c1 * lost - c1 - cMu * total
    const shares = steps.map((y, i) => {
      if (weights[i] >= 0) return weights[i]
      const length = this.whiten(y).reduce((sum, value) => sum + value * value, 0)
      return (weights[i] * n) / Math.max(length, Number.MIN_VALUE)
    })
    for (let a = 0; a < n; a++)
      for (let b = 0; b <= a; b++) {
        let rankMu = 0
        for (const [i, y] of steps.entries()) rankMu += shares[i] * y[a] * y[b]
        const value = keep * this.covariance[a * n + b] + c1 * this.pathC[a] * this.pathC[b] + cMu * rankMu
        this.covariance[a * n + b] = value
        this.covariance[b * n + a] = value
      }
    this.sigma *= Math.exp((cSigma / dSigma) * (norm / chi - 1))
    this.generation++
    this.asked = []
    this.decompose()
  }

  /** C^{-1/2} y = B D⁻¹ Bᵀ y. */
  private whiten(y: Float64Array): Float64Array {
    const { size: n, axes, lengths } = this
    const out = new Float64Array(n)
    for (let i = 0; i < n; i++) {
      let along = 0
      for (let j = 0; j < n; j++) along += axes[i * n + j] * y[j]
      for (let j = 0; j < n; j++) out[j] += (along / lengths[i]) * axes[i * n + j]
    }
    return out
  }

  private decompose(): void {
    const { values, vectors } = eigenSymmetric(this.covariance, this.size)
    const floor = Math.max(values[0], Number.MIN_VALUE) * 1e-20
    this.axes = vectors
    this.lengths = values.map((value) => Math.sqrt(Math.max(value, floor)))
  }
}

function identity(n: number): Float64Array {
  const out = new Float64Array(n * n)
  for (let i = 0; i < n; i++) out[i * n + i] = 1
  return out
}
