// A chat of the playground, whoever computes: what each column reads, its words as they come, and the answers.

import { EngineError } from '../src/core/errors.ts'
import { readAnswer } from '../src/core/evaluate/answers.ts'
import { converse, type Speaker, type Spoken } from '../src/core/evaluate/converse.ts'
import { classify } from '../src/core/evaluate/scorer.ts'
import { originKey } from '../src/share/experimentKey.ts'
import type { ChatAnswer, ChatRequest, PlayApi } from './api/play.ts'
import type { Experiment, Subject } from './api.ts'
import type { Job } from './jobs.ts'
import type { RunningModel, SharedContext } from './sharedContext.ts'

/** How an engine lets the columns of a chat speak. */
export interface Cast {
  /** of each column */ voices: readonly Omit<Speaker, 'prompt'>[]
  /** columns that speak side by side, one group after another */ groups: readonly (readonly number[])[]
  /** what computed each column, for people; read when all have spoken */ backends: readonly string[]
}

/** One question to several subjects, of which each column has its own chat. */
export function chatWork<Model extends RunningModel>(
  context: SharedContext<Model>,
  castOf: (job: Job, experiment: Experiment, request: ChatRequest) => Cast,
): Pick<PlayApi, 'chat'> {
  const chat = async (job: Job, experiment: Experiment, request: ChatRequest): Promise<ChatAnswer[]> => {
    const { chatId, columns, sampling, maxNewTokens } = request
    assertOneMerge(columns.map(({ subject }) => subject))
    const { session } = context.current()
    const { codec, checkpoint } = session.get(originKey(experiment.anchor))
    const prompts = columns.map(({ turns }) => codec.encodeChat(turns))
    const { voices, groups, backends } = castOf(job, experiment, request)
    const spoken: Spoken[] = []
    for (const group of groups) {
      const speakers = group.map((column): Speaker => ({ prompt: prompts[column], ...voices[column] }))
      const said = await converse(speakers, {
        ...{ sampling, maxNewTokens, endTokens: codec.endTokens, signal: job.signal },
        onToken: (s, ids) => {
          // Half a letter of several bytes is none yet.
          const text = readAnswer(codec, ids).text.replace(/\uFFFD+$/, '')
          void context.emit({ kind: 'said', chatId, column: group[s], text, tokens: ids.length })
        },
      })
      for (const [s, column] of group.entries()) spoken[column] = said[s]
    }
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

  return {
    chat: (jobId, experiment, request) =>
      context.queue.run(jobId, (job) => chat(job, experiment, request), true),
  }
}

/** There is one place for merges: a second would be written over the first. */
export function assertOneMerge(subjects: readonly Subject[]): void {
  if (subjects.filter(({ kind }) => kind === 'merge').length > 1)
    throw new EngineError('request-invalid', 'only one merge can be asked at a time')
}
