// Draws on the host: their shares against the distribution that is left, and the rules of top-k and top-p.

import { describe, expect, it } from 'vitest'
import { pickTokenReference } from '../../kernels/pickToken/pickToken.ts'
import { checkSampling, type Sampling, sampleToken } from './sampling.ts'

const logits = [0.3, -1, 2, 0.3, 1.1, -4]
const DRAWS = 4000

/** Share of each token in many draws. */
function shares(sampling: Sampling): number[] {
  const counts = logits.map(() => 0)
  for (let row = 0; row < DRAWS; row++) counts[sampleToken(logits, sampling, row)]++
  return counts.map((count) => count / DRAWS)
}

function softmax(values: readonly number[], kept: readonly number[], temperature: number): number[] {
  const weights = values.map((value, v) => (kept.includes(v) ? Math.exp(value / temperature) : 0))
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map((weight) => weight / sum)
}

describe('sampling', () => {
  it.each<[string, Sampling, number[]]>([
    ['all tokens', { temperature: 1, seed: 3 }, [0, 1, 2, 3, 4, 5]],
    ['hotter', { temperature: 2.5, seed: 3 }, [0, 1, 2, 3, 4, 5]],
    ['top 2', { temperature: 1, seed: 4, topK: 2 }, [2, 4]],
    // Token 0 comes before its equal, token 3.
    ['top 3 with a tie', { temperature: 1, seed: 4, topK: 3 }, [0, 2, 4]],
    // Shares: 0.55, 0.22, 0.1, 0.1, …: 0.8 needs the third.
    ['top-p', { temperature: 1, seed: 5, topP: 0.8 }, [0, 2, 4]],
    ['top-p below the first share', { temperature: 1, seed: 5, topP: 0.1 }, [2]],
    ['top-p of what top-k leaves', { temperature: 1, seed: 5, topK: 3, topP: 0.86 }, [2, 4]],
  ])('%s: shares as the distribution says', (_, sampling, kept) => {
    const expected = softmax(logits, kept, sampling.temperature)
    shares(sampling).forEach((share, v) => {
      // Four standard deviations of a share.
      expect(Math.abs(share - expected[v])).toBeLessThanOrEqual(
        4 * Math.sqrt((expected[v] * (1 - expected[v])) / DRAWS),
      )
    })
  })

  it('has the noise of the kernel', () => {
    const stride = logits.length
    for (let firstRow = 0; firstRow < 50; firstRow++) {
      const params = { R: 1, V: stride, stride, noise: 1, seed: 9, firstRow }
      const { token } = pickTokenReference(params, {
        logits: Float64Array.from(logits),
        token: new Uint32Array(1),
      })
      expect(sampleToken(logits, { temperature: 1, seed: 9 }, firstRow)).toBe(token[0])
    }
  })

  it.each<[string, Partial<Sampling>]>([
    ['no temperature', { temperature: 0 }],
    ['an endless one', { temperature: Number.POSITIVE_INFINITY }],
    ['top 0', { topK: 0 }],
    ['top 1.5', { topK: 1.5 }],
    ['top-p 0', { topP: 0 }],
    ['top-p above one', { topP: 1.1 }],
  ])('refuses %s', (_, change) => {
    expect(() => checkSampling({ temperature: 1, seed: 1, ...change })).toThrow(
      expect.objectContaining({ code: 'request-invalid' }),
    )
  })
})
