// Metadata by key with the type that is asked for; what is missing or of another kind is named with its key.

import { EngineError } from '../../../errors.ts'
import { shortFloat } from './floats.ts'
import type { GgufHeader, GgufValue, NumericArray } from './types.ts'

export class Metadata {
  readonly file: string
  private readonly values: ReadonlyMap<string, GgufValue>

  constructor({ file, metadata }: Pick<GgufHeader, 'file' | 'metadata'>) {
    this.file = file
    this.values = metadata
  }

  fail(key: string, expected: string): never {
    const value = this.values.get(key)
    const found =
      value === undefined ? 'nothing' : typeof value === 'object' ? 'an array' : String(value).slice(0, 80)
    throw new EngineError('file-malformed', `metadata key ${key}: expected ${expected}, found ${found}`, {
      file: this.file,
    })
  }

  has(key: string): boolean {
    return this.values.has(key)
  }

  isNumber(key: string): boolean {
    return typeof this.values.get(key) === 'number'
  }

  text(key: string): string | undefined {
    const value = this.values.get(key)
    return value === undefined || typeof value === 'string' ? value : this.fail(key, 'a text')
  }

  flag(key: string): boolean | undefined {
    const value = this.values.get(key)
    return value === undefined || typeof value === 'boolean' ? value : this.fail(key, 'true or false')
  }

  /** Floats as the shortest decimals that float32 rounds to them. */
  number(key: string): number | undefined {
    const value = this.values.get(key)
    if (value === undefined) return undefined
    if (typeof value !== 'number' || !Number.isFinite(value)) return this.fail(key, 'a number')
    return Number.isInteger(value) ? value : shortFloat(value)
  }

  /** A whole number from 0 to 2^31; an array that says the same for every layer stands for its first. */
  whole(key: string): number | undefined {
    let value = this.values.get(key)
    if (typeof value === 'object' && value.length > 0 && typeof value[0] === 'number') {
      const numbers = value as NumericArray
      if (numbers.every((n: number) => n === numbers[0])) value = numbers[0]
    }
    if (value === undefined) return undefined
    const isWhole = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 2 ** 31
    return isWhole ? (value as number) : this.fail(key, 'a whole number, the same for all layers')
  }

  requireWhole(key: string): number {
    return this.whole(key) ?? this.fail(key, 'a whole number')
  }

  texts(key: string): readonly string[] | undefined {
    const value = this.values.get(key)
    if (value === undefined) return undefined
    const isTexts = Array.isArray(value)
    return isTexts ? (value as readonly string[]) : this.fail(key, 'an array of texts')
  }

  numbers(key: string): NumericArray | undefined {
    const value = this.values.get(key)
    if (value === undefined) return undefined
    return ArrayBuffer.isView(value) ? (value as NumericArray) : this.fail(key, 'an array of numbers')
  }
}
