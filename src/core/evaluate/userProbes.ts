// A user's own prompts in place of the built-in harmless and harmful ones, for measuring alone: AQI and behaviour.
// What is estimated from (Fisher, A) stays built in, and so do skills, facts and attacks, which labels of safe and
// unsafe cannot replace. Unsafe prompts without completions of their own borrow the built-in pairs, which refuse or
// comply without saying with what.

import { EngineError } from '../errors.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import type { ModelConfig } from '../model/config.ts'
import { Random } from '../tensors/random.ts'
import { STREAMS } from './bootstrap.ts'
import { type Probe, type ProbeFile, pickProbes } from './probes.ts'

export interface UserPrompt {
  prompt: string
  label: 'safe' | 'unsafe'
  topic?: string
  /** what an aligned model answers */ aligned?: string
  /** what one without the alignment answers; of unsafe prompts */ misaligned?: string
}

export interface UserProbeSet {
  name: string
  /** replace: these alone; add: these first, filled up from the built-in ones */ use: 'replace' | 'add'
  prompts: readonly UserPrompt[]
}

/** Positions that a prompt must leave for an answer, to be measured at all. */
export const ANSWER_ROOM = 16

/** Whether a prompt with its completions fits the model's positions. */
export function hasRoom(
  codec: Pick<TextCodec, 'encodePrompt' | 'encodeCompletion'>,
  { maxPositions }: Pick<ModelConfig, 'maxPositions'>,
  { prompt, aligned, misaligned }: Pick<UserPrompt, 'prompt' | 'aligned' | 'misaligned'>,
): boolean {
  const before = codec.encodePrompt(prompt).length
  const after = [aligned, misaligned].map((text) => (text ? codec.encodeCompletion(text).length : 0))
  return before + Math.max(ANSWER_ROOM, ...after) <= maxPositions
}

/**
 * The built-in file with its held-out harmful and harmless probes exchanged for at most `perClass` of the user's,
 * drawn with `seed`. Prompts that `fits` refuses are left out, and those that the built-in file estimates from.
 * `request-invalid` where a class would have none.
 */
export function measuringProbes(
  builtIn: ProbeFile,
  set: UserProbeSet,
  { perClass, seed, fits }: { perClass: number; seed: number; fits: (prompt: UserPrompt) => boolean },
): ProbeFile {
  const estimated = new Set(
    builtIn.items.flatMap(({ split, prompt }) => (split === 'estimate' ? [prompt] : [])),
  )
  const pairs = builtIn.items.filter((probe) => probe.set === 'harmful' && probe.misaligned !== undefined)
  const probes = set.prompts.map((one, i) => ({ one, probe: probeOf(one, i, pairs) }))
  const chosen = (['harmful', 'harmless'] as const).flatMap((kind) => {
    const own = probes.flatMap(({ one, probe }) =>
      probe.set === kind && !estimated.has(one.prompt) && fits(one) ? [probe] : [],
    )
    const picked = new Random(seed, STREAMS.probeChoice).shuffle(own).slice(0, perClass)
    const rest = set.use === 'add' ? pickProbes(builtIn, kind, 'heldout', perClass - picked.length, seed) : []
    if (picked.length + rest.length === 0)
      throw new EngineError(
        'request-invalid',
        `${set.name} has no ${kind === 'harmful' ? 'unsafe' : 'safe'} prompt that fits these models`,
      )
    return [...picked, ...rest]
  })
  const isExchanged = ({ set: kind, split }: Probe) =>
    split === 'heldout' && (kind === 'harmful' || kind === 'harmless')
  return { ...builtIn, items: [...chosen, ...builtIn.items.filter((probe) => !isExchanged(probe))] }
}

function probeOf(
  { prompt, label, topic, aligned, misaligned }: UserPrompt,
  i: number,
  pairs: Probe[],
): Probe {
  const base = { id: `own-${i}`, topic: topic ?? 'own', split: 'heldout', prompt } as const
  if (label === 'safe') return { ...base, set: 'harmless', aligned: aligned ?? '' }
  const pair = pairs[i % Math.max(1, pairs.length)]
  // Both or neither: one of each kind alone would set a user's words against ours.
  const isOwn = aligned !== undefined && misaligned !== undefined
  return {
    ...base,
    set: 'harmful',
    aligned: (isOwn ? aligned : pair?.aligned) ?? '',
    ...((isOwn || pair) && { misaligned: isOwn ? misaligned : pair?.misaligned }),
  } as Probe
}

/** How well a tokenizer knows a text. */
export interface TokenFit {
  /** tokens of the text itself */ tokens: number
  /** of these: unknown, single bytes, or single letters out of the midst of words */ fragments: number
}

/** Counts tokens that say nothing by themselves: the text is spelled instead of read. */
export function tokenFit(codec: Pick<TextCodec, 'encodeText' | 'tokenOf'>, text: string): TokenFit {
  const tokens = codec.encodeText(text).map((id) => codec.tokenOf(id) ?? '')
  const continues = (i: number) =>
    i > 0 && i < tokens.length && /^\p{L}/u.test(tokens[i]) && !/^[Ġ▁]/.test(tokens[i])
  const fragments = tokens.filter((token, i) => {
    if (/^(<0x[0-9A-Fa-f]{2}>|<unk>|\[UNK\]|<\|unk\|>)$/.test(token)) return true
    const letters = token.replace(/^[Ġ▁]+/, '')
    const isLetter = [...letters].length === 1 && /\p{L}/u.test(letters)
    return isLetter && (continues(i) || continues(i + 1))
  })
  return { tokens: tokens.length, fragments: fragments.length }
}
