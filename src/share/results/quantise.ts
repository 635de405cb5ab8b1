// Numbers with as many digits as they mean, and points as bytes.

import type { ClusterPoints, Estimate } from '../../../workers/api.ts'
import { wilsonShare } from '../../core/evaluate/bootstrap.ts'
import type { PackedEstimate, PackedPoints } from './format.ts'

/** `value` in steps of 10^exponent. */
function toStep(value: number, exponent: number): number {
  // A decimal text, because a product with a power of ten would bring digits back.
  if (exponent <= 0) return Number(value.toFixed(Math.min(100, -exponent)))
  const step = 10 ** exponent
  return Math.round(value / step) * step
}

/** So many significant digits. */
export const significant = (value: number, digits: number): number => Number(value.toPrecision(digits))

/** Exponent of the step that a number with this interval is kept in; three digits of the interval. */
function stepExponent(width: number, value: number): number {
  const scale = width > 0 && Number.isFinite(width) ? width : Math.abs(value) / 1000 || 1
  return Math.max(-15, Math.floor(Math.log10(scale)) - 2)
}

const isSame = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-12

/** k of n, when the estimate is such a share with its Wilson interval. */
function asShare({ value, low, high, count }: Exclude<Estimate, { unavailable: string }>) {
  const k = Math.round(value * count)
  if (!Number.isInteger(count) || count < 1 || k < 0 || k > count) return undefined
  const share = wilsonShare(k, count)
  const isWilson =
    !('unavailable' in share) &&
    isSame(share.value, value) &&
    isSame(share.low, low) &&
    isSame(share.high, high)
  return isWilson ? ([k, count] as const) : undefined
}

export function packEstimate(estimate: Estimate): PackedEstimate {
  if ('unavailable' in estimate) return estimate.unavailable.slice(0, 200)
  const share = asShare(estimate)
  if (share) return share
  const { value, low, high, count } = estimate
  const exponent = stepExponent(high - low, value)
  return [
    toStep(value, exponent),
    low === Number.NEGATIVE_INFINITY ? null : toStep(low, exponent),
    toStep(high, exponent),
    count,
  ]
}

/** A number that belongs to an estimate, in the same steps. */
export function packBeside(estimate: Estimate, value: number): number {
  if ('unavailable' in estimate) return significant(value, 5)
  return toStep(value, stepExponent(estimate.high - estimate.low, estimate.value))
}

export function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

function extentOf(clouds: readonly Float32Array[], axis: 0 | 1): [number, number] {
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const cloud of clouds)
    for (let index = axis; index < cloud.length; index += 2) {
      least = Math.min(least, cloud[index]!)
      greatest = Math.max(greatest, cloud[index]!)
    }
  if (!(least <= greatest)) return [0, 0]
  // Rounded outwards, so that no point leaves its frame.
  const exponent = Math.floor(Math.log10(Math.max(greatest - least, 1e-9))) - 3
  const step = 10 ** exponent
  return [
    toStep(Math.floor(least / step) * step, exponent),
    toStep(Math.ceil(greatest / step) * step, exponent),
  ]
}

/** Both clouds in one frame. */
export function packPoints({ safe, unsafe }: ClusterPoints): PackedPoints {
  const [x, y] = [extentOf([safe, unsafe], 0), extentOf([safe, unsafe], 1)]
  const bytesOf = (cloud: Float32Array) =>
    Uint8Array.from(cloud, (value, index) => {
      const [least, greatest] = index % 2 === 0 ? x : y
      return greatest > least ? Math.round((255 * (value - least)) / (greatest - least)) : 0
    })
  return [...x, ...y, toBase64(bytesOf(safe)), toBase64(bytesOf(unsafe))]
}

/** A cloud from its bytes; x and y interleaved. */
export function unpackCloud(bytes: Uint8Array, x: readonly [number, number], y: readonly [number, number]) {
  return Float32Array.from(bytes, (byte, index) => {
    const [least, greatest] = index % 2 === 0 ? x : y
    return least + (byte / 255) * (greatest - least)
  })
}
