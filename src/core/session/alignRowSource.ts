// Where a round's rows of A come from: scores of fitting probes (alignDecision.ts), harmful and harmless three to
// one, one row each; for source `aqi` log S of completions by group of topics, in the anchor's space, as in round 0.

import type { BudgetSource } from './alignBudget.ts'
import { decisionItem, decisionRows, decisionScores } from './alignDecision.ts'
import { classesOf } from './alignProbes.ts'
import type { RowSource } from './alignRounds.ts'
import { aqiRows } from './aqiRows.ts'
import type { GradientSource } from './session.ts'

/** Rows of a round. Ours: as many as a session's own set has. */
export const HARMFUL_ROWS = 24
export const HARMLESS_ROWS = 8

/** Measures the anchor's scores at once; `request-invalid` for one class only. */
export async function rowSourceOf(kind: GradientSource, source: BudgetSource): Promise<RowSource> {
  const { anchor, codec, probes, seed, signal } = source
  if (kind === 'aqi')
    return {
      linearise: async (model) => ({
        rows: await aqiRows(model, codec, probes, 'estimate', seed, { signal }, anchor),
      }),
    }
  const { harmful, harmless } = classesOf(probes, 'fit', seed)
  const picked = [...harmful.slice(0, HARMFUL_ROWS), ...harmless.slice(0, HARMLESS_ROWS)]
  const all = picked.map((probe) => decisionItem(codec, probe))
  const atAnchor = (await decisionScores(anchor, all, signal)).map(({ value }) => value)
  return {
    atAnchor,
    async linearise(model) {
      const scores = await decisionScores(model, all, signal)
      const parts = scores.map((score, row) => ({ row, factor: 1, score }))
      return {
        values: scores.map(({ value }) => value),
        rows: await decisionRows(model, parts, all.length, { signal }),
      }
    },
  }
}
