// What can follow a merge: an antidote along one cached direction, and weights chosen by data. One antidote is kept,
// for the merge that was last asked for.

import type { DeviceModel } from '../src/core/model/deviceModel.ts'
import type { PairReport } from '../src/core/optimise/generatePairs.ts'
import { searchWeights } from '../src/core/optimise/searchWeights.ts'
import { type Antidote, antidote } from '../src/core/repair/antidote.ts'
import type { JobOptions, Session, Setup } from '../src/core/session/session.ts'
import type { AntidoteReport, EngineEvent, WeightSearch, WeightSearchResult } from './api.ts'
import type { Job } from './jobs.ts'

export class AfterMerge {
  private kept: { key: string; value: Antidote } | undefined

  private async of(session: Session, setup: Setup, options: JobOptions): Promise<Antidote> {
    const key = JSON.stringify(setup)
    // The antidote starts from what lies in the slot, so the merge must lie there again.
    const merged = await session.merge(setup, options)
    if (this.kept?.key === key) return this.kept.value
    this.dispose()
    const value = await antidote(session, merged, { setup, ...options })
    this.kept = { key, value }
    return value
  }

  /** The merge moved by `percent` of ‖θ‖ along its antidote; overwritten by the next call. */
  async apply(session: Session, setup: Setup, percent: number, options: JobOptions): Promise<DeviceModel> {
    const made = await this.of(session, setup, options)
    return made.apply((percent / 100) * made.weightLength)
  }

  /** ‖ε_l‖ at a length, and which length the budget search finds where `isSearch`. */
  async report(
    session: Session,
    setup: Setup,
    percent: number,
    isSearch: boolean,
    options: JobOptions,
  ): Promise<AntidoteReport> {
    const made = await this.of(session, setup, options)
    const found = isSearch ? await made.search() : undefined
    if (!found) made.apply((percent / 100) * made.weightLength)
    const byLayer: number[] = new Array(session.get(setup.anchor).model.config.layerCount).fill(0)
    let outside = 0
    for (const { layer, length } of made.affinity())
      if (layer === undefined) outside += length ** 2
      else byLayer[layer] += length ** 2
    const percentOf = (length: number) => (100 * length) / made.weightLength
    return {
      length: percentOf(made.length),
      byLayer: byLayer.map((square) => percentOf(Math.sqrt(square))),
      outside: percentOf(Math.sqrt(outside)),
      kept: made.direction.kept,
      ...(found && { stage: found.stage }),
    }
  }

  dispose(): void {
    this.kept?.value.dispose()
    this.kept = undefined
  }
}

/** Pairs kept of each kind. */
const pairsOf = (report: PairReport | undefined): Record<string, number> | null =>
  report ? Object.fromEntries(report.map(({ what, kept }) => [what, kept])) : null

/** Runs a search; every evaluation goes out as an event, so that a stopped one has left its best behind. */
export async function runWeightSearch(
  session: Session,
  setup: Setup,
  request: WeightSearch,
  job: Job,
  emit: (event: EngineEvent) => void,
): Promise<WeightSearchResult> {
  const result = await searchWeights(session, setup, {
    search: request.search,
    alpha: request.alpha,
    evaluations: request.evaluations,
    signal: job.signal,
    onProgress: job.report,
    onTrace: ({ evaluation, objective, task, safety, bestObjective, weights }) =>
      emit({
        kind: 'search',
        searchId: request.searchId,
        point: { evaluation, objective, task, safety, bestObjective, weights: [...weights[0]] },
      }),
  })
  return { weights: result.weights, isStopped: result.isStopped, pairs: pairsOf(result.report) }
}
