// Draws of a chat against a slow float64 truth of the distribution that is left: support and shares.

import { describe, expect, it } from 'vitest'
import { Random } from '../tensors/random.ts'
import { type ChatSampling, checkChatSampling, chooseToken, GREEDY } from './sampling.ts'

/** Probabilities (V), written from the definitions: no sorting of values, no shared code. */
function distribution(logits: readonly number[], sampling: ChatSampling, said: readonly number[]): number[] {
  const { temperature, topK, topP, repetitionPenalty } = sampling
  const scores = logits.map((logit, v) => {
    if (!said.includes(v)) return logit / temperature
    return (logit < 0 ? logit * repetitionPenalty : logit / repetitionPenalty) / temperature
  })
  // How many tokens come before v: those of a larger score, and equals with a smaller id.
  const before = scores.map((score, v) =>
    scores.filter((other, w) => other > score || (other === score && w < v)),
  )
  const inK = scores.map((_, v) => topK === 0 || before[v].length < topK)
  const weight = scores.map((score, v) => (inK[v] ? Math.exp(score) : 0))
  const total = weight.reduce((a, b) => a + b, 0)
  // v stays while what comes before it has not reached p.
  const left = weight.map((own, v) => {
    const above = scores.reduce(
      (sum, score, w) => (score > scores[v] || (score === scores[v] && w < v) ? sum + weight[w] : sum),
      0,
    )
    return above / total < topP ? own : 0
  })
  const sum = left.reduce((a, b) => a + b, 0)
  return left.map((own) => own / sum)
}

const random = new Random(5)
const LOGITS = Array.from(random.normals(24, 1.8))
LOGITS[9] = LOGITS[4]
const SAID = [2, 4, 7, 30]
const DRAWS = 6000

const cases: [string, Partial<ChatSampling>][] = [
  ['temperature alone', { temperature: 1 }],
  ['a cold one', { temperature: 0.4 }],
  ['a hot one', { temperature: 3 }],
  ['top-k', { temperature: 1.2, topK: 5 }],
  ['top-k of one', { temperature: 1.2, topK: 1 }],
  ['top-p', { temperature: 1, topP: 0.6 }],
  ['top-p of what top-k leaves', { temperature: 1.5, topK: 9, topP: 0.7 }],
  ['a penalty', { temperature: 1, repetitionPenalty: 1.8 }],
  ['all four', { temperature: 1.3, topK: 12, topP: 0.85, repetitionPenalty: 1.4 }],
]

describe('chooseToken', () => {
  it.each(cases)('%s: shares are those of the float64 truth', (_name, change) => {
    const sampling = { ...GREEDY, seed: 11, ...change }
    const expected = distribution(Array.from(Float32Array.from(LOGITS)), sampling, SAID)
    const counts = LOGITS.map(() => 0)
    for (let step = 0; step < DRAWS; step++)
      counts[chooseToken(Float32Array.from(LOGITS), sampling, new Set(SAID), step)]++
    let [chi, cells] = [0, 0]
    counts.forEach((count, v) => {
      if (expected[v] === 0) expect(count, `token ${v} was cut off`).toBe(0)
      else if (expected[v] * DRAWS >= 5) {
        chi += (count - expected[v] * DRAWS) ** 2 / (expected[v] * DRAWS)
        cells++
      }
    })
    // Mean `cells`, deviation √(2 cells): four deviations above is one in ten thousand.
    expect(chi).toBeLessThan(cells + 4 * Math.sqrt(2 * cells))
    expect(cells).toBeGreaterThan(0)
  })

  it('repeats itself for a seed, and not for another', () => {
    const draw = (seed: number) =>
      Array.from({ length: 50 }, (_, step) =>
        chooseToken(Float32Array.from(LOGITS), { ...GREEDY, temperature: 1, seed }, new Set(), step),
      )
    expect(draw(3)).toEqual(draw(3))
    expect(draw(3)).not.toEqual(draw(4))
  })

  it('greedy takes the first of the largest, and heeds the penalty', () => {
    const logits = Float32Array.from([-1, 4, 4, 3])
    expect(chooseToken(logits, GREEDY, new Set([1]), 0)).toBe(1)
    expect(chooseToken(logits, { ...GREEDY, repetitionPenalty: 1.2 }, new Set([1]), 0)).toBe(2)
    // A penalty must not lift what is negative.
    const low = Float32Array.from([-1, -1.5])
    expect(chooseToken(low, { ...GREEDY, repetitionPenalty: 2 }, new Set([0]), 0)).toBe(1)
    expect(Array.from(logits)).toEqual([-1, 4, 4, 3])
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('a logit of %s is a failure and no token', (bad) => {
    const logits = Float32Array.from([1, 2, bad, 0])
    for (const temperature of [0, 1])
      expect(() => chooseToken(logits, { ...GREEDY, temperature }, new Set(), 0)).toThrow(
        expect.objectContaining({ code: 'not-finite', message: expect.stringContaining('token 2') }),
      )
  })

  it.each<Partial<ChatSampling>>([
    { temperature: -1 },
    { temperature: 1, topK: -2 },
    { temperature: 1, topP: 0 },
    { repetitionPenalty: 0.9 },
    { repetitionPenalty: Number.NaN },
    { seed: 1.5 },
  ])('refuses %o', (change) => {
    expect(() => checkChatSampling({ ...GREEDY, ...change })).toThrow(
      expect.objectContaining({ code: 'request-invalid' }),
    )
  })
})
