// Pairs of question and answer that weights are chosen by, and where each came from.

import type { TextCodec } from '../files/tokenizer.ts'
import type { Sequence } from '../model/batch.ts'

/** task: an expert's own answer to a question of its kind; safety: the anchor's refusal of a harmful question */
export type PairKind = 'task' | 'safety'

export interface Pair {
  kind: PairKind
  /** user text, without the chat template */ prompt: string
  /** what is to be said, without special tokens */ answer: string
  /** id of the model that answered */ by: string
}

/** Question in the chat template and its answer, whose tokens alone are targets. */
export type PairSequence = Sequence & { ids: number[]; firstTarget: number }

export function pairSequence(codec: TextCodec, { prompt, answer }: Pair): PairSequence {
  const before = codec.encodePrompt(prompt)
  return { ids: [...before, ...codec.encodeCompletion(answer)], firstTarget: before.length }
}
