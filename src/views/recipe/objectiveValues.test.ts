// The terms under the recipe against the objective of explicit vectors.

import { expect, it } from 'vitest'
import type { GeometrySummary } from '../../../workers/api.ts'
import {
  at,
  matrix,
  multiply,
  multiplyVector,
  type ReferenceProblem,
  referenceBasis,
  referenceMerge,
  referenceObjective,
  transpose,
} from '../../core/merge/closedForm.reference.ts'
import { Random } from '../../core/tensors/random.ts'
import { lessons } from '../../help/index.ts'
import { objectiveTerms, objectiveValues } from './objectiveValues.ts'

const size = 9
const random = new Random(7, 3)
const draw = () => random.normal()
const root = matrix(size, size, draw)
const metric = multiply(root, transpose(root))
for (let i = 0; i < size; i++) metric.data[i * size + i] += 1
const { u } = referenceBasis(matrix(6, size, draw), metric, 4)
const experts = [0, 1, 2].map(() => Float64Array.from({ length: size }, draw))
const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0)
const geometry = {
  eigenvalues: [4, 3, 2, 1],
  alignmentCoordinates: experts.map((delta) => {
    const image = multiplyVector(metric, delta)
    return [0, 1, 2, 3].map((i) =>
      dot(
        Float64Array.from({ length: size }, (_, j) => at(u, j, i)),
        image,
      ),
    )
  }),
  gram: experts.map((a) => experts.map((b) => dot(a, multiplyVector(metric, b)))),
} as unknown as GeometrySummary

it.each([
  [0, 4],
  [0.5, 4],
  [16, 4],
  [16, 2],
])('terms at λ %f and rank %i are the objective’s', (lambdaAlign, rank) => {
  const weights = [0.2, 0.5, 0.3]
  const leading = matrix(size, rank, (i, k) => at(u, i, k))
  const problem: ReferenceProblem = {
    metric,
    u: leading,
    experts,
    weights,
    lambdaAlign,
    w: Array.from({ length: rank }, () => 1),
  }
  const wanted = referenceObjective(problem, referenceMerge(problem))
  const terms = objectiveTerms(geometry, weights, lambdaAlign, rank)
  expect(terms.geometric).toBeCloseTo(wanted.geometric, 9)
  expect(terms.alignment).toBeCloseTo(wanted.alignment, 9)
  expect(terms.total).toBeCloseTo(wanted.total, 9)
})

it('gives no term where the merge has left the closed form', () => {
  expect(objectiveValues(lessons.budget, geometry)).toEqual({
    lambdaAlign: '4',
    lambdaBud: '1024',
    share: '0.800',
  })
  expect(objectiveValues(lessons.shield, undefined)).toMatchObject({ lambdaBud: '0', lambdaAlign: '16' })
})
