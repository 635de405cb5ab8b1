// Changes of JSON by its structure, where a file is JSON or begins with it behind a length: values of other types, keys that
// are gone, doubled or renamed, numbers at their ends, deep nesting. The length in front is kept right, so that the reader
// gets as far as the JSON itself.

import type { Random } from '../../core/tensors/random.ts'

export interface JsonPlace {
  value: unknown
  /** bytes of the length in front, 0 for none */
  prefix: 0 | 4 | 8
  end: number
}

const isOpening = (byte: number | undefined): boolean => byte === 0x7b || byte === 0x5b

/** JSON at the beginning: bare, or behind its length as a little-endian u64 (safetensors) or u32. */
export function findJson(bytes: Uint8Array): JsonPlace | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tries: [prefix: 0 | 4 | 8, end: number][] = [[0, bytes.length]]
  if (bytes.length > 8) tries.push([8, 8 + Number(view.getBigUint64(0, true))])
  if (bytes.length > 4) tries.push([4, 4 + view.getUint32(0, true)])
  for (const [prefix, end] of tries) {
    if (!isOpening(bytes[prefix]) || end > bytes.length) continue
    try {
      return { value: JSON.parse(new TextDecoder().decode(bytes.subarray(prefix, end))), prefix, end }
    } catch {
      // No JSON here; perhaps behind a length.
    }
  }
  return undefined
}

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  '',
  '0',
  '../x',
  'a'.repeat(300),
  '\u0000',
  '\ud800',
  'é😀',
]
const NUMBERS = [
  0,
  -0,
  1,
  -1,
  2,
  255,
  65536,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e308,
  -1e308,
  1e-320,
  0.5,
  Number.NaN,
]
const DEPTHS = [3, 100, 2000]

type Container = Record<string, unknown> | unknown[]

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null
const pick = <T>(random: Random, from: readonly T[]): T => from[random.integer(from.length)]

/** Own property even for names that objects treat otherwise. */
function put(target: Container, key: string | number, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

function nested(depth: number, isObject: boolean): unknown {
  let value: unknown = 0
  for (let i = 0; i < depth; i++) value = isObject ? { a: value } : [value]
  return value
}

function otherValue(random: Random, value: unknown): unknown {
  const text = typeof value === 'string' ? value : 'text'
  const choices: (() => unknown)[] = [
    () => null,
    () => random.integer(2) === 0,
    () => pick(random, NUMBERS),
    () => pick(random, NUMBERS),
    () => pick(random, NAMES),
    () => text.repeat(1 + random.integer(50)),
    () => text.slice(0, random.integer(text.length + 1)) + pick(random, NAMES),
    () => [],
    () => ({}),
    () => [value, value],
    () => ({ [pick(random, ['a', 'type', 'content'])]: value }),
    () => nested(pick(random, DEPTHS), random.integer(2) === 0),
    () => Array.from({ length: pick(random, [1, 20, 2000]) }, () => value),
    () => (typeof value === 'number' ? value + pick(random, [1, -1, 8, 0.25]) : JSON.stringify(value)),
  ]
  return pick(random, choices)()
}

/** Containers of a tree, a bounded number of them. */
function containersOf(root: unknown): Container[] {
  const found: Container[] = []
  const pending: unknown[] = [root]
  while (pending.length > 0 && found.length < 5000) {
    const value = pending.pop()
    if (!isContainer(value) || Object.keys(value).length === 0) continue
    found.push(value)
    pending.push(...Object.values(value))
  }
  return found
}

function changeOne(root: unknown, random: Random): void {
  const containers = containersOf(root)
  if (containers.length === 0) return
  // Vocabularies would take all the damage: the outer levels are as likely as everything inside.
  const container = random.integer(2) === 0 ? pick(random, containers.slice(0, 12)) : pick(random, containers)
  const keys = Object.keys(container)
  const key = pick(random, keys)
  const value = (container as Record<string, unknown>)[key]
  const remove = () => {
    if (Array.isArray(container)) container.splice(Number(key), 1)
    else delete container[key]
  }
  switch (random.integer(8)) {
    case 0:
      remove()
      return
    case 1:
      if (Array.isArray(container)) container.splice(Number(key), 0, value)
      else put(container, pick(random, [...NAMES, `${key}2`]), value)
      return
    case 2:
      if (!Array.isArray(container)) {
        remove()
        put(container, pick(random, [...NAMES, pick(random, keys)]), value)
        return
      }
      container.reverse()
      return
    case 3: {
      const other = pick(random, keys)
      const swapped = (container as Record<string, unknown>)[other]
      put(container, other, value)
      put(container, key, swapped)
      return
    }
    default:
      put(container, key, otherValue(random, value))
  }
}

const MAX_TEXT = 8 * 2 ** 20

/** About the characters of a value's JSON; counted, as writing it may be what does not fit. */
function lengthOf(root: unknown): number {
  let sum = 0
  const pending: unknown[] = [root]
  while (pending.length > 0 && sum <= MAX_TEXT) {
    const value = pending.pop()
    sum += typeof value === 'string' ? value.length + 3 : 8
    if (!isContainer(value)) continue
    for (const key of Object.keys(value)) {
      sum += key.length
      pending.push((value as Record<string, unknown>)[key])
    }
  }
  return sum
}

/** The file with one to three changes in its JSON. */
export function mutateJson(bytes: Uint8Array, { value, prefix, end }: JsonPlace, random: Random): Uint8Array {
  const tree = structuredClone(value)
  let json = JSON.stringify(tree)
  for (let i = 1 + random.integer(3); i > 0; i--) {
    changeOne(tree, random)
    // Copies of copies may not fit any text; the change before them stands.
    const length = lengthOf(tree)
    if (length > MAX_TEXT) break
    json = JSON.stringify(tree)
  }
  const text = new TextEncoder().encode(json)
  const out = new Uint8Array(prefix + text.length + bytes.length - end)
  const view = new DataView(out.buffer)
  if (prefix === 8) view.setBigUint64(0, BigInt(text.length), true)
  if (prefix === 4) view.setUint32(0, text.length, true)
  out.set(text, prefix)
  out.set(bytes.subarray(end), prefix + text.length)
  return out
}
