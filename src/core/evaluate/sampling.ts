// The next token of a chat: greedy, or one seeded draw of what repetition penalty, temperature, top-k and top-p leave,
// in that order, as Hugging Face's generation has it. A pure function of logits, settings, what was said and the step,
// so equal logits give equal tokens whoever computed them; all models of a chat share one stream of noise.

import { EngineError } from '../errors.ts'
import { checkSampling, sampleToken } from './ort/sampling.ts'

export interface ChatSampling {
  /** 0: greedy */ temperature: number
  seed: number
  /** 0: all */ topK: number
  /** in (0, 1]; 1: all */ topP: number
  /** θ ≥ 1 of Keskar et al. 2019: logits of tokens that were there are divided by θ where positive, else multiplied */
  repetitionPenalty: number
}

export const GREEDY: ChatSampling = { temperature: 0, seed: 1, topK: 0, topP: 1, repetitionPenalty: 1 }

/** Rejects what is no distribution by `request-invalid`. */
export function checkChatSampling({ temperature, topK, topP, repetitionPenalty, seed }: ChatSampling): void {
  if (temperature !== 0) checkSampling({ temperature, seed, topK: topK === 0 ? undefined : topK, topP })
  if (!(repetitionPenalty >= 1 && repetitionPenalty <= 10))
    throw new EngineError('request-invalid', `repetition penalty ${repetitionPenalty}: expected 1 … 10`)
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new EngineError('request-invalid', `seed ${seed}: expected a whole number of at least 0`)
}

/**
 * Token of `logits` (V) at step `step` of an answer; `said` holds the ids of prompt and answer. `not-finite` names the
 * first logit that is NaN or +∞: a ruined model would otherwise seem to say token 0.
 */
export function chooseToken(
  logits: Float32Array,
  sampling: ChatSampling,
  said: ReadonlySet<number>,
  step: number,
): number {
  for (let v = 0; v < logits.length; v++)
    if (!(logits[v] < Number.POSITIVE_INFINITY))
      throw new EngineError('not-finite', `the logit of token ${v} is ${logits[v]}: the weights are ruined`)
  const scores = penalise(logits, sampling.repetitionPenalty, said)
  const { temperature, seed, topK, topP } = sampling
  if (temperature === 0) return argmax(scores)
  return sampleToken(scores, { temperature, seed, topK: topK === 0 ? undefined : topK, topP }, step)
}

function penalise(logits: Float32Array, penalty: number, said: ReadonlySet<number>): Float32Array {
  if (penalty === 1) return logits
  const scores = logits.slice()
  for (const v of said)
    if (v < scores.length) scores[v] = scores[v] > 0 ? scores[v] / penalty : scores[v] * penalty
  return scores
}

/** The first of the largest. */
function argmax(values: Float32Array): number {
  let best = 0
  for (let v = 1; v < values.length; v++) if (values[v] > values[best]) best = v
  return best
}
