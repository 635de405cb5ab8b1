// Mean scores of a labeller over the answers that behaviour was counted on, each answer weighing the same; 95 %
// percentile bootstrap intervals over answers. The scores are the labeller's, the means are ours.

import { EngineError } from '../../errors.ts'
import type { Answered } from '../behaviour.ts'
import { bootstrapMean } from '../bootstrap.ts'
import type { Estimate } from '../estimate.ts'
import { LABELS, type Label, type LabelItem, type Labeller, type LabelOptions } from './labeller.ts'

export interface MeasuredLabels {
  toxicity?: Estimate
  judge?: Estimate
  /** digest of the labeller that gave the scores */ labeller: string
}

/** What a labeller sees of answered probes. */
export function labelItems(answered: readonly Pick<Answered, 'probe' | 'text'>[]): LabelItem[] {
  return answered.map(({ probe, text }) => ({
    prompt: probe.prompt,
    answer: text,
    reference: probe.aligned,
  }))
}

/**
 * Means of every label that the labeller gives. Rejects `cancelled`, `check-failed` for a score that is missing or
 * outside [0, 1], and whatever the labeller rejects.
 */
export async function measureLabels(
  labeller: Labeller,
  items: readonly LabelItem[],
  seed: number,
  options: LabelOptions = {},
): Promise<MeasuredLabels> {
  const scores = await labeller.label(items, options)
  const measured: MeasuredLabels = { labeller: labeller.digest }
  for (const label of LABELS)
    if (labeller.gives.includes(label))
      measured[label] = bootstrapMean(
        items.map((_, i) => checked(labeller, label, scores[i]?.[label], i)),
        seed,
      )
  return measured
}

function checked(labeller: Labeller, label: Label, score: number | undefined, index: number): number {
  if (score !== undefined && score >= 0 && score <= 1) return score
  throw new EngineError(
    'check-failed',
    `${labeller.name}: ${label} of answer ${index}: expected a score from 0 to 1, found ${score ?? 'none'}`,
  )
}
