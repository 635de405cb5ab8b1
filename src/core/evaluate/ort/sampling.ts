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

/**
 * Tokens that top-k and then top-p leave, likeliest first; undefined: all of them. Values are sorted and not tokens:
 * of a vocabulary of 150 000 that takes a twentieth of the time.
 */
function likeliest(logits: ArrayLike<number>, { temperature, topK, topP }: Sampling): number[] | undefined {
  const V = logits.length
  const most = topK !== undefined && topK < V ? topK : V
  const isNucleus = topP !== undefined && topP < 1
  if (most === V && !isNucleus) return undefined
  const ascending = Float64Array.from(logits).sort()
  const top = ascending[V - 1]
  let count = most
  if (isNucleus) {
    const weightAt = (rank: number) => Math.exp((ascending[V - 1 - rank] - top) / temperature)
    let total = 0
    for (let rank = 0; rank < most; rank++) total += weightAt(rank)
    let sum = 0
    for (count = 0; count < most && sum < topP * total; count++) sum += weightAt(count)
    count = Math.max(1, count)
  }
  const least = ascending[V - count]
  const kept: number[] = []
  const equals: number[] = []
  for (let v = 0; v < V; v++)
    if (logits[v] > least) kept.push(v)
    else if (logits[v] === least) equals.push(v)
  // Of equal logits those first in the vocabulary are kept.
  return [...kept, ...equals.slice(0, count - kept.length)]
}

/** `sampleToken` of B rows (B,V); row b is draw `firstRow` + group[b]. */
export function sampleRows(
  logits: Float32Array,
  V: number,
  group: readonly number[],
  sampling: Sampling,
  firstRow: number,
): number[] {
  return group.map((i, b) => sampleToken(logits.subarray(b * V, (b + 1) * V), sampling, firstRow + i))
}

/** Tokens of B rows (B,V) as `choose` says, asked of open rows alone. */
export async function chooseRows(
  logits: Float32Array,
  V: number,
  group: readonly number[],
  isOpen: readonly boolean[],
  choose: (logits: Float32Array, prompt: number) => number | Promise<number>,
): Promise<number[]> {
  const tokens: number[] = []
  for (const [b, i] of group.entries())
    tokens.push(isOpen[b] ? await choose(logits.subarray(b * V, (b + 1) * V), i) : 0)
  return tokens
}
