// The playground's part of the engine: chats, probabilities of tokens, and sets of prompts.

import { EngineError } from '../../src/core/errors.ts'
import { scoreTokens } from '../../src/core/evaluate/tokenProbabilities.ts'
import type { TextCodec } from '../../src/core/files/tokenizer.ts'
import type { DeviceModel } from '../../src/core/model/deviceModel.ts'
import { originKey } from '../../src/share/experimentKey.ts'
import { leavesOwnKernels, OTHER_RUNTIME, OWN_KERNELS } from '../answering.ts'
import type { ChatRequest, PlayApi, TokenComparison, TokenRequest } from '../api/play.ts'
import type { Experiment } from '../api.ts'
import { assertOneMerge, type Cast, chatWork } from '../chatWork.ts'
import type { Job } from '../jobs.ts'
import { promptWork } from '../promptWork.ts'
import type { EngineContext } from './context.ts'

const PROMPTS_AT_ONCE = 32

export const playWing = (context: EngineContext): PlayApi => {
  const { queue, answering } = context

  /** Models speak through our own kernels, the merge through the other runtime where that can be had. */
  function castOf(job: Job, experiment: Experiment, { columns }: ChatRequest): Cast {
    const { session, gpu } = context.current()
    const { model: anchor } = session.get(originKey(experiment.anchor))
    const backends = columns.map(() => OWN_KERNELS)
    const voices = columns.map(({ subject }, c): Cast['voices'][number] => {
      let own: DeviceModel | undefined
      return {
        async open() {
          own = await context.subjectModel(experiment, subject, context.optionsOf(job))
          if (subject.kind === 'model') return own
          const other = await answering.runtime(gpu, own)
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
    const all = columns.map((_, c) => c)
    const isLate = (c: number) => columns[c].subject.kind === 'merge' && !answering.isOpenFor(gpu, anchor)
    // Nobody waits in the midst of a sentence for a runtime that is being opened.
    return { voices, groups: [all.filter((c) => !isLate(c)), all.filter(isLate)], backends }
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

  return {
    ...chatWork(context, castOf),
    ...promptWork(context, PROMPTS_AT_ONCE),

    tokenProbabilities: (jobId, experiment, request) =>
      queue.run(jobId, (job) => compareTokens(job, experiment, request), true),
  }
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
