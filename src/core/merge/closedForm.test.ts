import { describe, expect, it } from 'vitest'
import { alignmentBasis, directionWeights } from '../geometry/sampleSpace.ts'
import { Random } from '../tensors/random.ts'
import {
  at,
  type Matrix,
  matrix,
  multiply,
  multiplyVector,
  powerOf,
  type ReferenceProblem,
  referenceBarycentre,
  referenceBasis,
  referenceGradient,
  referenceMerge,
  referenceObjective,
  referenceProjector,
  solveLinear,
  transpose,
} from './closedForm.reference.ts'
import { type AlignMergeProblem, normaliseWeights, objectiveAt, solveAlignMerge } from './closedForm.ts'
import { takeBudgetStep } from './closedFormBudget.ts'

const D = 18
const N = 7
const M = 4
const WEIGHTS = Float64Array.of(0.5, 0.3, 0.2)

/** One random instance with a dense metric, as explicit vectors and as sample-space numbers. */
function instance(seed: number, lambdaAlign: number, weighting: 'equal' | 'eigenvalue') {
  const random = new Random(seed, 0)
  const mixing = matrix(D, D, () => random.normal())
  const half = multiply(transpose(mixing), mixing)
  const metric = matrix(D, D, (i, j) => at(half, i, j) / D + (i === j ? 0.3 : 0))
  const gradients = matrix(N, D, (i) => random.normal() * (1 + i))
  const experts = WEIGHTS.reduce<Float64Array[]>(
    (all) => [...all, Float64Array.from({ length: D }, () => random.normal())],
    [],
  )
  const inverse = powerOf(metric, -1)
  const nKernel = multiply(multiply(gradients, inverse), transpose(gradients))
  const kernel = nKernel.data.map((x) => x / N)
  const basis = alignmentBasis(kernel, N, { rank: M })
  const w = directionWeights(basis, weighting)
  const a = experts.map((expert) => multiplyVector(gradients, expert))
  const gram = Float64Array.from(
    experts.flatMap((x) =>
      experts.map((y) => multiplyVector(metric, y).reduce((sum, value, j) => sum + value * x[j], 0)),
    ),
  )
  const problem: AlignMergeProblem = { basis, a, gram, weights: WEIGHTS, lambdaAlign, w }
  const { u, mu } = referenceBasis(gradients, metric, M)
  const reference: ReferenceProblem = { metric, u, experts, weights: WEIGHTS, lambdaAlign, w }
  /** delta_bar - G^-1 A^T b as an explicit vector. */
  const lift = (b: Float64Array) => {
    const step = multiplyVector(multiply(inverse, transpose(gradients)), b)
    return referenceBarycentre(reference).map((x, j) => x - step[j])
  }
  return { metric, gradients, kernel, problem, reference, u, mu, lift, random, w, basis }
}

const distance = (x: Float64Array, y: Float64Array) => Math.hypot(...x.map((value, j) => value - y[j]))

function expectMatrix(found: Matrix, wanted: Matrix, digits: number) {
  found.data.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted.data[i], digits)
  })
}

describe('the reference itself', () => {
  const { metric, gradients, u, mu } = instance(1, 4, 'equal')

  it('solves linear systems, with pivoting', () => {
    const m = matrix(3, 3, (i, j) => [0, 2, 1, 1, 1, 1, 4, 0, -3][3 * i + j])
    const x = Float64Array.of(1, -2, 3)
    expect(distance(solveLinear(m, multiplyVector(m, x)), x)).toBeLessThan(1e-14)
    expect(() =>
      solveLinear(
        matrix(2, 2, () => 1),
        Float64Array.of(1, 2),
      ),
    ).toThrow(/singular/)
  })

  it('U^T G U = I, F_A U = G U diag(mu), P_A^2 = P_A', () => {
    const gu = multiply(metric, u)
    expectMatrix(
      multiply(transpose(u), gu),
      matrix(M, M, (i, j) => (i === j ? 1 : 0)),
      11,
    )
    const fisher = multiply(transpose(gradients), gradients)
    const left = multiply(fisher, u)
    expectMatrix(
      left,
      matrix(D, M, (i, k) => N * mu[k] * at(gu, i, k)),
      8,
    )
    const p = referenceProjector(u, metric)
    expectMatrix(multiply(p, p), p, 11)
  })

  it('gradient of L agrees with finite differences', () => {
    const { reference, random } = instance(2, 7, 'eigenvalue')
    const delta = Float64Array.from({ length: D }, () => random.normal())
    const gradient = referenceGradient(reference, delta)
    for (let j = 0; j < D; j++) {
      const step = 1e-4
      const up = delta.slice()
      const down = delta.slice()
      up[j] += step
      down[j] -= step
      const numeric =
        (referenceObjective(reference, up).total - referenceObjective(reference, down).total) / (2 * step)
      expect(Math.abs(numeric - gradient[j])).toBeLessThan(1e-7 * (1 + Math.abs(gradient[j])))
    }
  })
})

describe('solveAlignMerge', () => {
  for (const weighting of ['equal', 'eigenvalue'] as const)
    for (const lambda of [0, 0.3, 4, 1000])
      it(`agrees with the dense solution, lambda ${lambda}, ${weighting} weights`, () => {
        const { problem, reference, metric, u, mu, lift, kernel } = instance(3, lambda, weighting)
        const solution = solveAlignMerge(problem)
        const truth = referenceMerge(reference)
        expect(distance(lift(solution.b), truth)).toBeLessThan(1e-10)
        mu.forEach((value, i) => {
          expect(problem.basis.eigenvalues[i] / value).toBeCloseTo(1, 11)
        })
        const inner = (x: Float64Array) => multiplyVector(metric, x).reduce((s, y, j) => s + y * x[j], 0)
        const p = referenceProjector(u, metric)
        const bar = referenceBarycentre(reference)
        expect(solution.driftBefore).toBeCloseTo(Math.sqrt(inner(multiplyVector(p, bar))), 10)
        expect(solution.drift).toBeCloseTo(Math.sqrt(inner(multiplyVector(p, truth))), 10)
        expect(solution.totalBefore).toBeCloseTo(Math.sqrt(inner(bar)), 10)
        expect(solution.total).toBeCloseTo(Math.sqrt(inner(truth)), 10)
        expect(solution.relativeDrift).toBeCloseTo(solution.drift / solution.total, 12)
        const wanted = referenceObjective(reference, truth)
        for (const found of [solution.objective, objectiveAt(problem, kernel, solution.b)]) {
          expect(found.geometric).toBeCloseTo(wanted.geometric, 10)
          expect(found.alignment).toBeCloseTo(wanted.alignment, 10)
          expect(found.total).toBeCloseTo(wanted.total, 9)
        }
        // c up to the sign of each direction.
        for (let i = 0; i < M; i++) {
          const direction = Float64Array.from({ length: D }, (_, j) => at(u, j, i))
          const inDirection = (x: Float64Array) =>
            Math.abs(multiplyVector(metric, x).reduce((s, y, j) => s + y * direction[j], 0))
          expect(Math.abs(solution.c[i])).toBeCloseTo(inDirection(bar), 10)
          expect(Math.abs(solution.cShrunk[i])).toBeCloseTo(inDirection(truth), 10)
        }
      })

  it('lambda 0 is the barycentre exactly, whatever the metric', () => {
    const { problem } = instance(4, 0, 'equal')
    const solution = solveAlignMerge(problem)
    expect(solution.b.every((value) => value === 0)).toBe(true)
    expect(solution.cShrunk).toEqual(solution.c)
  })

  it('lambda to infinity removes the component; infinity itself is finite everywhere', () => {
    const { problem, reference, metric, u, lift } = instance(5, Number.POSITIVE_INFINITY, 'equal')
    const solution = solveAlignMerge(problem)
    const bar = referenceBarycentre(reference)
    const inside = multiplyVector(referenceProjector(u, metric), bar)
    const hard = bar.map((x, j) => x - inside[j])
    expect(distance(lift(solution.b), hard)).toBeLessThan(1e-11)
    expect(solution.drift).toBe(0)
    expect(solution.objective.total).toBe(solution.objective.geometric)
    const large = solveAlignMerge({ ...problem, lambdaAlign: 1e12 })
    expect(distance(lift(large.b), hard)).toBeLessThan(1e-10)
    expect(large.drift).toBeLessThan(1e-11)
    expect(large.drift).toBeGreaterThan(0)
  })

  it('beats 1,000 random perturbations of every size, also in the objective from statistics', () => {
    const { problem, reference, random, lift, kernel } = instance(6, 4, 'eigenvalue')
    const { b, objective } = solveAlignMerge(problem)
    const best = lift(b)
    for (let trial = 0; trial < 1000; trial++) {
      const size = 10 ** (-3 * random.uniform())
      const moved = best.map((x) => x + size * random.normal())
      expect(referenceObjective(reference, moved).total).toBeGreaterThan(objective.total)
      const movedB = b.map((x) => x + size * random.normal())
      const value = objectiveAt(problem, kernel, movedB).total
      expect(value).toBeGreaterThan(objective.total)
      if (trial < 20) expect(value).toBeCloseTo(referenceObjective(reference, lift(movedB)).total, 8)
    }
  })

  it('gradient descent on L arrives at it', () => {
    const { problem, reference, lift } = instance(7, 2, 'equal')
    const closed = lift(solveAlignMerge(problem).b)
    let delta = new Float64Array(D)
    // Step below 2 / largest curvature, which the row-sum norm of G bounds.
    const { metric } = reference
    const bound = Math.max(...Array.from({ length: D }, (_, i) => rowSum(metric, i)))
    const step = 1 / (2 * bound * (1 + 2))
    for (let k = 0; k < 4000; k++) {
      const gradient = referenceGradient(reference, delta)
      delta = delta.map((x, j) => x - step * gradient[j])
    }
    expect(distance(delta, closed)).toBeLessThan(1e-8)
  })

  it('refuses weights off the simplex, NaN, wrong shapes', () => {
    const { problem } = instance(8, 1, 'equal')
    expect(() => solveAlignMerge({ ...problem, weights: [0.5, 0.5, 0.5] })).toThrow(/sum to 1.5/)
    expect(() => solveAlignMerge({ ...problem, weights: [1.5, -0.5, 0] })).toThrow(/weight 1/)
    expect(() => solveAlignMerge({ ...problem, weights: [1] })).toThrow(/expected 3/)
    expect(() => solveAlignMerge({ ...problem, gram: problem.gram.map(() => Number.NaN) })).toThrow(/NaN/)
    expect(() => solveAlignMerge({ ...problem, a: problem.a.map((row) => row.slice(1)) })).toThrow()
    expect([...normaliseWeights([1, 3])]).toEqual([0.25, 0.75])
    expect(() => normaliseWeights([0, 0])).toThrow(/some positive/)
    expect(() => normaliseWeights([2, -1])).toThrow(/none negative/)
  })
})

const rowSum = (m: Matrix, i: number) =>
  Array.from({ length: m.columns }, (_, j) => Math.abs(at(m, i, j))).reduce((x, y) => x + y, 0)

describe('takeBudgetStep', () => {
  const made = instance(9, 3, 'eigenvalue')
  const { problem, reference, metric, gradients, kernel, basis, w, lift } = made
  const { b, rowProducts } = solveAlignMerge(problem)
  const gradient = Float64Array.from({ length: N }, (_, j) => (j === 2 ? 1 : j === 5 ? -0.4 : 0))
  const q = multiplyVector(transpose(gradients), gradient)
  const along = (x: Float64Array) => x.reduce((s, value, j) => s + value * q[j], 0)
  const valueAtAnchor = 2
  const threshold = valueAtAnchor + along(lift(b)) + 1.5
  const common = {
    basis,
    kernel,
    rowProducts,
    b,
    lambdaAlign: 3,
    w,
    gradient,
    valueAtAnchor,
    threshold,
  }

  it('solves the normal equations with the hinge active', () => {
    // (H + lambda_bud q q^T) delta = G delta_bar + lambda_bud (tau - a_0) q
    const lambdaBudget = 0.02
    const step = takeBudgetStep({ ...common, lambdaBudget })
    const gu = multiply(metric, made.u)
    const system = matrix(D, D, (i, j) => {
      let sum = at(metric, i, j) + lambdaBudget * q[i] * q[j]
      for (let k = 0; k < M; k++) sum += 3 * w[k] * at(gu, i, k) * at(gu, j, k)
      return sum
    })
    const right = multiplyVector(metric, referenceBarycentre(reference)).map(
      (x, j) => x + lambdaBudget * (threshold - valueAtAnchor) * q[j],
    )
    const truth = solveLinear(system, right)
    expect(distance(lift(step.b), truth)).toBeLessThan(1e-10)
    expect(step.shortfallBefore).toBeCloseTo(1.5, 10)
    expect(step.shortfallAfter).toBeCloseTo(threshold - valueAtAnchor - along(truth), 10)
  })

  it('lambda_bud = infinity meets the budget to first order', () => {
    const step = takeBudgetStep({ ...common, lambdaBudget: Number.POSITIVE_INFINITY })
    expect(valueAtAnchor + along(lift(step.b))).toBeCloseTo(threshold, 10)
    expect(step.shortfallAfter).toBeLessThan(1e-10)
  })

  it('does nothing when the budget holds, is switched off, or cannot be met', () => {
    const slack = takeBudgetStep({ ...common, threshold: threshold - 2, lambdaBudget: 5 })
    expect([slack.step, slack.shortfallBefore]).toEqual([0, 0])
    expect(slack.b).toEqual(b)
    expect(takeBudgetStep({ ...common, lambdaBudget: 0 }).b).toEqual(b)
    // With a full basis and lambda = infinity, q lies in the removed space.
    const full = alignmentBasis(kernel, N, { rank: N })
    const hard = { ...problem, basis: full, w: directionWeights(full, 'equal') }
    const solution = solveAlignMerge({ ...hard, lambdaAlign: Number.POSITIVE_INFINITY })
    const stuck = takeBudgetStep({
      ...common,
      basis: full,
      w: hard.w,
      b: solution.b,
      lambdaAlign: Number.POSITIVE_INFINITY,
      threshold: valueAtAnchor + 1,
      lambdaBudget: Number.POSITIVE_INFINITY,
    })
    expect(stuck.isReachable).toBe(false)
    expect(stuck.shortfallAfter).toBeCloseTo(1, 9)
    expect(() => takeBudgetStep({ ...common, lambdaBudget: -1 })).toThrow(/lambda_bud/)
    expect(() => takeBudgetStep({ ...common, threshold: Number.NaN, lambdaBudget: 1 })).toThrow(/NaN/)
  })
})
