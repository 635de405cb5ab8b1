// Pairs that weights are chosen by, made by the models themselves (arXiv 2406.14563, section 3.2):
// - safety: harmful questions written by a model without the alignment, refused by the anchor;
// - task: questions of each expert's kind, written and answered by the expert.
// Judged by the rules of scorer.ts instead of a guard model; duplicates and whatever is near a held-out probe are
// dropped, and every drop is counted. Openings come from estimating probes alone.

import { EngineError, throwIfCancelled } from '../errors.ts'
import { decodeAnswers } from '../evaluate/answers.ts'
import { type ProbeSet, pickProbes } from '../evaluate/probes.ts'
import { type AnswerKind, classify } from '../evaluate/scorer.ts'
import { sequenceLosses } from '../evaluate/sequenceLosses.ts'
import type { Session, SessionModel, Setup } from '../session/session.ts'
import { HeldOutRuns, wordsOf } from './heldOutRuns.ts'
import { type Pair, pairSequence } from './pairs.ts'
import { writeQuestions } from './writeQuestions.ts'

export interface PairOptions {
  /** pairs of safety, and of each expert [24] */ perKind?: number
  /** id of the model that writes harmful questions [the anchor]; they count only where it complies */
  writer?: string | undefined
  seed: number
  /** of the writing [2: at 1 the likeliest words crowd out the rest] */ temperature?: number
  /** see writeQuestions.ts [seen] */ support?: 'seen' | 'any'
  signal?: AbortSignal | undefined
  onProgress?: ((label: string, done: number, total: number) => void) | undefined
}

export const DROPS = ['unfinished', 'duplicate', 'held out', 'wrong kind', 'ill-formed', 'unsure'] as const
/**
 * unfinished: the turn was not closed; wrong kind: a harmful question that the anchor answers or its writer refuses,
 * a harmless one that is refused or that expert and anchor answer differently; ill-formed: an answer that is no
 * answer, or a question that says a word twice where no estimating one does; unsure: an answer that its own model
 * finds less likely than `MAX_LOSS`
 */
export type Drop = (typeof DROPS)[number]

/** What became of the questions of one source. */
export interface SourceReport {
  kind: Pair['kind']
  /** model that wrote the questions, and that answered */ writer: string
  by: string
  /** e.g. "harmful requests", "sort" */ what: string
  wanted: number
  written: number
  dropped: Record<Drop, number>
  kept: number
}

export type PairReport = SourceReport[]

/** Questions written before a source gives up, for each that is wanted. */
const MAX_TRIES = 48
const PER_ROUND = 64
/** Mean cross-entropy of a greedy answer above which its model only guesses, nats per token. Ours. */
const MAX_LOSS = 0.1

interface Source {
  kind: Pair['kind']
  what: string
  set: ProbeSet
  skill?: string
  writer: SessionModel
  by: SessionModel
  wanted: number
}

/**
 * Pairs of safety and of each expert. An expert's pairs are of the skill that is its purpose, and as many
 * harmless requests; of an expert without a skill, harmless requests alone. `request-invalid` where the
 * probe file has no openings, or no pair of a kind was kept.
 */
export async function generatePairs(
  session: Session,
  anchor: string,
  experts: Setup['experts'],
  options: PairOptions,
): Promise<{ pairs: Pair[]; report: PairReport }> {
  const { perKind = 24, signal, onProgress } = options
  const own = session.get(anchor)
  const sources: Source[] = [
    {
      kind: 'safety',
      what: 'harmful requests',
      set: 'harmful',
      writer: session.get(options.writer ?? anchor),
      by: own,
      wanted: perKind,
    },
  ]
  for (const { id, purpose } of experts) {
    throwIfCancelled(signal)
    const expert = session.get(id)
    const known = purpose ?? (await session.material.purposeOf(id, anchor, options.seed, { signal }))
    const skill = known.startsWith('skill:') ? known.slice('skill:'.length) : undefined
    const task = { kind: 'task' as const, writer: expert, by: expert }
    const half = Math.ceil(perKind / 2)
    if (skill !== undefined) sources.push({ ...task, what: skill, set: 'skill', skill, wanted: half })
    const rest = skill === undefined ? perKind : perKind - half
    if (rest > 0) sources.push({ ...task, what: 'harmless requests', set: 'harmless', wanted: rest })
  }
  const heldOut = new HeldOutRuns(session.probes)
  const seen = new Set<string>()
  const pairs: Pair[] = []
  const report: PairReport = []
  for (const [index, source] of sources.entries()) {
    onProgress?.('pairs', index, sources.length)
    const made = await fill(session, own, source, index, { heldOut, seen }, options)
    pairs.push(...made.pairs)
    report.push(made.report)
  }
  onProgress?.('pairs', sources.length, sources.length)
  for (const kind of ['safety', 'task'] as const)
    if (!pairs.some((pair) => pair.kind === kind))
      throw new EngineError(
        'request-invalid',
        `no ${kind} pair was kept of ${report.filter((one) => one.kind === kind).reduce((sum, one) => sum + one.written, 0)} questions written`,
      )
  return { pairs, report }
}

async function fill(
  { probes }: Session,
  anchor: SessionModel,
  source: Source,
  index: number,
  { heldOut, seen }: { heldOut: HeldOutRuns; seen: Set<string> },
  options: PairOptions,
): Promise<{ pairs: Pair[]; report: SourceReport }> {
  const { kind, what, set, skill, writer, by, wanted } = source
  const { temperature = 2, support = 'seen', signal, seed } = options
  const estimating = pickProbes(probes, set, 'estimate', probes.items.length, seed, skill)
  if (estimating.length === 0)
    throw new EngineError('request-invalid', `the probe file has no estimating probes to write ${what} after`)
  const { codec } = anchor
  const longest = Math.max(...estimating.map(({ aligned }) => codec.encodeCompletion(aligned).length))
  const answerAll = async ({ model }: SessionModel, prompts: string[]): Promise<Judged[]> => {
    const maxNewTokens = Math.ceil(1.5 * longest) + 4
    const answers = await decodeAnswers(model, codec, prompts, { maxNewTokens, signal })
    return answers.map((answer) => ({ text: answer.text, verdict: classify(answer, probes) }))
  }
  const dropped: Record<Drop, number> = {
    unfinished: 0,
    duplicate: 0,
    'held out': 0,
    'wrong kind': 0,
    'ill-formed': 0,
    unsure: 0,
  }
  const mayRepeat = estimating.some(({ prompt }) => hasRepeat(prompt))
  const report: SourceReport = {
    kind,
    writer: writer.id,
    by: by.id,
    what,
    wanted,
    written: 0,
    dropped,
    kept: 0,
  }
  const pairs: Pair[] = []
  for (let round = 0; pairs.length < wanted && report.written < MAX_TRIES * wanted; round++) {
    const written = await writeQuestions(
      writer.model,
      codec,
      estimating.map(({ prompt }) => prompt),
      { count: PER_ROUND, seed: seed * 1000 + index * 100 + round, temperature, support, signal },
    )
    report.written += written.length
    const fresh = written.filter((question): question is string => {
      const key = wordsOf(question ?? '').join(' ')
      const fault: Drop | undefined =
        question === undefined || key === ''
          ? 'unfinished'
          : seen.has(key)
            ? 'duplicate'
            : heldOut.has(question)
              ? 'held out'
              : !mayRepeat && hasRepeat(question)
                ? 'ill-formed'
                : undefined
      if (fault) dropped[fault]++
      else seen.add(key)
      return fault === undefined
    })
    const own = await answerAll(by, fresh)
    const other = await answerAll(set === 'harmful' ? writer : anchor, fresh)
    const made = fresh.map((prompt, i): Pair => ({ kind, prompt, answer: own[i].text.trim(), by: by.id }))
    const losses = await sequenceLosses(
      by.model,
      made.map((pair) => pairSequence(codec, pair)),
      { signal },
    )
    for (const [i, pair] of made.entries()) {
      const fault =
        faultOf(set, own[i], other[i], writer === anchor) ?? (losses[i] > MAX_LOSS ? 'unsure' : undefined)
      if (fault) dropped[fault]++
      else if (pairs.length < wanted) pairs.push(pair)
      else report.written--
    }
  }
  report.kept = pairs.length
  return { pairs, report }
}

const hasRepeat = (question: string) => {
  const words = wordsOf(question)
  return new Set(words).size < words.length
}

/** An answer and what kind of answer it is. */
interface Judged {
  text: string
  verdict: AnswerKind
}

/**
 * Why a question is not used. Of a harmful one `own` is the anchor's answer, `other` the writer's; otherwise `own` is
 * the expert's and `other` the anchor's.
 */
export function faultOf(set: ProbeSet, own: Judged, other: Judged, isOwnWriter: boolean): Drop | undefined {
  if (own.verdict === 'gibberish') return 'ill-formed'
  if (set === 'harmful')
    return own.verdict === 'refusal' && (isOwnWriter || other.verdict === 'compliance')
      ? undefined
      : 'wrong kind'
  if (own.verdict === 'refusal') return 'wrong kind'
  // Help that the anchor would give too: an expert without alignment may answer harmless requests oddly.
  return set === 'harmless' && own.text !== other.text ? 'wrong kind' : undefined
}
