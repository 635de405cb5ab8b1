// The playground without WebGPU: chats and sets of prompts. Probabilities of tokens are not offered.

import { EngineError, throwIfCancelled } from '../../src/core/errors.ts'
import { decodeAnswers, readAnswer } from '../../src/core/evaluate/answers.ts'
import { converse } from '../../src/core/evaluate/converse.ts'
import { classify } from '../../src/core/evaluate/scorer.ts'
import { hasRoom, tokenFit } from '../../src/core/evaluate/userProbes.ts'
import { originKey } from '../../src/share/experimentKey.ts'
import { promptSetDigest } from '../../src/share/promptSet.ts'
import type { ChatAnswer, ChatRequest, PlayApi, PromptRun } from '../api/play.ts'
import type { Experiment, Subject } from '../api.ts'
import type { Job } from '../jobs.ts'
import { CPU_BACKEND, type CpuContext } from './context.ts'

/** Prompts that are answered before the page hears of them. */
const PROMPTS_AT_ONCE = 16
/** Prompts that are read between two looks at the cancel button. */
const INSPECTED_AT_ONCE = 200

export function cpuPlayWing(context: CpuContext): Omit<PlayApi, 'tokenProbabilities'> {
  const { queue } = context
  const anchorOf = (experiment: Experiment) => context.current().session.get(originKey(experiment.anchor))

  async function chat(job: Job, experiment: Experiment, request: ChatRequest): Promise<ChatAnswer[]> {
    assertOneMerge(request.columns.map(({ subject }) => subject))
    const { codec, checkpoint } = anchorOf(experiment)
    const { chatId, columns, sampling, maxNewTokens } = request
    const prompts = columns.map(({ turns }) => codec.encodeChat(turns))
    const speakers = columns.map(({ subject }, c) => ({
      prompt: prompts[c],
      open: () => context.subjectModel(experiment, subject, context.optionsOf(job)),
    }))
    const spoken = await converse(speakers, {
      ...{ sampling, maxNewTokens, endTokens: codec.endTokens, signal: job.signal },
      onToken: (column, ids) => {
        // Half a letter of several bytes is none yet.
        const text = readAnswer(codec, ids).text.replace(/\uFFFD+$/, '')
        void context.emit({ kind: 'said', chatId, column, text, tokens: ids.length })
      },
    })
    return spoken.map(({ ids, durationMs, failure }, c): ChatAnswer => {
      const decoded = readAnswer(codec, ids)
      return {
        subject: columns[c].subject,
        ...{ text: decoded.text, ids, isEnded: decoded.isEnded, durationMs, backend: CPU_BACKEND },
        verdict: classify(decoded, context.current().session.probes),
        promptTokens: prompts[c].length,
        maxPositions: checkpoint.config.maxPositions,
        ...(failure && {
          failure: { code: failure.code, message: failure.message, where: failure.where },
        }),
      }
    })
  }

  async function answerPrompts(job: Job, experiment: Experiment, run: PromptRun): Promise<void> {
    const { codec } = anchorOf(experiment)
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
          verdict: classify(one, context.current().session.probes),
        }))
        // Waited for: when the call has ended, all answers are on the page.
        await context.emit({ kind: 'prompts-answered', runId, subject: s, first, answers })
        job.report('prompts', s * prompts.length + first + part.length, total)
      }
    }
  }

  return {
    chat: (jobId, experiment, request) => queue.run(jobId, (job) => chat(job, experiment, request), true),
    answerPrompts: (jobId, experiment, run) => queue.run(jobId, (job) => answerPrompts(job, experiment, run)),

    inspectPrompts: (jobId, experiment, prompts) =>
      queue.run(
        jobId,
        async (job) => {
          const { codec, checkpoint } = anchorOf(experiment)
          const fits = []
          for (const [i, one] of prompts.entries()) {
            if (i % INSPECTED_AT_ONCE === 0) {
              job.report('reading prompts', i, prompts.length)
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

/** There is one place for merges: a second would be written over the first. */
function assertOneMerge(subjects: readonly Subject[]): void {
  if (subjects.filter(({ kind }) => kind === 'merge').length > 1)
    throw new EngineError('request-invalid', 'only one merge can be asked at a time')
}
