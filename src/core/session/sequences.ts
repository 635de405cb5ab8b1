// Probes as token sequences: what the Fisher diagonal is taken on, and what the rows of A are gradients of.

import { EngineError } from '../errors.ts'
import { type Probe, type ProbeFile, pickProbes } from '../evaluate/probes.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import type { LossTerm } from '../geometry/alignmentRows.ts'
import type { Sequence } from '../model/batch.ts'

/** Prompt in the chat template followed by a completion, whose tokens are the targets. */
export function chatSequence(codec: TextCodec, prompt: string, completion: string): Sequence {
  const promptIds = codec.encodePrompt(prompt)
  return { ids: [...promptIds, ...codec.encodeCompletion(completion)], firstTarget: promptIds.length }
}

/**
 * Sequences for the Fisher diagonal: what the anchor is for, i.e. harmless requests, skills, and harmful
 * requests refused, in equal parts, from the estimating split.
 */
export function fisherSequences(
  codec: TextCodec,
  probes: ProbeFile,
  count: number,
  seed: number,
): Sequence[] {
  const share = Math.ceil(count / 3)
  const picked = (['harmless', 'skill', 'harmful'] as const).flatMap((set) =>
    pickProbes(probes, set, 'estimate', share, seed),
  )
  if (picked.length === 0)
    throw new EngineError(
      'request-invalid',
      'the probe file has no estimating probes of harmless, skill or harmful sets',
    )
  return picked.slice(0, count).map((probe) => chatSequence(codec, probe.prompt, probe.aligned))
}

/** Harmful probes with an unwanted completion, for rows of A. */
export function rowProbes(
  probes: ProbeFile,
  split: 'estimate' | 'heldout',
  count: number,
  seed: number,
): Probe[] {
  const picked = pickProbes(probes, 'harmful', split, count, seed).filter(
    ({ misaligned }) => misaligned !== undefined,
  )
  if (picked.length < 2)
    throw new EngineError(
      'request-invalid',
      `rows of A need harmful ${split} probes with a misaligned completion, found ${picked.length}`,
    )
  return picked
}

/**
 * One row per probe: loss of the unwanted completion, with `margin` minus the loss of the aligned one; of their
 * first `tokens` tokens alone where given.
 */
export function lossTerms(
  codec: TextCodec,
  picked: readonly Probe[],
  source: 'unwanted' | 'margin',
  tokens = Number.POSITIVE_INFINITY,
): LossTerm[] {
  const sequence = ({ prompt }: Probe, completion: string): Sequence => {
    const promptIds = codec.encodePrompt(prompt)
    const own = codec.encodeCompletion(completion)
    return { ids: [...promptIds, ...own.slice(0, tokens)], firstTarget: promptIds.length }
  }
  return picked.flatMap((probe, row): LossTerm[] => {
    const unwanted: LossTerm = { row, sign: 1, sequence: sequence(probe, probe.misaligned!) }
    if (source === 'unwanted') return [unwanted]
    return [unwanted, { row, sign: -1, sequence: sequence(probe, probe.aligned) }]
  })
}
