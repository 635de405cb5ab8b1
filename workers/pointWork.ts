// Probes and answers behind the points of a picture, as the page is sent them.

import { type AqiText, answerClass, aqiTexts } from '../src/core/evaluate/aqiVectors.ts'
import type { Answered } from '../src/core/evaluate/behaviour.ts'
import { measurementKey } from '../src/share/experimentKey.ts'
import { measurementId } from '../src/share/measurement.ts'
import { setupOf } from '../src/share/setup.ts'
import type { PointText, PointTexts, ProbeAnswer, ProbesApi } from './api/probes.ts'
import type { Experiment, Subject } from './api.ts'
import type { RunningModel, SharedContext } from './sharedContext.ts'

/** Under which the answers of a measurement are kept. */
export const answeredId = (experiment: Experiment, subject: Subject): string =>
  measurementId(measurementKey(experiment, subject), subject)

export const answerOf = ({ probe, text, kind }: Answered): ProbeAnswer => ({
  probe: probe.id,
  text,
  verdict: kind,
})

function textsOf(texts: readonly AqiText[]): PointTexts {
  const of = (wanted: AqiText['label']): PointText[] =>
    texts
      .filter(({ label }) => label === wanted)
      .map(({ probe: { id, set, topic, prompt }, completion }) => ({
        probe: id,
        ...{ set, topic, prompt },
        ...(completion !== undefined && { completion }),
      }))
  return { safe: of('safe'), unsafe: of('unsafe') }
}

/** Texts of the answers view, of all answers of a measurement. */
const answerTexts = (answers: readonly Answered[]): PointTexts =>
  textsOf(
    answers.flatMap((one): AqiText[] => {
      const label = answerClass(one)
      return label ? [{ probe: one.probe, label, completion: one.text }] : []
    }),
  )

/** What is known already, told at once. */
export function pointWork<Model extends RunningModel>(
  context: SharedContext<Model>,
): Pick<ProbesApi, 'pointTexts' | 'knownAnswers'> {
  return {
    async pointTexts(experiment, view, subject) {
      const { measures } = context.current()
      const { probesPerClass: perClass, seed } = experiment
      if (view !== 'answers')
        return textsOf(aqiTexts(view, measures.probesOf(setupOf(experiment), perClass), { perClass, seed }))
      const answers = context.answered.wholeOf(answeredId(experiment, subject))
      return answers ? answerTexts(answers) : null
    },

    async knownAnswers(experiment, subject) {
      context.current()
      return [...context.answered.answersOf(answeredId(experiment, subject)).values()].map(answerOf)
    },
  }
}
