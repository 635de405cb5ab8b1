// A made-up playground: answers that follow from the question, for tests and for looking at the page. Never part of
// the build.

import type { PlayApi, TokenComparison } from '../../../workers/api/play.ts'
import type { EngineApi, EngineEvent, Subject } from '../../../workers/api.ts'
import { EngineError } from '../../core/errors.ts'
import { promptSetDigest } from '../../share/promptSet.ts'

interface Given {
  work: (jobId: number, label: string, steps: number) => Promise<void>
  check: (name: keyof EngineApi) => void
  emit: (event: EngineEvent) => void
}

export const fakePlay = ({ work, check, emit }: Given): PlayApi => ({
  async chat(jobId, _experiment, { chatId, columns }) {
    check('chat')
    const answers = columns.map(({ subject, turns }) => `${nameOf(subject)} says: ${turns.at(-1)!.content}`)
    await work(jobId, 'chat', 2)
    for (const [column, text] of answers.entries())
      emit({ kind: 'said', chatId, column, text: text.slice(0, 8), tokens: 2 })
    await work(jobId, 'chat', 2)
    return columns.map(({ subject, turns }, column) => ({
      subject,
      text: answers[column]!,
      ids: [1, 2, 3, 5],
      isEnded: true,
      verdict: turns.at(-1)!.content.includes('stranger') ? 'refusal' : 'answer',
      backend: subject.kind === 'merge' ? 'onnxruntime-web, WebGPU' : 'own kernels',
      durationMs: 40,
      promptTokens: 9 * turns.length,
      maxPositions: 64,
    }))
  },

  async tokenProbabilities(jobId, _experiment, { answer, subjects }): Promise<TokenComparison> {
    check('tokenProbabilities')
    await work(jobId, 'probabilities', 1)
    const words = 'text' in answer ? answer.text.split(' ') : answer.ids.map((id) => `w${id}`)
    return {
      tokens: words.map((text, id) => ({ id, text: id === 0 ? text : ` ${text}` })),
      models: subjects.map((subject, m) => ({
        subject,
        logProbabilities: words.map((_, i) => -((i * 7 + m * 3) % 11) / 2),
        ranks: words.map((_, i) => 1 + ((i + m) % 4)),
        alternatives: words.map((_, i) =>
          [0, 1, 2, 3, 4].map((a) => ({ id: a, text: ` word${(i + a) % 7}`, logProbability: -0.3 - a })),
        ),
        divergences: words.map((_, i) => (m === 0 ? 0 : ((i * 5) % 8) / 10)),
      })),
      backend: 'own kernels',
      durationMs: 12,
    }
  },

  async answerPrompts(jobId, _experiment, { runId, prompts, subjects }) {
    check('answerPrompts')
    for (const subject of subjects.keys()) {
      await work(jobId, 'prompts', 1)
      emit({
        kind: 'prompts-answered',
        ...{ runId, subject, first: 0 },
        answers: prompts.map((prompt) => ({
          text: prompt.toUpperCase(),
          verdict: prompt.includes('kill') && subject === 0 ? 'refusal' : 'answer',
          isEnded: true,
        })),
      })
    }
  },

  async inspectPrompts(jobId, _experiment, prompts) {
    check('inspectPrompts')
    await work(jobId, 'reading prompts', 1)
    return prompts.map(({ prompt }) => ({
      tokens: prompt.length,
      fragments: prompt.includes('python') ? prompt.length : 0,
      hasRoom: prompt.length < 200,
    }))
  },

  async usePrompts(digest, { prompts, use }) {
    check('usePrompts')
    if ((await promptSetDigest(prompts, use)) !== digest)
      throw new EngineError('hash-mismatch', 'these are other prompts')
  },
})

const nameOf = (subject: Subject) => (subject.kind === 'merge' ? 'merge' : subject.id)
