// Damaged copies of good files: bits flipped, bytes inserted, taken out and moved, files cut off and grown together, numbers
// forged, and JSON inside a file changed by its structure. The same number always gives the same damage.

import type { Random } from '../../core/tensors/random.ts'
import { findJson, mutateJson } from './mutateJson.ts'

const BYTES = [0, 1, 0x7f, 0x80, 0xff]
/** What people forge into counts and offsets: ends of the ranges of every width, and their neighbours. */
const NUMBERS = [
  ...[0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn],
  ...[0x100000000n, 2n ** 40n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
]
const DIGITS = [
  '0',
  '-1',
  '1',
  '255',
  '65536',
  '4294967295',
  '9007199254740993',
  '1e999',
  '0.5',
  '9'.repeat(30),
]

const pick = <T>(random: Random, from: readonly T[]): T => from[random.integer(from.length)]

type Mutation = (bytes: Uint8Array, random: Random, seeds: readonly Uint8Array[]) => Uint8Array

const joined = (...parts: Uint8Array[]): Uint8Array => {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
/** A place in the file; the beginning, where headers are, as often as all the rest. */
const place = (bytes: Uint8Array, random: Random): number =>
  random.integer(Math.max(1, random.integer(2) === 0 ? Math.min(bytes.length, 256) : bytes.length))

const MUTATIONS: readonly Mutation[] = [
  function flip(bytes, random) {
    const out = bytes.slice()
    for (let i = 1 + random.integer(4); i > 0 && out.length > 0; i--)
      out[place(out, random)] ^= 1 << random.integer(8)
    return out
  },
  function overwrite(bytes, random) {
    const out = bytes.slice()
    const at = place(out, random)
    for (let i = 0; i < 1 + random.integer(8) && at + i < out.length; i++)
      out[at + i] = random.integer(2) === 0 ? pick(random, BYTES) : random.integer(256)
    return out
  },
  function insert(bytes, random) {
    const at = place(bytes, random)
    const length = 1 + random.integer(16)
    const more = Uint8Array.from({ length }, () => random.integer(256))
    return joined(bytes.subarray(0, at), more, bytes.subarray(at))
  },
  function repeat(bytes, random) {
    const at = place(bytes, random)
    const piece = bytes.subarray(at, at + 1 + random.integer(64))
    return joined(bytes.subarray(0, at), piece, bytes.subarray(at))
  },
  function remove(bytes, random) {
    const at = place(bytes, random)
    return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(32)))
  },
  function truncate(bytes, random) {
    return bytes.slice(0, random.integer(bytes.length + 1))
  },
  function splice(bytes, random, seeds) {
    const other = pick(random, seeds)
    return joined(
      bytes.subarray(0, random.integer(bytes.length + 1)),
      other.subarray(random.integer(other.length + 1)),
    )
  },
  function move(bytes, random) {
    const out = bytes.slice()
    const from = random.integer(out.length + 1)
    return out.copyWithin(random.integer(out.length + 1), from, from + random.integer(256))
  },
  function forgeNumber(bytes, random) {
    const size = pick(random, [1, 2, 4, 8])
    if (bytes.length < size) return bytes.slice()
    const out = bytes.slice()
    const own = [BigInt(bytes.length), BigInt(bytes.length) - 1n, BigInt(bytes.length) + 1n]
    const value = pick(random, [...NUMBERS, ...own, BigInt(random.nextU32())])
    const at = Math.min(place(bytes, random), bytes.length - size)
    const isLittle = random.integer(4) > 0
    for (let i = 0; i < size; i++)
      out[at + (isLittle ? i : size - 1 - i)] = Number((value >> BigInt(8 * i)) & 0xffn)
    return out
  },
  function forgeDigits(bytes, random) {
    const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39
    const from = place(bytes, random)
    const at = bytes.findIndex((byte, i) => i >= from && isDigit(byte))
    if (at < 0) return bytes.slice(0, Math.max(0, bytes.length - 1))
    let end = at
    while (end < bytes.length && isDigit(bytes[end])) end++
    return joined(bytes.subarray(0, at), new TextEncoder().encode(pick(random, DIGITS)), bytes.subarray(end))
  },
]

/** One damaged file out of good ones. */
export function mutate(seeds: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes: Uint8Array = pick(random, seeds)
  const json = findJson(bytes)
  const isStructured = json !== undefined && random.integer(10) < 6
  if (isStructured) bytes = mutateJson(bytes, json, random)
  // Structure alone reaches further than structure and noise.
  const count = isStructured ? (random.integer(4) === 0 ? 1 : 0) : 1 + random.integer(3)
  for (let i = 0; i < count; i++) bytes = pick(random, MUTATIONS)(bytes, random, seeds)
  return bytes.slice()
}
