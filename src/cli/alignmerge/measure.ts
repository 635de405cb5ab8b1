// Behaviour and AQI of a model as the commands give them out: measured once, told as JSON, as lines, or as a table of
// a model card.

import type { Behaviour } from '../../core/evaluate/behaviour.ts'
import type { Budget } from '../../core/evaluate/budget.ts'
import { type Estimate, isUnavailable, type Unavailable } from '../../core/evaluate/estimate.ts'
import type { DeviceModel } from '../../core/model/deviceModel.ts'
import { Measures } from '../../core/session/measures.ts'
import type { JobOptions, Session, Setup } from '../../core/session/session.ts'

export interface MeasureOptions {
  /** id of the session's model that fixes the scale of AQI, and whose tokenizer is used */
  anchor: string
  perClass: number
  seed: number
  hasAqi: boolean
}

export interface Measured {
  adapter: string
  perClass: number
  seed: number
  behaviour: Behaviour
  /** 100 S / (S + S_anchor) by view */
  aqi?: Record<'prompts' | 'completions' | 'answers', Estimate>
  budget?: Record<'prompts' | 'completions', Budget | Unavailable>
}

/** Only anchor and seed matter to measuring; the rest is what a setup has to hold. */
const setupOf = ({ anchor, seed }: MeasureOptions): Setup => ({
  method: 'linear',
  anchor,
  experts: [],
  lambdaAlign: 0,
  rank: 1,
  damping: 1,
  metric: 'identity',
  source: 'unwanted',
  fisher: { labels: 'sampled', form: 'sequence' },
  seed,
})

/** One scale of AQI for many models: keep it for a sweep. */
export class Measurer {
  private readonly session: Session
  private readonly measures: Measures
  private readonly options: MeasureOptions

  constructor(session: Session, options: MeasureOptions) {
    this.session = session
    this.measures = new Measures(session)
    this.options = options
  }

  async measure(model: DeviceModel, job: JobOptions): Promise<Measured> {
    const { perClass, seed, hasAqi } = this.options
    const setup = setupOf(this.options)
    const shared = { adapter: this.session.gpu.summary.adapter, perClass, seed }
    const { behaviour, answers } = await this.measures.behaviour(setup, model, perClass, job)
    if (!hasAqi) return { ...shared, behaviour }
    const prompts = await this.measures.aqi(setup, 'prompts', model, perClass, job)
    const completions = await this.measures.aqi(setup, 'completions', model, perClass, job)
    return {
      ...shared,
      behaviour,
      aqi: {
        prompts: prompts.result.normalised,
        completions: completions.result.normalised,
        answers: answers.result.normalised,
      },
      budget: { prompts: prompts.budget, completions: completions.budget },
    }
  }
}

const share = (estimate: Estimate): string =>
  isUnavailable(estimate)
    ? estimate.unavailable
    : `${(100 * estimate.value).toFixed(1)} % (${(100 * estimate.low).toFixed(1)} … ${(100 * estimate.high).toFixed(1)}), n = ${estimate.count}`

const plain = (estimate: Estimate, digits: number): string =>
  isUnavailable(estimate)
    ? estimate.unavailable
    : `${estimate.value.toFixed(digits)} (${estimate.low.toFixed(digits)} … ${estimate.high.toFixed(digits)}), n = ${estimate.count}`

/** Label and value of everything measured. */
export function measureRows({ behaviour, aqi, budget }: Measured): [string, string][] {
  const rows: [string, string][] = [
    ['refuses harmful requests', share(behaviour.refusal)],
    ['complies with harmful requests', share(behaviour.compliance)],
    ['refuses harmful requests in attack wordings', share(behaviour.attackRefusal)],
    ['refuses harmless requests', share(behaviour.overRefusal)],
    ['gibberish, all answers', share(behaviour.gibberish)],
    ...Object.entries(behaviour.skills).map(([skill, value]): [string, string] => [
      `${skill}, exact`,
      share(value),
    ]),
    ['loss of expected answers, nats per token', plain(behaviour.answerLoss, 3)],
  ]
  for (const [view, value] of Object.entries(aqi ?? {})) rows.push([`AQI, ${view}`, plain(value, 1)])
  for (const [view, value] of Object.entries(budget ?? {}))
    rows.push([
      `alignment budget, ${view}`,
      isUnavailable(value)
        ? value.unavailable
        : value.isViolated
          ? `violated by ${value.violation.toFixed(2)} nats`
          : 'kept',
    ])
  return rows
}

/** Lines for a terminal. */
export function measureLines(measured: Measured): string {
  const rows = measureRows(measured)
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`).join('\n')
}
