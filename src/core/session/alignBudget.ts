// The functionals a of the soft budget L_bud = [τ − a(δ)]²_+, each with its value on either half of the estimating
// probes and its gradient on the fitting half, at any model.
//   refusal, compliance: mean decision scores of harmful and of harmless probes (alignDecision.ts). Always both, each
//     with its own hinge, so that what one gains does not pay for what the other loses: that is the balance
//   aqi-prompts, aqi-completions: log S of a view, in the anchor's standardised space (methods.md §2.4)
// Fitting aims at the anchor's own value; accepting allows a tolerance, in units of the functional: one bootstrap
// standard error of log S at the anchor, or one nat of a mean score. AlignMerge (arXiv 2512.16245) budgets AQI; the rest
// is ours. Behaviour can stay bad while AQI holds, which is why the margins are there.

import { EngineError } from '../errors.ts'
import { type AqiAnchor, fitAqiAnchor, logSeparationOf, measureAqi } from '../evaluate/aqi.ts'
import { aqiGradientTerms } from '../evaluate/aqiGradient.ts'
import { type AqiItem, aqiItems, poolItems } from '../evaluate/aqiVectors.ts'
import { isUnavailable } from '../evaluate/estimate.ts'
import type { ProbeFile } from '../evaluate/probes.ts'
import { pairGram, separationOf } from '../evaluate/separation.ts'
import { standardise } from '../evaluate/standardise.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import { type AlignmentRows, pooledRows, type RowOptions } from '../geometry/alignmentRows.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { decisionItem, decisionRows, decisionScores, meanScore } from './alignDecision.ts'
import { classesOf, type Half, halfOf } from './alignProbes.ts'

export type BudgetName = 'refusal' | 'compliance' | 'aqi-prompts' | 'aqi-completions'

/** Nats of a mean score that one unit of tolerance allows: one probe in ten lost by ten nats. */
export const MARGIN_UNIT = 1

export interface BudgetFunctional {
  name: BudgetName
  /** a at the anchor on each half */ atAnchor: Record<Half, number>
  /** one unit of tolerance */ unit: number
  /** a at a model; −Infinity where nothing separates */
  value(model: DeviceModel, half: Half, signal?: AbortSignal): Promise<number>
  /** a on the fitting half and ∇a as one row of A; always finite */
  linearise(model: DeviceModel, options: RowOptions): Promise<{ value: number; rows: AlignmentRows }>
}

export interface BudgetSource {
  anchor: DeviceModel
  codec: TextCodec
  probes: ProbeFile
  seed: number
  signal?: AbortSignal | undefined
}

/** A functional, measured at the anchor. `request-invalid` where the probes do not allow it. */
export function budgetFunctional(name: BudgetName, source: BudgetSource): Promise<BudgetFunctional> {
  if (name === 'refusal') return marginBudget(name, 'harmful', source)
  if (name === 'compliance') return marginBudget(name, 'harmless', source)
  return aqiBudget(name, source)
}

async function marginBudget(
  name: 'refusal' | 'compliance',
  set: 'harmful' | 'harmless',
  { anchor, codec, probes, seed, signal }: BudgetSource,
): Promise<BudgetFunctional> {
  const itemsOf = (half: Half) =>
    classesOf(probes, half, seed)[set].map((probe) => decisionItem(codec, probe))
  const halves = { fit: itemsOf('fit'), accept: itemsOf('accept') }
  const value = async (model: DeviceModel, half: Half, stop?: AbortSignal) =>
    meanScore(await decisionScores(model, halves[half], stop))
  return {
    name,
    unit: MARGIN_UNIT,
    atAnchor: { fit: await value(anchor, 'fit', signal), accept: await value(anchor, 'accept', signal) },
    value,
    async linearise(model, options) {
      const scores = await decisionScores(model, halves.fit, options.signal)
      const parts = scores.map((score) => ({ row: 0, factor: 1 / scores.length, score }))
      return { value: meanScore(scores), rows: await decisionRows(model, parts, 1, options) }
    },
  }
}

async function aqiBudget(
  name: 'aqi-prompts' | 'aqi-completions',
  { anchor, codec, probes, seed, signal }: BudgetSource,
): Promise<BudgetFunctional> {
  const view = name === 'aqi-prompts' ? 'prompts' : 'completions'
  const itemsOf = (half: Half): AqiItem[] => {
    const items = [...halfOf(probes, 'harmful', half, seed), ...halfOf(probes, 'harmless', half, seed)]
    return aqiItems(codec, view, { ...probes, items }, { perClass: items.length, seed, split: 'estimate' })
  }
  const fitHalf = async (half: Half): Promise<{ items: AqiItem[]; frozen: AqiAnchor }> => {
    const items = itemsOf(half)
    const frozen = fitAqiAnchor(await poolItems(anchor, items, { signal }), seed)
    if (isUnavailable(frozen))
      throw new EngineError(
        'request-invalid',
        `budget on ${name}: the anchor fixes no scale (${frozen.unavailable})`,
      )
    return { items, frozen }
  }
  const halves = { fit: await fitHalf('fit'), accept: await fitHalf('accept') }
  // Plain S where a gradient is needed: it always has one; unbiased S where a decision is taken.
  const plainOf = async (model: DeviceModel, stop: AbortSignal | undefined) => {
    const { items, frozen } = halves.fit
    const vectors = await poolItems(model, items, { signal: stop })
    const { plain } = separationOf(pairGram(standardise(frozen.standardisation, vectors)))
    return { vectors, value: plain > 0 ? Math.log(plain) : Number.NEGATIVE_INFINITY }
  }
  return {
    name,
    unit: halves.accept.frozen.standardError,
    atAnchor: {
      fit: (await plainOf(anchor, signal)).value,
      accept: halves.accept.frozen.logSeparation,
    },
    async value(model, half, stop) {
      if (half === 'fit') return (await plainOf(model, stop)).value
      const { items, frozen } = halves.accept
      const measured = logSeparationOf(
        measureAqi(await poolItems(model, items, { signal: stop }), frozen, seed),
      )
      return typeof measured === 'number' ? measured : Number.NEGATIVE_INFINITY
    },
    async linearise(model, options) {
      const { items, frozen } = halves.fit
      const { vectors, value } = await plainOf(model, options.signal)
      const topics = [[...new Set(items.map(({ topic }) => topic))]]
      const terms = aqiGradientTerms(model.config, items, vectors, frozen.standardisation, topics)
      return { value, rows: await pooledRows(model, terms, 1, options) }
    },
  }
}
