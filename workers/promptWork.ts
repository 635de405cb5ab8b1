// Sets of prompts of one's own: how they fit, what subjects answer to them, and which may be measured on.

import { EngineError, throwIfCancelled } from '../src/core/errors.ts'
import { decodeAnswers } from '../src/core/evaluate/answers.ts'
import { classify } from '../src/core/evaluate/scorer.ts'
import { hasRoom, tokenFit } from '../src/core/evaluate/userProbes.ts'
import { originKey } from '../src/share/experimentKey.ts'
import { promptSetDigest } from '../src/share/promptSet.ts'
import type { PlayApi, PromptFit, PromptRun } from './api/play.ts'
import type { Experiment } from './api.ts'
import type { Job } from './jobs.ts'
import type { RunningModel, SharedContext } from './sharedContext.ts'

/** Prompts that are read between two looks at the cancel button. */
const INSPECTED_AT_ONCE = 200

/** `promptsAtOnce`: so many are answered before the page hears of them. */
export function promptWork<Model extends RunningModel>(
  context: SharedContext<Model>,
  promptsAtOnce: number,
): Pick<PlayApi, 'answerPrompts' | 'inspectPrompts' | 'usePrompts'> {
  const { queue } = context

  async function answerPrompts(job: Job, experiment: Experiment, run: PromptRun): Promise<void> {
    const { session } = context.current()
    const { codec } = session.get(originKey(experiment.anchor))
    const { runId, prompts, subjects, maxNewTokens } = run
    const total = prompts.length * subjects.length
    for (const [s, subject] of subjects.entries()) {
      const model = await context.subjectModel(experiment, subject, context.optionsOf(job))
      for (let first = 0; first < prompts.length; first += promptsAtOnce) {
        throwIfCancelled(job.signal)
        const part = prompts.slice(first, first + promptsAtOnce)
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

  async function inspectPrompts(
    job: Job,
    experiment: Experiment,
    prompts: Parameters<PlayApi['inspectPrompts']>[2],
  ): Promise<PromptFit[]> {
    const { codec, checkpoint } = context.current().session.get(originKey(experiment.anchor))
    const fits: PromptFit[] = []
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
  }

  return {
    answerPrompts: (jobId, experiment, run) => queue.run(jobId, (job) => answerPrompts(job, experiment, run)),

    inspectPrompts: (jobId, experiment, prompts) =>
      queue.run(jobId, (job) => inspectPrompts(job, experiment, prompts), true),

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
