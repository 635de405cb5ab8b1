// What is measured of a model or a merge, who scores it, and what it answers.

import { measurementKey, originKey, subjectKey } from '../../src/share/experimentKey.ts'
import type { Answer, EngineApi, Experiment, MeasurablePart, MeasuredPart, Subject } from '../api.ts'
import type { Job } from '../jobs.ts'
import { LabellerSlot } from '../labeller.ts'
import { viewPart } from '../measuredPart.ts'
import { opinionOf } from '../opinion.ts'
import { brokenBy, runSelfTest } from '../selfTest.ts'
import { type EngineContext, setupOf } from './context.ts'

type MeasuringApi = Pick<EngineApi, 'measure' | 'setLabeller' | 'answer' | 'selfTest' | 'secondOpinion'>

export function measuringWing(context: EngineContext): MeasuringApi {
  const { queue, answering } = context
  const labeller = new LabellerSlot()
  context.onClose(() => labeller.clear())

  async function measurePart(
    job: Job,
    experiment: Experiment,
    subject: Subject,
    part: MeasurablePart,
  ): Promise<void> {
    const { measures } = context.current()
    const options = context.optionsOf(job)
    const setup = setupOf(experiment)
    const key = measurementKey(experiment, subject)
    const id = `${key}/${subjectKey(subject)}`
    const begun = performance.now()
    const send = (found: Omit<MeasuredPart, 'key' | 'subject' | 'durationMs'>) =>
      context.emit({
        kind: 'measured',
        part: { key, subject, durationMs: performance.now() - begun, ...found },
      })
    if (part === 'labels') {
      if (!labeller.isRemembered(id)) await measurePart(job, experiment, subject, 'behaviour')
      // Waited for: the page looks for the labels as soon as this call has ended.
      await send({ labels: await labeller.measure(id, experiment.seed, job) })
      return
    }
    const model = await context.subjectModel(experiment, subject, options)
    if (part === 'drift') await send({ drift: await measures.drift(setup, model, options) })
    else if (part === 'aqi') {
      for (const view of ['prompts', 'completions'] as const)
        await send(viewPart(view, await measures.aqi(setup, view, model, experiment.probesPerClass, options)))
    } else {
      const { behaviour, answers, answered } = await measures.behaviour(
        setup,
        model,
        experiment.probesPerClass,
        { ...options, onPart: (found) => send({ behaviour: found }) },
      )
      labeller.remember(id, answered)
      context.answered.remember(id, answered, true)
      await send({ behaviour, ...viewPart('answers', answers) })
    }
  }

  async function answerAll(job: Job, experiment: Experiment, prompt: string): Promise<Answer[]> {
    const { session, gpu } = context.current()
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
      answers.push(await answering.answer(gpu, subject, model, question, job))
    }
    return answers
  }

  return {
    measure: (jobId, experiment, subject, parts) =>
      queue.run(jobId, async (job) => {
        for (const part of parts) await measurePart(job, experiment, subject, part)
      }),

    setLabeller: (jobId, request) => queue.run(jobId, (job) => labeller.plug(request, job)),

    answer: (jobId, experiment, prompt) =>
      queue.run(jobId, (job) => answerAll(job, experiment, prompt), true),

    selfTest: (jobId) =>
      queue.run(jobId, async (job) => {
        const opened = context.current()
        const result = await runSelfTest(opened.gpu, job)
        opened.broken = brokenBy(result)
        return result
      }),

    secondOpinion: (jobId, experiment, subject) =>
      queue.run(jobId, async (job) => {
        const { session, gpu } = context.current()
        const model = await context.subjectModel(experiment, subject, context.optionsOf(job))
        const { codec } = session.get(originKey(experiment.anchor))
        return { subject, ...(await opinionOf(gpu, model, codec, session.probes, job)) }
      }),
  }
}
