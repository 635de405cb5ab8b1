// What is measured of a model or a merge, in parts, and who scores it, whoever computes.

import type { JobOptions } from '../src/core/session/session.ts'
import { measurementKey } from '../src/share/experimentKey.ts'
import { measurementId } from '../src/share/measurement.ts'
import { setupOf } from '../src/share/setup.ts'
import type { Drift, EngineApi, Experiment, MeasurablePart, MeasuredPart, Subject } from './api.ts'
import type { Job } from './jobs.ts'
import type { LabellerSlot } from './labeller.ts'
import { viewPart } from './measuredPart.ts'
import type { RunningModel, SharedContext } from './sharedContext.ts'

/** Drift in the experiment's geometry: on the device of the model as it is stored, in host memory of its weights. */
export type MeasureDrift = (experiment: Experiment, subject: Subject, options: JobOptions) => Promise<Drift>

export function measuringWork<Model extends RunningModel>(
  context: SharedContext<Model>,
  labeller: LabellerSlot,
  measureDrift: MeasureDrift,
): Pick<EngineApi, 'measure' | 'setLabeller'> {
  const { queue } = context

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
    const id = measurementId(key, subject)
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
    if (part === 'drift') {
      await send({ drift: await measureDrift(experiment, subject, options) })
      return
    }
    const model = await context.subjectModel(experiment, subject, options)
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

  return {
    measure: (jobId, experiment, subject, parts) =>
      queue.run(jobId, async (job) => {
        for (const part of parts) await measurePart(job, experiment, subject, part)
      }),

    setLabeller: (jobId, request) => queue.run(jobId, (job) => labeller.plug(request, job)),
  }
}
