// What is measured of a model or a merge, who scores it, and what it answers.

import { originKey } from '../../src/share/experimentKey.ts'
import { answerAll } from '../answerWork.ts'
import type { EngineApi } from '../api.ts'
import { LabellerSlot } from '../labeller.ts'
import { type MeasureDrift, measuringWork } from '../measuringWork.ts'
import { opinionOf } from '../opinion.ts'
import { brokenBy, runSelfTest } from '../selfTest.ts'
import { type EngineContext, setupOf } from './context.ts'

type MeasuringApi = Pick<EngineApi, 'measure' | 'setLabeller' | 'answer' | 'selfTest' | 'secondOpinion'>

export function measuringWing(context: EngineContext): MeasuringApi {
  const { queue, answering } = context
  const labeller = new LabellerSlot()
  context.onClose(() => labeller.clear())

  const measureDrift: MeasureDrift = async (experiment, subject, options) => {
    const { measures } = context.current()
    const model = await context.subjectModel(experiment, subject, options)
    return measures.drift(setupOf(experiment), model, options)
  }

  return {
    ...measuringWork(context, labeller, measureDrift),

    answer: (jobId, experiment, prompt) =>
      queue.run(
        jobId,
        async (job) => {
          const { gpu } = context.current()
          return answerAll(context, job, experiment, prompt, (model, subject, question) =>
            answering.answer(gpu, subject, model, question, job),
          )
        },
        true,
      ),

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
