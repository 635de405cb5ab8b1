// Where the user's own words stand in a chat prompt, for any chat template: the template's tokens are what prompts
// of different texts share at both ends. Not a parser of templates.

import { EngineError } from '../errors.ts'
import type { TextCodec } from '../files/tokenizer.ts'

/** Texts that share neither first nor last character, so that whatever they share is the template's. */
const SAMPLE_TEXTS = ['a', 'the', '7']

/** Token ids that a template writes before and after the user's text. */
export interface PromptFrame {
  before: readonly number[]
  after: readonly number[]
}

/** How many ids two sequences share from the front (step 1) or from the back (step −1). */
function sharedLength(a: readonly number[], b: readonly number[], step: 1 | -1): number {
  const most = Math.min(a.length, b.length)
  const at = (ids: readonly number[], i: number) => ids[step === 1 ? i : ids.length - 1 - i]
  let shared = 0
  while (shared < most && at(a, shared) === at(b, shared)) shared++
  return shared
}

/** The codec's template as ids; `file-unsupported` where different texts give the same prompt. */
export function findPromptFrame(codec: Pick<TextCodec, 'encodePrompt'>): PromptFrame {
  const [first, ...others] = SAMPLE_TEXTS.map((text) => codec.encodePrompt(text))
  const before = Math.min(...others.map((ids) => sharedLength(first, ids, 1)))
  const after = Math.min(...others.map((ids) => sharedLength(first, ids, -1)))
  if (before + after >= first.length)
    throw new EngineError('file-unsupported', 'the chat template hides what the user says', {
      file: 'tokenizer_config.json',
    })
  return { before: first.slice(0, before), after: first.slice(first.length - after) }
}

/**
 * Bounds of the user's tokens in an encoded prompt. A token that holds both template and text, as where a space
 * merges with a word, counts as text. `request-invalid` for a text without tokens.
 */
export function contentSpan(frame: PromptFrame, ids: readonly number[]): { start: number; end: number } {
  const start = sharedLength(ids, frame.before, 1)
  const end = ids.length - sharedLength(ids, frame.after, -1)
  if (end <= start) throw new EngineError('request-invalid', 'a prompt without words has no hidden states')
  return { start, end }
}
