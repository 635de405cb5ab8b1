// The training part of the engine that makes its numbers up.

import type { OpenedTraining, TrainedStep, TrainingRequest } from '../../../workers/api/training.ts'
import type { EngineApi, ModelSummary } from '../../../workers/api.ts'
import { EngineError } from '../../core/errors.ts'
import { originKey } from '../../share/experimentKey.ts'
import { fakeModels } from './fakeData.ts'

export interface FakeTrainingParts {
  work: (jobId: number, label: string, steps: number) => Promise<void>
  check: (name: keyof EngineApi) => void
  /** step at which the loss is no number */ failsAt: number | undefined
}

const share = (value: number) => ({ value, low: value - 0.05, high: value + 0.05, count: 64 })

type FakeTraining = {
  [Name in
    | 'openTraining'
    | 'trainSteps'
    | 'measureTraining'
    | 'keepTraining'
    | 'exportTraining'
    | 'closeTraining']: EngineApi[Name]
}

export function fakeTraining({ work, check, failsAt }: FakeTrainingParts): FakeTraining {
  let open: { request: TrainingRequest; done: number } | undefined
  const current = () => {
    if (!open) throw new EngineError('request-invalid', 'no training is open')
    return open
  }
  return {
    async openTraining(jobId, request): Promise<OpenedTraining> {
      check('openTraining')
      await work(jobId, 'opening', 1)
      open = { request, done: 0 }
      return { parameterCount: 305_728, byteLength: 4_891_648, pairs: null, heldOut: 64, tooLong: 0 }
    },
    async trainSteps(jobId, until, _budgetMs, withHeldOut) {
      check('trainSteps')
      await work(jobId, 'training', 1)
      const training = current()
      const steps: TrainedStep[] = []
      while (training.done < Math.min(until, training.request.steps)) {
        const step = training.done
        if (step === failsAt)
          throw new EngineError('not-finite', `step ${step}: loss NaN, gradient norm Infinity`)
        const loss = Math.exp(-step / 20)
        steps.push({ step, loss, gradientNorm: 1, rate: training.request.rate, tokens: 600, durationMs: 100 })
        training.done++
      }
      return { steps, done: training.done, heldOutLoss: withHeldOut ? Math.exp(-training.done / 20) : null }
    },
    async measureTraining(jobId) {
      check('measureTraining')
      await work(jobId, 'measuring', 1)
      const { done: step } = current()
      const aqi = { ...share(50 - step / 20), count: 128 }
      return {
        step,
        aqi: { prompts: aqi, completions: aqi, answers: aqi },
        refusal: share(Math.max(0.1, 0.95 - step / 50)),
        overRefusal: share(0.06),
        durationMs: 500,
      }
    },
    async keepTraining(jobId) {
      check('keepTraining')
      await work(jobId, 'keeping', 1)
      const { request, done } = current()
      const { lesson, steps, rate, batch, seed } = request
      const digest = 'd1'.repeat(32)
      const origin: ModelSummary['origin'] =
        typeof lesson === 'string'
          ? {
              kind: 'trained',
              base: request.base.replace('built-in:', ''),
              lesson,
              steps,
              ...(done < steps && { done }),
              ...{ rate, batch, seed },
            }
          : { kind: 'files', name: lesson.name, digest }
      return { model: { ...fakeModels[1]!, id: originKey(origin), name: 'trained', origin }, digest }
    },
    async exportTraining(jobId) {
      check('exportTraining')
      await work(jobId, 'exporting', 1)
      return new Blob(['zip'])
    },
    async closeTraining() {
      check('closeTraining')
      open = undefined
    },
  }
}
