// A model's own words: greedy answers to many prompts in batches, and one prompt put to several models. Greedy,
// so that two runs give one answer. Whether an answer refuses or complies is scorer.ts's business.

import { EngineError, throwIfCancelled } from '../errors.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import type { ModelConfig } from '../model/config.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { generate } from '../model/generate.ts'
import { type ForwardModel, isForwardModel } from './forwardModel.ts'
import { type AnswerKind, classify, type ScorerRules } from './scorer.ts'

/** No answer gets more tokens than this unless asked for. */
export const MAX_ANSWER_TOKENS = 64
/** More sequences at once no longer save time: a step then costs what its tokens cost. */
const MAX_SEQUENCES = 128
/** Largest scratch buffer of a batch; devices bind at least 128 MiB. */
const MAX_BATCH_BYTES = 128 * 2 ** 20

/** What a model answered. */
export interface Decoded {
  /** tokens without the end token */ ids: number[]
  text: string
  /** the answer was closed by an end token inside its limit and holds only ids of the vocabulary */
  isEnded: boolean
}

/** Sequences of `tokens` tokens each with `rows` rows of logits that fit one batch; 1 … 128. */
export function sequencesPerBatch(
  config: Pick<
    ModelConfig,
    'hiddenSize' | 'intermediateSize' | 'headCount' | 'kvHeadCount' | 'headSize' | 'vocabSize'
  >,
  tokens: number,
  rows: number,
): number {
  const { hiddenSize, intermediateSize, headCount, kvHeadCount, headSize, vocabSize } = config
  const widest = Math.max(
    hiddenSize,
    2 * intermediateSize,
    (headCount + 2 * kvHeadCount) * headSize,
    headCount * tokens,
  )
  const bytes = 4 * Math.max(tokens * widest, rows * vocabSize)
  return Math.min(MAX_SEQUENCES, Math.max(1, Math.floor(MAX_BATCH_BYTES / bytes)))
}

export interface DecodeOptions {
  maxNewTokens: number
  signal?: AbortSignal | undefined
  /** after each batch, answers done so far */ onProgress?: ((done: number) => void) | undefined
}

/**
 * Greedy answers to user texts, in their order; an answer ends, cut off, where the model's positions do. Rejects `cancelled`; `file-missing` without a chat template.
 */
export async function decodeAnswers(
  model: DeviceModel | ForwardModel,
  codec: TextCodec,
  prompts: readonly string[],
  { maxNewTokens, signal, onProgress }: DecodeOptions,
): Promise<Decoded[]> {
  const encoded = prompts.map((prompt) => codec.encodePrompt(prompt))
  const longest = Math.max(1, ...encoded.map((ids) => ids.length))
  const size = sequencesPerBatch(model.config, longest + maxNewTokens, 1)
  const decoded: Decoded[] = []
  for (let start = 0; start < encoded.length; start += size) {
    throwIfCancelled(signal)
    const part = encoded.slice(start, start + size)
    const room = part.map(({ length }) => Math.max(0, model.config.maxPositions - length))
    const most = Math.max(1, Math.min(maxNewTokens, Math.max(...room)))
    const settings = { maxNewTokens: most, endTokens: codec.endTokens, signal }
    const answers = isForwardModel(model)
      ? await model.generate(part, settings)
      : await generate(model, part, settings)
    for (const [b, ids] of answers.entries()) decoded.push(readAnswer(codec, ids.slice(0, room[b])))
    onProgress?.(decoded.length)
  }
  return decoded
}

/** Generated ids, end token included when one came, as text. */
export function readAnswer(
  codec: Pick<TextCodec, 'endTokens' | 'vocabSize' | 'decode'>,
  ids: readonly number[],
): Decoded {
  const isClosed = ids.length > 0 && codec.endTokens.includes(ids[ids.length - 1])
  const own = isClosed ? ids.slice(0, -1) : [...ids]
  // Embeddings are often padded beyond the tokenizer; a model that picks such a row has said nothing.
  const known = own.filter((id) => id < codec.vocabSize)
  return { ids: own, text: codec.decode(known), isEnded: isClosed && known.length === own.length }
}

/** One model's answer to one prompt. */
export interface PromptAnswer {
  label: string
  text: string
  verdict: AnswerKind
  /** false where the answer was cut off at its limit */ isEnded: boolean
  durationMs: number
}

/**
 * The same prompt to several models, one after another. `request-invalid` where the prompt leaves a model no
 * position to answer in.
 */
export async function answerPrompt(
  models: readonly { label: string; model: DeviceModel | ForwardModel }[],
  codec: TextCodec,
  prompt: string,
  rules: ScorerRules,
  options: {
    maxNewTokens?: number
    signal?: AbortSignal | undefined
    onAnswer?: (answer: PromptAnswer) => void
  } = {},
): Promise<PromptAnswer[]> {
  const length = codec.encodePrompt(prompt).length
  const answers: PromptAnswer[] = []
  for (const { label, model } of models) {
    const room = model.config.maxPositions - length
    if (room < 1)
      throw new EngineError(
        'request-invalid',
        `the prompt has ${length} tokens, ${label} reads at most ${model.config.maxPositions - 1}`,
      )
    const begun = performance.now()
    const maxNewTokens = Math.min(options.maxNewTokens ?? MAX_ANSWER_TOKENS, room)
    const [decoded] = await decodeAnswers(model, codec, [prompt], { maxNewTokens, signal: options.signal })
    const { text, isEnded } = decoded
    const verdict = classify(decoded, rules)
    const answer = { label, text, verdict, isEnded, durationMs: performance.now() - begun }
    answers.push(answer)
    options.onAnswer?.(answer)
  }
  return answers
}
