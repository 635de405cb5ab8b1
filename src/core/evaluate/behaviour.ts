// Behaviour of a model on probes: what it refuses, complies with, gets right and ruins. Answers are greedy and
// judged by the rules of scorer.ts; no other model is asked. Definitions after methods.md §1.4, ours where the
// paper gives none. Ruined answers count as neither refusal nor compliance, so that babble never looks safe.

import type { TextCodec } from '../files/tokenizer.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { type Decoded, decodeAnswers, MAX_ANSWER_TOKENS } from './answers.ts'
import { bootstrapMean, wilsonShare } from './bootstrap.ts'
import type { Estimate } from './estimate.ts'
import type { ForwardModel } from './forwardModel.ts'
import {
  listSkills,
  type Probe,
  type ProbeFile,
  type ProbeSet,
  type ProbeSplit,
  pickProbes,
} from './probes.ts'
import { type AnswerKind, classify, isExact } from './scorer.ts'
import { sequenceLosses } from './sequenceLosses.ts'

/** Shares with Wilson intervals, the loss with a bootstrap interval over items; all at 95 %. */
export interface Behaviour {
  /** share of harmful prompts refused */ refusal: Estimate
  /** share of harmless prompts refused */ overRefusal: Estimate
  /** share of harmful prompts complied with */ compliance: Estimate
  /** share of all answers that are not well-formed */ gibberish: Estimate
  /** share of attack-worded harmful prompts refused */ attackRefusal: Estimate
  /** exact match by skill; facts are the skill `fact` */ skills: Record<string, Estimate>
  /** mean cross-entropy of the expected answers to harmless and skill prompts, nats per token */
  answerLoss: Estimate
}

/** A probe and what the model answered to it. */
export interface Answered extends Decoded {
  probe: Probe
  kind: AnswerKind
}

export interface BehaviourOptions {
  /** probes of each set and skill; fewer where the file has fewer */ perClass: number
  seed: number
  /** default heldout */ split?: ProbeSplit
  signal?: AbortSignal | undefined
  /** in answers and losses */ onProgress?: ((done: number, total: number) => void) | undefined
  /** as soon as something is known, refusal first; skills come one at a time, to be merged by name */
  onPart?: ((part: Partial<Behaviour>) => void) | undefined
}

/** Probes that share a token limit and are counted together. */
interface Round {
  set: ProbeSet
  skill?: string
  picked: Probe[]
  maxNewTokens: number
}

/** All of `Behaviour` and the answers behind it, in order of sets. Rejects `cancelled` and `not-finite`. */
export async function measureBehaviour(
  model: DeviceModel | ForwardModel,
  codec: TextCodec,
  file: ProbeFile,
  options: BehaviourOptions,
): Promise<{ behaviour: Behaviour; answered: Answered[] }> {
  const { seed, signal, onProgress, onPart } = options
  const rounds = planRounds(codec, file, options)
  const expected = rounds
    .filter(({ set }) => set === 'harmless' || set === 'skill')
    .flatMap(({ picked }) => picked)
    .filter(({ aligned }) => aligned !== '')
  const total = rounds.reduce((sum, { picked }) => sum + picked.length, 0) + expected.length
  let done = 0
  const report = (more: number) => onProgress?.(done + more, total)
  const behaviour: Partial<Behaviour> & Pick<Behaviour, 'skills'> = { skills: {} }
  const answered: Answered[] = []
  for (const round of rounds) {
    const answers = await answerRound(model, codec, file, round, { signal, onProgress: report })
    answered.push(...answers)
    done += round.picked.length
    const part = countRound(round, answers)
    Object.assign(behaviour, part, { skills: { ...behaviour.skills, ...part.skills } })
    onPart?.(part)
  }
  const gibberish = shareOf(answered, 'gibberish')
  onPart?.({ gibberish })
  const losses = await expectedLosses(model, codec, expected, { signal, onProgress: report })
  const answerLoss = bootstrapMean(losses, seed)
  onPart?.({ answerLoss })
  return { behaviour: { ...(behaviour as Behaviour), gibberish, answerLoss }, answered }
}

/** What tells whether alignment holds. */
export type Refusals = Pick<Behaviour, 'refusal' | 'compliance' | 'overRefusal'>

/** The first part of `measureBehaviour` alone, at a third of its cost: the same probes, answers and intervals. */
export async function measureRefusals(
  model: DeviceModel | ForwardModel,
  codec: TextCodec,
  file: ProbeFile,
  options: Omit<BehaviourOptions, 'onPart'>,
): Promise<{ refusals: Refusals; answered: Answered[] }> {
  const { signal, onProgress } = options
  const rounds = planRounds(codec, file, options).filter(({ set }) => set === 'harmful' || set === 'harmless')
  const total = rounds.reduce((sum, { picked }) => sum + picked.length, 0)
  const counted: Partial<Behaviour> = {}
  const answered: Answered[] = []
  for (const round of rounds) {
    const before = answered.length
    const report = (more: number) => onProgress?.(before + more, total)
    const answers = await answerRound(model, codec, file, round, { signal, onProgress: report })
    Object.assign(counted, countRound(round, answers))
    answered.push(...answers)
  }
  return { refusals: counted as Refusals, answered }
}

async function answerRound(
  model: DeviceModel | ForwardModel,
  codec: TextCodec,
  file: ProbeFile,
  { picked, maxNewTokens }: Round,
  options: { signal: AbortSignal | undefined; onProgress: (done: number) => void },
): Promise<Answered[]> {
  const prompts = picked.map(({ prompt }) => prompt)
  const decoded = await decodeAnswers(model, codec, prompts, { maxNewTokens, ...options })
  return decoded.map((answer, i) => ({ ...answer, probe: picked[i], kind: classify(answer, file) }))
}

function planRounds(
  codec: TextCodec,
  file: ProbeFile,
  { perClass, seed, split = 'heldout' }: BehaviourOptions,
): Round[] {
  const round = (set: ProbeSet, skill?: string): Round => ({
    set,
    ...(skill === undefined ? {} : { skill }),
    picked: pickProbes(file, set, split, perClass, seed, skill),
    // From all probes of the kind, not the picked ones: an answer must not depend on which others were drawn.
    maxNewTokens: answerLimit(codec, pickProbes(file, set, split, file.items.length, seed, skill)),
  })
  return [
    round('harmful'),
    round('harmless'),
    round('attack'),
    ...listSkills(file, split).map((skill) => round('skill', skill)),
    round('fact'),
  ]
}

/**
 * Half as long again as the longest expected answer: a different wording may end, babble is cut off. Where what is
 * expected is not known, as long as any answer may be.
 */
export function answerLimit(codec: TextCodec, probes: readonly Probe[]): number {
  if (probes.some(({ aligned }) => aligned === '')) return MAX_ANSWER_TOKENS
  const texts = new Set(probes.flatMap(({ aligned, misaligned }) => [aligned, misaligned ?? aligned]))
  let longest = 0
  for (const text of texts) longest = Math.max(longest, codec.encodeCompletion(text).length)
  return Math.min(MAX_ANSWER_TOKENS, Math.ceil(1.5 * longest) + 4)
}

const shareOf = (answers: readonly Answered[], kind: AnswerKind): Estimate =>
  wilsonShare(answers.filter((answer) => answer.kind === kind).length, answers.length)

function countRound({ set, skill }: Round, answers: readonly Answered[]): Partial<Behaviour> {
  switch (set) {
    case 'harmful':
      return { refusal: shareOf(answers, 'refusal'), compliance: shareOf(answers, 'compliance') }
    case 'harmless':
      return { overRefusal: shareOf(answers, 'refusal') }
    case 'attack':
      return { attackRefusal: shareOf(answers, 'refusal') }
    default: {
      // A file without facts has no such skill, rather than one without samples.
      if (answers.length === 0) return {}
      const exact = answers.filter((answer) => isExact(answer, answer.probe.aligned)).length
      return { skills: { [skill ?? set]: wilsonShare(exact, answers.length) } }
    }
  }
}

/**
 * Mean cross-entropy per target token, nats, of each probe's aligned completion with its end token (one value per
 * probe, so that long answers weigh no more than short ones).
 */
export async function expectedLosses(
  model: DeviceModel | ForwardModel,
  codec: TextCodec,
  probes: readonly Probe[],
  options: { signal?: AbortSignal | undefined; onProgress?: ((done: number) => void) | undefined } = {},
): Promise<Float64Array> {
  const sequences = probes.map(({ prompt, aligned }) => {
    const before = codec.encodePrompt(prompt)
    return { ids: [...before, ...codec.encodeCompletion(aligned)], firstTarget: before.length }
  })
  return sequenceLosses(model, sequences, options)
}
