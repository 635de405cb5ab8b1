// Probes and answers behind the points of a picture, as the page is sent them.

import { type AqiText, answerClass } from '../src/core/evaluate/aqiVectors.ts'
import type { Answered } from '../src/core/evaluate/behaviour.ts'
import type { PointText, PointTexts, ProbeAnswer } from './api/probes.ts'

export const answerOf = ({ probe, text, kind }: Answered): ProbeAnswer => ({
  probe: probe.id,
  text,
  verdict: kind,
})

export function textsOf(texts: readonly AqiText[]): PointTexts {
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
export const answerTexts = (answers: readonly Answered[]): PointTexts =>
  textsOf(
    answers.flatMap((one): AqiText[] => {
      const label = answerClass(one)
      return label ? [{ probe: one.probe, label, completion: one.text }] : []
    }),
  )
