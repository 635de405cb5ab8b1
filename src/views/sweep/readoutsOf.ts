// The values at the cursor, for the legends. Between measured points there is none, but for the closed form.

import type { AqiView, Experiment, GeometrySummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { isClosedForm } from '../../share/experimentKey.ts'
import { shieldedDrift, unshieldedDrift } from '../../state/algebra.ts'
import { selectLambda, selectWeights } from '../../state/selectors.ts'
import type { Measurement } from '../../state/slices/runs.ts'
import type { Readout } from '../charts/sweepPanels.ts'
import { describeEstimate, formatInterval, formatScaled, formatValue, type NormScale } from '../format.ts'
import { reasonText } from '../reasonText.ts'
import { aqiSeries, behaviourSeries, skillSeries } from './sweepSeries.ts'

export interface ReadoutInput {
  experiment: Experiment
  geometry: GeometrySummary | undefined
  /** What is measured of the merge at the cursor. */
  current: Measurement | undefined
  skills: readonly string[]
  view: AqiView
  /** Of the drift panel. */
  scale: NormScale
}

const pendingReadout = (): Readout => ({
  value: '·',
  interval: '',
  detail: t('not measured yet at this point'),
})

function exactReadout(
  value: number | undefined,
  { factor, unit }: NormScale,
  interval: string,
  detail: string,
): Readout {
  if (value === undefined) return pendingReadout()
  return {
    value: formatScaled(value * factor),
    interval,
    detail: `${formatScaled(value * factor)}${unit}. ${detail}`,
  }
}

/** By series id. */
export function readoutsOf(input: ReadoutInput): Record<string, Readout> {
  const { experiment, geometry, current, skills, view, scale } = input
  const readouts: Record<string, Readout> = {}
  for (const { id, form, pick } of [aqiSeries(view), ...behaviourSeries, ...skillSeries(skills)]) {
    const estimate = current && pick(current)
    if (!estimate) readouts[id] = pendingReadout()
    else if ('unavailable' in estimate) {
      const reason = reasonText(estimate.unavailable)
      readouts[id] = { value: t('none'), interval: reason, detail: reason }
    } else
      readouts[id] = {
        value: formatValue(form, estimate.value),
        interval: formatInterval(form, estimate.low, estimate.high),
        detail: describeEstimate(form, estimate),
      }
  }
  const weights = selectWeights(experiment)
  const lambda = selectLambda(experiment)
  const { rank } = experiment
  const isExact = isClosedForm(experiment)
  const own = geometry && isExact ? shieldedDrift(geometry, weights, lambda, rank).own : current?.drift?.own
  const plain = geometry && isExact && lambda === 0 ? unshieldedDrift(geometry, weights, rank) : undefined
  readouts.own = exactReadout(
    own,
    scale,
    isExact ? t('formula') : '',
    t(
      'Along the directions that the shield itself uses; closed form at every λ, before weights are rounded to be stored',
    ),
  )
  readouts.heldOut = exactReadout(
    current?.drift?.heldOut ?? plain?.heldOut,
    scale,
    '',
    t('Along directions estimated from probes that the shield has not seen'),
  )
  readouts.otherSource = exactReadout(
    current?.drift?.otherSource ?? plain?.otherSource,
    scale,
    '',
    t('Along directions from another gradient source, on held-out probes'),
  )
  return readouts
}
