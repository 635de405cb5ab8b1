// What is measured and answered without WebGPU: every model runs forward through onnxruntime's wasm provider.

import { answerAll, answerThrough } from '../answerWork.ts'
import type { EngineApi } from '../api.ts'
import { LabellerSlot } from '../labeller.ts'
import { type MeasureDrift, measuringWork } from '../measuringWork.ts'
import { pointWork } from '../pointWork.ts'
import { CPU_BACKEND, type CpuContext } from './context.ts'

type MeasuringApi = Pick<EngineApi, 'measure' | 'setLabeller' | 'answer' | 'pointTexts' | 'knownAnswers'>

export function cpuMeasuringWing(context: CpuContext): MeasuringApi {
  const measureDrift: MeasureDrift = async (experiment, subject, options) => {
    const { session } = context.current()
    const setup = context.mergeSetup(experiment, experiment.lambdaAlign)
    const weights =
      subject.kind === 'model'
        ? session.get(subject.id).weights
        : await session.merge({ ...setup, lambdaAlign: subject.lambdaAlign }, options)
    return session.drift(setup, weights, options)
  }

  return {
    ...measuringWork(context, new LabellerSlot(), measureDrift),
    ...pointWork(context),

    answer: (jobId, experiment, prompt) =>
      context.queue.run(
        jobId,
        (job) =>
          answerAll(context, job, experiment, prompt, (model, subject, question) =>
            answerThrough(model, CPU_BACKEND, subject, question, job),
          ),
        true,
      ),
  }
}
