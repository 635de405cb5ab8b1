// What was received beside what was measured here since: number by number, with the received interval as the yardstick.

import type { Drift, Estimate } from '../../../workers/api.ts'
import type { Measurement } from '../../share/measurement.ts'
import { measurementId } from '../../share/measurement.ts'
import { sharesOfBehaviour } from '../../share/results/format.ts'
import { packEstimate, significant } from '../../share/results/quantise.ts'
import type { ReceivedSet, RunsSlice } from '../slices/runs.ts'

/** `equal`: to the digits that travelled; `within`: inside the received interval. */
export type Agreement = 'equal' | 'within' | 'outside'

export interface Difference {
  id: string
  measurement: Measurement
  /** English; shown through t() */ quantity: string
  form: 'aqi' | 'share' | 'nats' | 'norm'
  received: Estimate
  own: Estimate
  /** own − received; undefined where one of them is no number */ difference: number | undefined
  agreement: Agreement
}

export interface Comparison {
  /** numbers that were received */ received: number
  /** of which so many have been measured here */ measured: number
  differences: Difference[]
}

const shares: Record<(typeof sharesOfBehaviour)[number], { label: string }> = {
  refusal: { label: 'Harmful refused' },
  overRefusal: { label: 'Harmless refused' },
  compliance: { label: 'Harmful complied' },
  gibberish: { label: 'Gibberish' },
  attackRefusal: { label: 'Attacks refused' },
}

interface Quantity {
  label: string
  form: Difference['form']
  of: (measurement: Measurement) => Estimate | undefined
}

const driftOf =
  (id: keyof Omit<Drift, 'byLayer'>) =>
  ({ drift }: Measurement): Estimate | undefined =>
    // A norm has no interval; half a thousandth is what four digits leave open.
    drift ? { value: drift[id], low: drift[id] * 0.9995, high: drift[id] * 1.0005, count: 1 } : undefined

const quantities: readonly Quantity[] = [
  { label: 'AQI, prompts', form: 'aqi', of: ({ aqi }) => aqi.prompts?.normalised },
  { label: 'AQI, completions', form: 'aqi', of: ({ aqi }) => aqi.completions?.normalised },
  { label: 'AQI, own answers', form: 'aqi', of: ({ aqi }) => aqi.answers?.normalised },
  ...sharesOfBehaviour.map(
    (id): Quantity => ({ label: shares[id].label, form: 'share', of: ({ behaviour }) => behaviour[id] }),
  ),
  { label: 'Loss of answers', form: 'nats', of: ({ behaviour }) => behaviour.answerLoss },
  { label: 'Drift, own directions', form: 'norm', of: driftOf('own') },
  { label: 'Drift, held-out directions', form: 'norm', of: driftOf('heldOut') },
]

const skillQuantity = (name: string): Quantity => ({
  label: name,
  form: 'share',
  of: ({ behaviour }) => behaviour.skills?.[name],
})

function agreementOf(form: Quantity['form'], received: Estimate, own: Estimate): Agreement {
  // A norm travels without an interval, by its digits alone.
  const isSameNorm =
    form === 'norm' &&
    'value' in received &&
    'value' in own &&
    significant(own.value, 4) === significant(received.value, 4)
  const isEqual = isSameNorm || JSON.stringify(packEstimate(received)) === JSON.stringify(packEstimate(own))
  if (isEqual) return 'equal'
  if ('unavailable' in received || 'unavailable' in own) return 'outside'
  const slack = 0.005 * (received.high - received.low)
  return own.value >= received.low - slack && own.value <= received.high + slack ? 'within' : 'outside'
}

/** Every received number, and those of them that this page has measured itself. */
export function compareReceived(
  { measurements }: Pick<RunsSlice, 'measurements'>,
  set: ReceivedSet,
): Comparison {
  const comparison: Comparison = { received: 0, measured: 0, differences: [] }
  for (const received of Object.values(set.measurements)) {
    const id = measurementId(received.key, received.subject)
    const own = measurements[id]
    const skills = Object.keys(received.behaviour.skills ?? {}).map(skillQuantity)
    for (const { label, form, of } of [...quantities, ...skills]) {
      const given = of(received)
      if (!given) continue
      comparison.received++
      const found = own && of(own)
      if (!found) continue
      comparison.measured++
      const isNumber = !('unavailable' in given) && !('unavailable' in found)
      comparison.differences.push({
        ...{
          id: `${id} ${label}`,
          measurement: received,
          quantity: label,
          form,
          received: given,
          own: found,
        },
        difference: isNumber ? found.value - given.value : undefined,
        agreement: agreementOf(form, given, found),
      })
    }
  }
  return comparison
}

/** The differences worth looking at: unequal ones, those furthest outside first. */
export function notableDifferences({ differences }: Comparison): Difference[] {
  const sizeOf = ({ received, difference }: Difference) => {
    if (difference === undefined || 'unavailable' in received) return Number.POSITIVE_INFINITY
    return Math.abs(difference) / Math.max(received.high - received.low, 1e-9)
  }
  return differences.filter(({ agreement }) => agreement !== 'equal').sort((a, b) => sizeOf(b) - sizeOf(a))
}
