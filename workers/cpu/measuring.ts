// What is measured and answered without WebGPU: every model runs forward through onnxruntime's wasm provider.

import { answerPrompt } from '../../src/core/evaluate/answers.ts'
import { aqiTexts } from '../../src/core/evaluate/aqiVectors.ts'
import { measurementKey, subjectKey } from '../../src/share/experimentKey.ts'
import { setupOf } from '../../src/share/setup.ts'
import type { Answer, EngineApi, Experiment, MeasurablePart, MeasuredPart, Subject } from '../api.ts'
import type { Job } from '../jobs.ts'
import { LabellerSlot } from '../labeller.ts'
import { viewPart } from '../measuredPart.ts'
import { answerOf, answerTexts, textsOf } from '../pointTexts.ts'
import { CPU_BACKEND, type CpuContext } from './context.ts'

type MeasuringApi = Pick<EngineApi, 'measure' | 'setLabeller' | 'answer' | 'pointTexts' | 'knownAnswers'>

export function cpuMeasuringWing(context: CpuContext): MeasuringApi {
  const { queue } = context
  const labeller = new LabellerSlot()

  const measurementOf = (experiment: Experiment, subject: Subject) =>
    `${measurementKey(experiment, subject)}/${subjectKey(subject)}`

  async function measurePart(
    job: Job,
    experiment: Experiment,
    subject: Subject,
    part: MeasurablePart,
  ): Promise<void> {
    const { measures, session } = context.current()
    const options = context.optionsOf(job)
    const key = measurementKey(experiment, subject)
    const id = measurementOf(experiment, subject)
    const begun = performance.now()
    const send = (found: Omit<MeasuredPart, 'key' | 'subject' | 'durationMs'>) =>
      context.emit({
        kind: 'measured',
        part: { key, subject, durationMs: performance.now() - begun, ...found },
      })
    if (part === 'labels') {
      if (!labeller.isRemembered(id)) await measurePart(job, experiment, subject, 'behaviour')
      await send({ labels: await labeller.measure(id, experiment.seed, job) })
      return
    }
    if (part === 'drift') {
      const setup = context.mergeSetup(experiment, experiment.lambdaAlign)
      const weights =
        subject.kind === 'model'
          ? session.get(subject.id).weights
          : await session.merge({ ...setup, lambdaAlign: subject.lambdaAlign }, options)
      await send({ drift: await session.drift(setup, weights, options) })
      return
    }
    const model = await context.subjectModel(experiment, subject, options)
    const setup = setupOf(experiment)
    if (part === 'aqi') {
      for (const view of ['prompts', 'completions'] as const)
        await send(viewPart(view, await measures.aqi(setup, view, model, experiment.probesPerClass, options)))
      return
    }
    const { behaviour, answers, answered } = await measures.behaviour(
      setup,
      model,
      experiment.probesPerClass,
      { ...options, onPart: (found) => void send({ behaviour: found }) },
    )
    labeller.remember(id, answered)
    context.answered.remember(id, answered, true)
    await send({ behaviour, ...viewPart('answers', answers) })
  }

  async function answerAll(job: Job, experiment: Experiment, prompt: string): Promise<Answer[]> {
    const { session } = context.current()
    const setup = setupOf(experiment)
    const { codec } = session.get(setup.anchor)
    const models = [setup.anchor, ...setup.experts.map(({ id }) => id)]
    const subjects: Subject[] = [
      ...models.map((id): Subject => ({ kind: 'model', id })),
      { kind: 'merge', lambdaAlign: experiment.lambdaAlign },
    ]
    const answers: Answer[] = []
    for (const subject of subjects) {
      const model = await context.subjectModel(experiment, subject, context.optionsOf(job))
      const label = subject.kind === 'model' ? subject.id : 'merge'
      const [{ text, verdict, durationMs }] = await answerPrompt(
        [{ label, model }],
        codec,
        prompt,
        session.probes,
        { signal: job.signal },
      )
      answers.push({ subject, label, text, verdict, durationMs, backend: CPU_BACKEND })
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

    async pointTexts(experiment, view, subject) {
      const { measures } = context.current()
      const { probesPerClass: perClass, seed } = experiment
      if (view !== 'answers')
        return textsOf(aqiTexts(view, measures.probesOf(setupOf(experiment), perClass), { perClass, seed }))
      const answers = context.answered.wholeOf(measurementOf(experiment, subject))
      return answers ? answerTexts(answers) : null
    },

    async knownAnswers(experiment, subject) {
      context.current()
      return [...context.answered.answersOf(measurementOf(experiment, subject)).values()].map(answerOf)
    },
  }
}
