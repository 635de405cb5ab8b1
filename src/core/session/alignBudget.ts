// The functionals a of the soft budget L_bud = [τ − a(δ)]²_+, each with its value on either half of the estimating
// probes and its gradient on the fitting half, at any model.
//   margin: the refusal margin balanced with harmless compliance (alignDecision.ts)
//   aqi-prompts, aqi-completions: log S of a view, in the anchor's standardised space (methods.md §2.4)
// Fitting aims at the anchor's own value; accepting allows a tolerance, in units of the functional: one bootstrap
// standard error of log S at the anchor, or MARGIN_UNIT nats. AlignMerge (arXiv 2512.16245) budgets AQI; the rest
// is ours. Behaviour can stay bad while AQI holds, which is why the margin is there.

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
import { type DecisionItem, decisionItems, decisionRows, decisionScores, meanScore } from './alignDecision.ts'
import { classesOf, type Half, halfOf } from './alignProbes.ts'

export type BudgetName = 'margin' | 'aqi-prompts' | 'aqi-completions'

/** Nats of the balanced margin that one unit of tolerance allows. */
export const MARGIN_UNIT = 0.5

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
  return name === 'margin' ? marginBudget(source) : aqiBudget(name, source)
}

async function marginBudget({
  anchor,
  codec,
  probes,
  seed,
  signal,
}: BudgetSource): Promise<BudgetFunctional> {
  const items = (half: Half) => {
    const { harmful, harmless } = classesOf(probes, half, seed)
    return decisionItems(codec, harmful, harmless)
  }
  const halves = { fit: items('fit'), accept: items('accept') }
  const classScores = async (model: DeviceModel, half: Half, stop?: AbortSignal) => {
    const score = (of: readonly DecisionItem[]) => decisionScores(model, of, stop)
    return [await score(halves[half].harmful), await score(halves[half].harmless)]
  }
  const value = async (model: DeviceModel, half: Half, stop?: AbortSignal) => {
    const [harmful, harmless] = await classScores(model, half, stop)
    return (meanScore(harmful) + meanScore(harmless)) / 2
  }
  return {
    name: 'margin',
    unit: MARGIN_UNIT,
    atAnchor: { fit: await value(anchor, 'fit', signal), accept: await value(anchor, 'accept', signal) },
    value,
    async linearise(model, options) {
      const classes = await classScores(model, 'fit', options.signal)
      const parts = classes.flatMap((scores) =>
        scores.map((score) => ({ row: 0, factor: 0.5 / scores.length, score })),
      )
      return {
        value: (meanScore(classes[0]) + meanScore(classes[1])) / 2,
        rows: await decisionRows(model, parts, 1, options),
      }
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
