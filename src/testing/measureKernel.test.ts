import { expect, it } from 'vitest'
import { largestError } from './measureKernel.ts'

it.each([
  ['equal', [1, -2], [1, -2], 0, 2],
  ['relative to the greatest of the output', [1.5, -4], [1, -4], 0.125, 2],
  ['unspecified elements do not count', [7, 1], [Number.NaN, 1], 0, 1],
  ['what is not a number is infinitely wrong', [Number.NaN, 1], [1, 1], Number.POSITIVE_INFINITY, 2],
  ['infinite where it should be', [Number.POSITIVE_INFINITY, 1], [Number.POSITIVE_INFINITY, 2], 0.5, 2],
  ['absolute where the reference is zero', [0.25], [0], 0.25, 1],
])('largest error: %s', (_name, ours, reference, error, elements) => {
  expect(largestError(Float64Array.from(ours), Float64Array.from(reference))).toEqual({ error, elements })
})
