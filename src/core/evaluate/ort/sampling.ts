// The next token of a row of logits on the host: greedy, or one seeded sample of what temperature, top-k and top-p
// leave. The noise is that of the engine's kernel pickToken, so that equal logits give equal tokens on both paths.

import { EngineError } from '../../errors.ts'
import { pcgHash } from '../../tensors/random.ts'

/** Draws from softmax(logits / temperature), restricted; a pure function of seed and row. */
export interface Sampling {
  /** above 0 */ temperature: number
  seed: number
  /** only the k most probable tokens; absent: all */ topK?: number | undefined
  /** only the fewest most probable tokens whose shares reach p, in (0, 1]; absent: all */ topP?:
    | number
    | undefined
}

/** Rejects what is no distribution by `request-invalid`. */
export function checkSampling({ temperature, topK, topP }: Sampling): void {
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new EngineError('request-invalid', `temperature ${temperature}: expected above 0`)
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1))
    throw new EngineError('request-invalid', `top-k ${topK}: expected a whole number of at least 1`)
  if (topP !== undefined && !(topP > 0 && topP <= 1))
    throw new EngineError('request-invalid', `top-p ${topP}: expected above 0 and at most 1`)
}

/**
 * A token of `logits` (V): argmax over the tokens left of logit / temperature + Gumbel noise of (seed, row, token),
 * which is one exact sample of their softmax. Rows are numbered by the caller, one per draw.
 */
export function sampleToken(logits: ArrayLike<number>, sampling: Sampling, row: number): number {
  const { temperature, seed } = sampling
  const key = pcgHash((seed ^ pcgHash(row)) >>> 0)
  let best = Number.NEGATIVE_INFINITY
  let winner = 0
  const consider = (v: number) => {
    const u = ((pcgHash((key + v) >>> 0) >>> 9) + 0.5) * 2 ** -23
    const score = logits[v] / temperature - Math.log(-Math.log(u))
    if (score > best) {
      best = score
      winner = v
    }
  }
  const kept = likeliest(logits, sampling)
  if (kept) for (const v of kept) consider(v)
  else for (let v = 0; v < logits.length; v++) consider(v)
  return winner
}

/** Tokens that top-k and then top-p leave, likeliest first; undefined: all of them. */
function likeliest(logits: ArrayLike<number>, { temperature, topK, topP }: Sampling): number[] | undefined {
  const V = logits.length
  const isCut = topK !== undefined && topK < V
  if (!isCut && (topP === undefined || topP === 1)) return undefined
  // Equal logits keep the order of the vocabulary.
  const order = Array.from({ length: V }, (_, v) => v).sort((a, b) => logits[b] - logits[a] || a - b)
  if (isCut) order.length = topK
  if (topP === undefined || topP === 1) return order
  const weights = order.map((v) => Math.exp((logits[v] - logits[order[0]]) / temperature))
  const needed = topP * weights.reduce((sum, weight) => sum + weight, 0)
  let sum = 0
  let count = 0
  while (count < order.length && sum < needed) sum += weights[count++]
  return order.slice(0, Math.max(1, count))
}
