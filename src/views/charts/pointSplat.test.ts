import { describe, expect, it } from 'vitest'
import { countVisible, markRadius, type SplatCloud, splat } from './pointSplat.ts'

const width = 40
const height = 20
const frame = { width, height, x: [0, 40], y: [0, 20], radius: 2.4 } as const

function drawn(clouds: SplatCloud[], change: Partial<Parameters<typeof splat>[2]> = {}) {
  const image = new Uint8ClampedArray(width * height * 4)
  const coverage = new Uint32Array(width * height)
  splat(image, coverage, { ...frame, ...change }, clouds)
  expect(coverage.every((value) => value === 0)).toBe(true)
  return {
    image,
    at: (x: number, y: number) => [...image.subarray(4 * (y * width + x), 4 * (y * width + x) + 4)],
  }
}
const cloud = (points: number[], change: Partial<SplatCloud> = {}): SplatCloud => ({
  points: Float32Array.from(points),
  mark: 'disc',
  colour: [200, 100, 0],
  opacity: 0.5,
  ...change,
})

describe('splatting', () => {
  it('puts a mark where its point is: x to the right, y upwards', () => {
    const { at, image } = drawn([cloud([10.5, 14.5])])
    expect(at(10, 5)).toEqual([200, 100, 0, 128])
    let [sumX, sumY, sum] = [0, 0, 0]
    for (let pixel = 0; pixel < width * height; pixel++) {
      const alpha = image[4 * pixel + 3]!
      sum += alpha
      sumX += alpha * (pixel % width)
      sumY += alpha * Math.floor(pixel / width)
    }
    expect(sumX / sum).toBeCloseTo(10, 6)
    expect(sumY / sum).toBeCloseTo(5, 6)
    // Area of a circle of 2.4 pixels.
    expect(sum / 127.5 / (Math.PI * 2.4 ** 2)).toBeCloseTo(1, 1)
  })

  it('leaves the middle of hollow marks free', () => {
    for (const mark of ['ring', 'square'] as const) {
      const { at } = drawn([cloud([10.5, 14.5], { mark })], { radius: 3 })
      expect(at(10, 5)[3]).toBe(0)
      expect(at(13, 5)[3]).toBeGreaterThan(60)
    }
  })

  it('darkens where marks pile up, and lays later clouds over earlier ones', () => {
    const { at } = drawn([cloud([10.5, 14.5, 10.5, 14.5])])
    expect(at(10, 5)[3]).toBe(191)
    const over = drawn([cloud([10.5, 14.5]), cloud([10.5, 14.5], { colour: [0, 0, 250], opacity: 1 })])
    expect(over.at(10, 5)).toEqual([0, 0, 250, 255])
  })

  it('cuts marks at the edge, and draws none that are outside', () => {
    const { at } = drawn([cloud([0, 20, 39.9, 0.1])])
    expect(at(0, 0)[3]).toBe(128)
    expect(at(39, 19)[3]).toBe(128)
    expect(at(39, 0)[3]).toBe(0)
    expect(drawn([cloud([-9, 10, 60, 10, 10, -9, 10, 90])]).image.every((value) => value === 0)).toBe(true)
  })

  it('counts what is visible and makes many marks small', () => {
    expect(countVisible([Float32Array.of(1, 1, 50, 1, 1, 50), Float32Array.of(40, 20)], frame)).toBe(2)
    expect(markRadius(500)).toBe(2.4)
    expect(markRadius(32_000)).toBeCloseTo(1.2, 12)
    expect(markRadius(1e7)).toBe(0.9)
  })
})
