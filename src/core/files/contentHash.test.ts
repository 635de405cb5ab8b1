import { afterEach, describe, expect, it, vi } from 'vitest'
import { sha256, sha256Text } from './contentHash.ts'

afterEach(() => vi.unstubAllGlobals())

describe('sha256', () => {
  // FIPS 180-2, appendix B.
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

  it('hashes by the platform', async () => {
    expect(await sha256Text('abc')).toBe(abc)
  })

  it('hashes where the page came over plain http', async () => {
    vi.stubGlobal('crypto', {})
    expect(await sha256Text('abc')).toBe(abc)
    expect(await sha256(Uint8Array.of(0, 97, 98, 99).subarray(1))).toBe(abc)
  })
})
