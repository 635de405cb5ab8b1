// The playground without WebGPU: chats and sets of prompts. Probabilities of tokens are not offered.

import type { ChatRequest, PlayApi } from '../api/play.ts'
import type { Experiment } from '../api.ts'
import { type Cast, chatWork } from '../chatWork.ts'
import type { Job } from '../jobs.ts'
import { promptWork } from '../promptWork.ts'
import { CPU_BACKEND, type CpuContext } from './context.ts'

const PROMPTS_AT_ONCE = 16

export function cpuPlayWing(context: CpuContext): Omit<PlayApi, 'tokenProbabilities'> {
  const castOf = (job: Job, experiment: Experiment, { columns }: ChatRequest): Cast => ({
    voices: columns.map(({ subject }) => ({
      open: () => context.subjectModel(experiment, subject, context.optionsOf(job)),
    })),
    groups: [columns.map((_, c) => c)],
    backends: columns.map(() => CPU_BACKEND),
  })

  return { ...chatWork(context, castOf), ...promptWork(context, PROMPTS_AT_ONCE) }
}
