// Walks a value that nobody vouches for, field by field: what has an unknown structure is refused with the name of the
// field, numbers outside their declared range are moved to its edge and noted.

import type { NumberParameter } from './parameters.ts'
import { clampNumber } from './scale.ts'

/** `adjusted` names the fields whose numbers lay outside their range. */
export type Validated<T> = { ok: true; value: T; adjusted: string[] } | { ok: false; reason: string }

export class Refusal extends Error {}

/** Control characters, and marks that turn the direction of text around: both make a text seem to be another. */
const HIDDEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

export class Reader {
  readonly adjusted: string[] = []

  /** An object whose fields have names of the sender's own, or are read later. */
  record(value: unknown, path: string): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Refusal(`${path} is not an object`)
    return value as Record<string, unknown>
  }

  object(value: unknown, path: string, keys: readonly string[]): Record<string, unknown> {
    const fields = this.record(value, path)
    const unknownKey = Object.keys(fields).find((key) => !keys.includes(key))
    if (unknownKey !== undefined)
      throw new Refusal(`${path} has the unknown field “${unknownKey.slice(0, 40)}”`)
    return fields
  }

  list(value: unknown, path: string, maxLength: number): unknown[] {
    if (!Array.isArray(value)) throw new Refusal(`${path} is not a list`)
    if (value.length > maxLength)
      throw new Refusal(`${path} has ${value.length} entries, more than ${maxLength}`)
    return value
  }

  text(value: unknown, path: string, maxLength: number): string {
    if (typeof value !== 'string') throw new Refusal(`${path} is not text`)
    if (value.length > maxLength) throw new Refusal(`${path} is longer than ${maxLength} characters`)
    return value
  }

  /** Text that is shown as it stands. */
  words(value: unknown, path: string, maxLength: number): string {
    const text = this.text(value, path, maxLength)
    if (HIDDEN.test(text)) throw new Refusal(`${path} has hidden characters`)
    return text
  }

  number(value: unknown, path: string, parameter: NumberParameter): number {
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw new Refusal(`${path} is not a finite number`)
    const rounded = parameter.isInteger ? Math.round(value) : value
    const clamped = clampNumber(rounded, parameter.min, parameter.max)
    if (clamped !== value) this.adjusted.push(path)
    return clamped
  }

  /** A measured number: outside its range it is none, and is not moved. */
  within(value: unknown, path: string, min: number, max: number): number {
    if (typeof value !== 'number' || !(value >= min && value <= max))
      throw new Refusal(`${path} is not a number from ${min} to ${max}`)
    return value
  }

  count(value: unknown, path: string, max: number): number {
    const count = this.within(value, path, 0, max)
    if (!Number.isInteger(count)) throw new Refusal(`${path} is not a whole number`)
    return count
  }

  choice<T extends string>(value: unknown, path: string, options: readonly { value: T }[]): T {
    const found = options.find((option) => option.value === value)
    if (!found) throw new Refusal(`${path} is none of ${options.map((option) => option.value).join(', ')}`)
    return found.value
  }

  digested(fields: Record<string, unknown>, path: string): { name: string; digest: string } {
    return {
      name: this.text(fields.name, `${path}.name`, 200),
      digest: this.digest(fields.digest, `${path}.digest`),
    }
  }

  digest(value: unknown, path: string): string {
    const digest = this.text(value, path, 64)
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new Refusal(`${path} is not a SHA-256 in hexadecimal`)
    return digest
  }
}

/** The value that `read` takes from a reader, or why it takes none. */
export function validated<T>(read: (reader: Reader) => T): Validated<T> {
  const reader = new Reader()
  try {
    return { ok: true, value: read(reader), adjusted: reader.adjusted }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.message }
    throw error
  }
}
