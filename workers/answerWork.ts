// One prompt to anchor, experts and merge, whoever computes.

import { answerPrompt } from '../src/core/evaluate/answers.ts'
import type { ProbeFile } from '../src/core/evaluate/probes.ts'
import type { TextCodec } from '../src/core/files/tokenizer.ts'
import { setupOf } from '../src/share/setup.ts'
import type { Answer, Experiment, Subject } from './api.ts'
import type { Job } from './jobs.ts'
import type { RunningModel, SharedContext } from './sharedContext.ts'

export interface Question {
  prompt: string
  codec: TextCodec
  probes: ProbeFile
}

/** The answer of what runs a subject; `backend` says to people what that is. */
export async function answerThrough(
  model: RunningModel,
  backend: string,
  subject: Subject,
  { prompt, codec, probes }: Question,
  job: Job,
): Promise<Answer> {
  const label = subject.kind === 'model' ? subject.id : 'merge'
  const [{ text, verdict, durationMs }] = await answerPrompt([{ label, model }], codec, prompt, probes, {
    signal: job.signal,
  })
  return { subject, label, text, verdict, durationMs, backend }
}

/** Each subject's answer, one after another: there is one place for merges. */
export async function answerAll<Model extends RunningModel>(
  context: SharedContext<Model>,
  job: Job,
  experiment: Experiment,
  prompt: string,
  answer: (model: Model, subject: Subject, question: Question) => Promise<Answer>,
): Promise<Answer[]> {
  const { session } = context.current()
  const setup = setupOf(experiment)
  const { codec } = session.get(setup.anchor)
  const models = [setup.anchor, ...setup.experts.map(({ id }) => id)]
  const subjects: Subject[] = [
    ...models.map((id): Subject => ({ kind: 'model', id })),
    { kind: 'merge', lambdaAlign: experiment.lambdaAlign },
  ]
  const question = { prompt, codec, probes: session.probes }
  const answers: Answer[] = []
  for (const subject of subjects) {
    const model = await context.subjectModel(experiment, subject, context.optionsOf(job))
    answers.push(await answer(model, subject, question))
  }
  return answers
}
