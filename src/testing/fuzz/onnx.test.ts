import { describe, expect, it } from 'vitest'
import { EngineError } from '../../core/errors.ts'
import { Random } from '../../core/tensors/random.ts'
import { target } from './onnx.ts'

/** Bytes with a few changed, cut off, repeated or overwritten by large numbers. */
function mutate(seed: Uint8Array, random: Random): Uint8Array {
  const bytes = seed.slice()
  for (let i = 1 + random.integer(4); i > 0; i--) {
    const at = random.integer(bytes.length)
    const kind = random.integer(5)
    if (kind === 0) bytes[at] ^= 1 << random.integer(8)
    else if (kind === 1) bytes[at] = random.integer(256)
    else if (kind === 2) bytes.fill(0xff, at, at + 1 + random.integer(9))
    else if (kind === 3) bytes.copyWithin(at, random.integer(bytes.length), random.integer(bytes.length))
    else return bytes.slice(0, at)
  }
  return bytes
}

describe('the ONNX reader', () => {
  it('reads its own seeds', async () => {
    const seeds = await target.seeds()
    for (const seed of seeds) {
      expect(seed.length).toBeLessThan(20_000)
      await target.run(seed)
    }
  })

  it('refuses changed files by its own error, or reads them', async () => {
    const seeds = await target.seeds()
    const random = new Random(11)
    const codes = new Map<string, number>()
    for (let i = 0; i < 400; i++) {
      // Headers are a small part of the file and the only one that can go wrong: aim at it.
      const seed = seeds[i % seeds.length]
      const code = await target.run(mutate(seed, random)).then(
        () => 'read',
        (error: unknown) => {
          if (!(error instanceof EngineError)) throw error
          return error.code
        },
      )
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    expect(codes.get('read')).toBeGreaterThan(20)
    expect(codes.get('file-malformed')).toBeGreaterThan(100)
  })
})
