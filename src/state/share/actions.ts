// Taking in results that were computed elsewhere, and asking for them to be computed here.

import type { Experiment } from '../../../workers/api.ts'
import { EngineError } from '../../core/errors.ts'
import { t } from '../../language/translate.ts'
import type { ResultLimits } from '../../share/results.ts'
import { reportError } from '../actions/errors.ts'
import { schedule } from '../actions/runner.ts'
import type { ReceivedSet } from '../slices/runs.ts'
import { readState, update } from '../store.ts'
import { withComplete } from './received.ts'

/** Shipped sets kept at once; each lesson may bring its own. */
const maxShipped = 12

/** Links opened so far: results of one that was left while they were read are dropped. */
let linksOpened = 0

/**
 * Shows results that were computed elsewhere, after checking every field. Those of a link take the place of the link
 * before; shipped ones stand beside each other. False, with an error on the page, when they are refused; false, too,
 * when another link was opened meanwhile.
 */
export async function receiveResults(
  source: ReceivedSet['source'],
  content: unknown,
  experiment: Experiment,
  limits?: ResultLimits,
): Promise<boolean> {
  const asked = linksOpened
  const { unpackResults } = await import('../../share/results.ts')
  if (source === 'link' && asked !== linksOpened) return false
  const unpacked = unpackResults(content, experiment, limits)
  if (!unpacked.ok) {
    const message =
      source === 'link'
        ? t('The results in this link cannot be shown: {reason}. The experiment itself was opened.', {
            reason: unpacked.reason,
          })
        : t('The precomputed results cannot be shown: {reason}.', { reason: unpacked.reason })
    reportError(t('Reading results'), new EngineError('link-invalid', message))
    return false
  }
  const { measurements, ...others } = unpacked.value
  const set: ReceivedSet = {
    ...{ source, experiment, isRecomputed: false, packed: content, ...others },
    // What ships stands for a run of one's own; what a link says is only shown until there is one.
    measurements: withComplete(measurements, source === 'shipped'),
  }
  update('runs', ({ received }) => ({
    received:
      source === 'link'
        ? [set, ...received.filter((one) => one.source !== 'link')]
        : [...received.filter((one) => one.source === 'link'), set, ...shippedOf(received)].slice(
            0,
            maxShipped + 1,
          ),
  }))
  schedule()
  return true
}

const shippedOf = (received: readonly ReceivedSet[]): ReceivedSet[] =>
  received.filter((one) => one.source === 'shipped')

/** Forgets what a link brought, and what is still being read of it. */
export function dropLinkResults(): void {
  linksOpened++
  if (readState().runs.received.some(({ source }) => source === 'link'))
    update('runs', ({ received }) => ({ received: shippedOf(received) }))
}

/** Measures here what was precomputed; own results take the place of the shipped ones as they come. */
export function recompute(): void {
  update('runs', ({ received }) => ({
    received: received.map((set) => ({
      ...set,
      isRecomputed: true,
      measurements: withComplete(set.measurements, false),
    })),
    isStopped: false,
    announcement: t('Measuring here what was precomputed'),
  }))
  schedule()
}
