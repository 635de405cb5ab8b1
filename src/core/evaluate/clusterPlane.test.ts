import { describe, expect, it } from 'vitest'
import { eigenSymmetric } from '../geometry/eigen.ts'
import { clusterPoints, firstComponent, fitClusterPlane, project } from './clusterPlane.ts'
import { isUnavailable } from './estimate.ts'
import { meanVector } from './separation.ts'
import { fitStandardisation, standardise } from './standardise.ts'
import { clouds, rowOf } from './testClouds.ts'

const WIDTH = 9
const anchor = clouds([40, 50], WIDTH, 4, 2, 1)
// More spread along dimensions 3 and 0: axis 2 must choose 3, because 0 belongs to axis 1.
for (const values of [anchor.safe, anchor.unsafe])
  for (let i = 0; i < values.length; i += WIDTH) values[i + 3] *= 3
const plane = fitClusterPlane(anchor, 1)
if (isUnavailable(plane)) throw new Error(plane.unavailable)
const dot = (x: ArrayLike<number>, y: ArrayLike<number>) =>
  Array.from(x).reduce((sum, v, k) => sum + v * y[k], 0)

describe('fitClusterPlane', () => {
  it('axis 1 joins the class means, axes are orthonormal, the origin is midway', () => {
    const safe = meanVector(anchor.safe, WIDTH)
    const unsafe = meanVector(anchor.unsafe, WIDTH)
    const gap = Math.hypot(...safe.map((x, k) => x - unsafe[k]))
    expect(dot(plane.axis1, plane.axis1)).toBeCloseTo(1, 13)
    expect(dot(plane.axis2, plane.axis2)).toBeCloseTo(1, 13)
    expect(dot(plane.axis1, plane.axis2)).toBeCloseTo(0, 13)
    const ends = project(plane, Float64Array.of(...safe, ...unsafe))
    ;[gap / 2, 0, -gap / 2, 0].forEach((value, i) => {
      expect(ends[i]).toBeCloseTo(value, 5)
    })
  })

  it('axis 2 is the first eigenvector of the residual covariance beside axis 1', () => {
    const covariance = new Float64Array(WIDTH * WIDTH)
    for (const values of [anchor.safe, anchor.unsafe]) {
      const mean = meanVector(values, WIDTH)
      for (let i = 0; i < values.length / WIDTH; i++) {
        const x = rowOf(values, WIDTH, i).map((v, k) => v - mean[k])
        const along = dot(x, plane.axis1)
        for (let p = 0; p < WIDTH; p++)
          for (let q = 0; q < WIDTH; q++)
            covariance[p * WIDTH + q] += (x[p] - along * plane.axis1[p]) * (x[q] - along * plane.axis1[q])
      }
    }
    const leading = eigenSymmetric(covariance, WIDTH).vectors.subarray(0, WIDTH)
    leading.forEach((value, k) => {
      expect(plane.axis2[k]).toBeCloseTo(value, 6)
    })
    expect(Math.abs(plane.axis2[3])).toBeGreaterThan(0.9)
  })

  it('projects a class by its coordinates along both axes, x before y', () => {
    const s = fitStandardisation(anchor)
    const points = clusterPoints(plane, s, anchor)
    const standardised = standardise(s, anchor)
    expect(points.safe.length).toBe(80)
    expect(points.unsafe.length).toBe(100)
    const x = rowOf(standardised.unsafe, WIDTH, 7).map((v, k) => v - plane.origin[k])
    expect(points.unsafe[14]).toBeCloseTo(dot(x, plane.axis1), 5)
    expect(points.unsafe[15]).toBeCloseTo(dot(x, plane.axis2), 5)
    expect(() => project(plane, new Float32Array(10))).toThrow(/rows of 9/)
    expect(() => project(plane, new Float64Array(9).fill(Number.NaN))).toThrow(/NaN/)
  })

  it('does not depend on the seed of the iteration', () => {
    const other = fitClusterPlane(anchor, 99)
    if (isUnavailable(other)) throw new Error(other.unavailable)
    other.axis2.forEach((value, k) => {
      expect(value).toBeCloseTo(plane.axis2[k], 6)
    })
  })

  it('names what prevents a plane', () => {
    const flat = { safe: Float64Array.of(1, 2, 3), unsafe: Float64Array.of(-1, -2, -4), width: 1 }
    expect(fitClusterPlane(flat, 1)).toEqual({ unavailable: 'no spread beside the class means' })
    expect(fitClusterPlane({ ...flat, unsafe: flat.safe }, 1)).toEqual({
      unavailable: 'the class means coincide',
    })
    expect(fitClusterPlane({ ...flat, unsafe: new Float64Array(0) }, 1)).toEqual({
      unavailable: 'one class only',
    })
  })
})

describe('firstComponent', () => {
  it('finds the largest of three close variances', () => {
    const rows = [1, 1.001, 0.999, 0].map((size, k) =>
      Float64Array.from({ length: 4 }, (_, j) => (j === k ? size : 0)),
    )
    const found = firstComponent(rows, 1)!
    expect(found[1]).toBeCloseTo(1, 6)
    expect(firstComponent([new Float64Array(3)], 1)).toBeUndefined()
  })

  it('survives a tie and a wide, low-rank set', () => {
    const tie = firstComponent([Float64Array.of(1, 0), Float64Array.of(0, 1)], 1)!
    expect(Math.hypot(...tie)).toBeCloseTo(1, 12)
    const wide = Float64Array.from({ length: 500 }, (_, k) => Math.sin(k))
    const norm = Math.hypot(...wide)
    const found = firstComponent([wide, wide.map((x) => -2 * x)], 1)!
    expect(Math.abs(dot(found, wide)) / norm).toBeCloseTo(1, 12)
  })
})
