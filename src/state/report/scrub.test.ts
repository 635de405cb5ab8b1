import { describe, expect, it } from 'vitest'
import { scrub } from './scrub.ts'

describe('scrub', () => {
  it.each([
    ['Authorization: Bearer hf_abcdefghijkl failed', 'Authorization: [token] failed'],
    ['token hf_abcdefghijkl refused', 'token [token] refused'],
    ['at https://host.example/app/#v3.jZLNTs_-~.x:3:4', 'at https://host.example/app/#[link]:3:4'],
    [
      'GET https://host.example/m/config.json?X-Amz=1&sig=2 failed',
      'GET https://host.example/m/config.json?[…] failed',
    ],
    ['from https://me:word@host.example/m', 'from https://[…]@host.example/m'],
    [
      'at t (http://localhost:4173/assets/index-1.js:2:3)',
      'at t (http://localhost:4173/assets/index-1.js:2:3)',
    ],
    [
      'shape 4x4, expected 8x8 (file a.safetensors, tensor w)',
      'shape 4x4, expected 8x8 (file a.safetensors, tensor w)',
    ],
  ])('%j is %j', (text, expected) => {
    expect(scrub(text, [])).toBe(expected)
  })

  it('takes out what was typed, the longest first, and no common words', () => {
    const typed = ['how do I', 'how do I sort my letters', ' sort ', 'a', '']
    expect(scrub('no answer to "how do I sort my letters" or how do I, a sort', typed)).toBe(
      'no answer to "[typed]" or [typed], a [typed]',
    )
  })
})
