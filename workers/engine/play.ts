// The playground's part of the engine: chats, probabilities of tokens, and sets of prompts.

import { EngineError, throwIfCancelled } from '../../src/core/errors.ts'
import { decodeAnswers, readAnswer } from '../../src/core/evaluate/answers.ts'
import { converse, type Speaker } from '../../src/core/evaluate/converse.ts'
import { classify } from '../../src/core/evaluate/scorer.ts'
import { scoreTokens } from '../../src/core/evaluate/tokenProbabilities.ts'
import { hasRoom, tokenFit } from '../../src/core/evaluate/userProbes.ts'
import type { TextCodec } from '../../src/core/files/tokenizer.ts'
import type { DeviceModel } from '../../src/core/model/deviceModel.ts'
import { originKey } from '../../src/share/experimentKey.ts'
import { promptSetDigest } from '../../src/share/promptSet.ts'
import { leavesOwnKernels, OTHER_RUNTIME, OWN_KERNELS } from '../answering.ts'
import type {
  ChatAnswer,
  ChatRequest,
  PlayApi,
  PromptRun,
  TokenComparison,
  TokenRequest,
} from '../api/play.ts'
import type { Experiment, Subject } from '../api.ts'
import type { Job } from '../jobs.ts'
import type { EngineContext } from './context.ts'

/** Prompts that are answered before the page hears of them. */
const PROMPTS_AT_ONCE = 32
/** Prompts that are read between two looks at the cancel button. */
const INSPECTED_AT_ONCE = 200

export const playWing = (context: EngineContext): PlayApi => {
  const { queue } = context

  async function chat(job: Job, experiment: Experiment, request: ChatRequest): Promise<ChatAnswer[]> {
    assertOneMerge(request.columns.map(({ subject }) => subject))
    const { session, gpu } = context.current()
    const { codec, checkpoint, model: anchor } = session.get(originKey(experiment.anchor))
    const { chatId, columns, sampling, maxNewTokens } = request
    const backends = columns.map(() => OWN_KERNELS)
    const prompts = columns.map(({ turns }) => codec.encodeChat(turns))
    const speakers = columns.map(({ subject }, c): Speaker => {
      let own: DeviceModel | undefined
      return {
        prompt: prompts[c],
        async open() {
          own = await context.subjectModel(experiment, subject, context.optionsOf(job))
          if (subject.kind === 'model') return own
          const other = await context.answering.runtime(gpu, own)
          backends[c] = OTHER_RUNTIME
          return other
        },
        instead(error) {
          if (!own || subject.kind === 'model' || !leavesOwnKernels(error)) return undefined
          backends[c] = `${OWN_KERNELS}; ${error.message}`
          return own
        },
      }
    })
    const speak = (order: readonly number[]) =>
      converse(
        order.map((c) => speakers[c]),
        {
          ...{ sampling, maxNewTokens, endTokens: codec.endTokens, signal: job.signal },
          onToken: (s, ids) => {
            const { text } = readAnswer(codec, ids)
            // Half a letter of several bytes is none yet.
            void context.emit({
              kind: 'said',
              ...{ chatId, column: order[s], text: text.replace(/�+$/, ''), tokens: ids.length },
            })
          },
        },
      )
    const all = columns.map((_, c) => c)
    const isLate = (c: number) =>
      columns[c].subject.kind === 'merge' && !context.answering.isOpenFor(gpu, anchor)
    // Nobody waits in the midst of a sentence for a runtime that is being opened.
    const [early, late] = [all.filter((c) => !isLate(c)), all.filter(isLate)]
    const first = await speak(early)
    const second = await speak(late)
    const spoken = all.map((c) => (late.includes(c) ? second[late.indexOf(c)] : first[early.indexOf(c)]))
    return spoken.map(({ ids, durationMs, failure }, c): ChatAnswer => {
      const decoded = readAnswer(codec, ids)
      return {
        subject: columns[c].subject,
        ...{ text: decoded.text, ids, isEnded: decoded.isEnded, durationMs, backend: backends[c] },
        verdict: classify(decoded, session.probes),
        promptTokens: prompts[c].length,
        maxPositions: checkpoint.config.maxPositions,
        ...(failure && {
          failure: { code: failure.code, message: failure.message, where: failure.where },
        }),
      }
    })
  }

  async function compareTokens(
    job: Job,
    experiment: Experiment,
    { turns, answer, subjects }: TokenRequest,
  ): Promise<TokenComparison> {
    const begun = performance.now()
    assertOneMerge(subjects)
    const { codec, checkpoint } = context.current().session.get(originKey(experiment.anchor))
    const before = codec.encodeChat(turns)
    const own = 'ids' in answer ? answer.ids : codec.encodeCompletion(answer.text)
    const { maxPositions } = checkpoint.config
    if (before.length + own.length > maxPositions)
      throw new EngineError(
        'request-invalid',
        `chat and answer have ${before.length + own.length} tokens, the models read ${maxPositions}`,
      )
    const models: DeviceModel[] = []
    for (const subject of subjects)
      models.push(await context.subjectModel(experiment, subject, context.optionsOf(job)))
    const names = subjects.map((subject) => (subject.kind === 'model' ? subject.id : 'merge'))
    const sequence = { ids: [...before, ...own], firstTarget: before.length }
    const scores = await scoreTokens(models, names, sequence, {
      signal: job.signal,
      onProgress: (done, total) => job.report('probabilities', done, total),
    })
    return {
      tokens: tokenTexts(codec, own),
      models: scores.map((score, m) => ({
        subject: subjects[m],
        ...score,
        alternatives: score.alternatives.map((row) =>
          row.map((one) => ({ ...one, text: tokenText(codec, one.id) })),
        ),
      })),
      backend: OWN_KERNELS,
      durationMs: performance.now() - begun,
    }
  }

  async function answerPrompts(job: Job, experiment: Experiment, run: PromptRun): Promise<void> {
    const { session } = context.current()
    const { codec } = session.get(originKey(experiment.anchor))
    const { runId, prompts, subjects, maxNewTokens } = run
    const total = prompts.length * subjects.length
    for (const [s, subject] of subjects.entries()) {
      const model = await context.subjectModel(experiment, subject, context.optionsOf(job))
      for (let first = 0; first < prompts.length; first += PROMPTS_AT_ONCE) {
        throwIfCancelled(job.signal)
        const part = prompts.slice(first, first + PROMPTS_AT_ONCE)
        const decoded = await decodeAnswers(model, codec, part, { maxNewTokens, signal: job.signal })
        const answers = decoded.map((one) => ({
          text: one.text,
          isEnded: one.isEnded,
          verdict: classify(one, session.probes),
        }))
        // Waited for: when the call has ended, all answers are on the page.
        await context.emit({ kind: 'prompts-answered', runId, subject: s, first, answers })
        job.report('prompts', s * prompts.length + first + part.length, total)
      }
    }
  }

  return {
    chat: (jobId, experiment, request) => queue.run(jobId, (job) => chat(job, experiment, request), true),

    tokenProbabilities: (jobId, experiment, request) =>
      queue.run(jobId, (job) => compareTokens(job, experiment, request), true),

    answerPrompts: (jobId, experiment, run) => queue.run(jobId, (job) => answerPrompts(job, experiment, run)),

    inspectPrompts: (jobId, experiment, prompts) =>
      queue.run(
        jobId,
        async (job) => {
          const { codec, checkpoint } = context.current().session.get(originKey(experiment.anchor))
          const fits = []
          for (const [i, one] of prompts.entries()) {
            if (i % INSPECTED_AT_ONCE === 0) {
              job.report('reading prompts', i, prompts.length)
              // A cancel is a message, and messages come between tasks.
              await new Promise((resolve) => setTimeout(resolve))
              throwIfCancelled(job.signal)
            }
            fits.push({ ...tokenFit(codec, one.prompt), hasRoom: hasRoom(codec, checkpoint.config, one) })
          }
          return fits
        },
        true,
      ),

    async usePrompts(digest, set) {
      const found = await promptSetDigest(set.prompts, set.use)
      if (found !== digest)
        throw new EngineError(
          'hash-mismatch',
          `the prompts of ${set.name} have digest ${found.slice(0, 12)}…, expected ${digest.slice(0, 12)}…`,
        )
      context.userProbes.set(digest, set)
    },
  }
}

/** There is one place for merges on the device: a second would be written over the first. */
function assertOneMerge(subjects: readonly Subject[]): void {
  if (subjects.filter(({ kind }) => kind === 'merge').length > 1)
    throw new EngineError('request-invalid', 'only one merge can be asked at a time')
}

/** A single token as text; special ones by their name. */
function tokenText(codec: TextCodec, id: number): string {
  if (id >= codec.vocabSize) return `⟨${id}⟩`
  return codec.decode([id]) || (codec.tokenOf(id) ?? `⟨${id}⟩`)
}

/** What each token adds to the text. Letters of several tokens stand with the last of them. */
function tokenTexts(codec: TextCodec, ids: readonly number[]): { id: number; text: string }[] {
  let before = ''
  return ids.map((id, i) => {
    const known = ids.slice(0, i + 1).filter((one) => one < codec.vocabSize)
    const after = codec.decode(known).replace(/�+$/, '')
    const added = after.startsWith(before) ? after.slice(before.length) : ''
    before = after
    return { id, text: added || tokenText(codec, id) }
  })
}
