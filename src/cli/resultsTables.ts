// The main table of a group and the small pieces of Markdown that pages share. Every number comes from the rows.

import type { Estimate } from '../core/evaluate/estimate.ts'
import { plain, plainOrReason, scientific, share, table } from './resultsFormat.ts'
import type { ResultGroup, ResultRow } from './resultsRun.ts'
import { bySeeds, overSeeds, type SeededRow, skillOf, violations } from './resultsSeeds.ts'

export const bullets = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join('\n')

/** Mean over seeds of a number without an interval; NaN where one is missing. */
export const mean = (row: SeededRow, pick: (found: ResultRow) => number | undefined) =>
  row.rows.reduce((sum, found) => sum + (pick(found) ?? Number.NaN), 0) / row.rows.length

export const number = (value: number) => (Number.isFinite(value) ? scientific(value) : '–')

/** Most refusing first; models keep their order, failures come last. */
function ordered(group: ResultGroup): SeededRow[] {
  const rows = bySeeds(group)
  if (group.experts.length === 0) return rows
  const refusal = (row: SeededRow) => {
    const found: Estimate | undefined = overSeeds(row, ({ behaviour }) => behaviour?.refusal)
    return found && 'value' in found ? found.value : -1
  }
  return [...rows].sort((a, b) => refusal(b) - refusal(a))
}

/** Every row of a group with what is measured of it; models alone have no drift and no budget. */
export function mainTable(group: ResultGroup): string {
  const skill = skillOf(group)
  const isMerge = group.experts.length > 0
  const head = [
    '',
    'refusal',
    'complied',
    'attack',
    'over-refusal',
    'ruined',
    'skill',
    'fact',
    'answer loss',
    'AQI prompts',
    'AQI completions',
  ]
  const rows = ordered(group).map((row): string[] => {
    const { failure } = row.rows[0]
    if (failure) return [row.label, failure, ...new Array(head.length - (isMerge ? 0 : 2)).fill('')]
    const of = (pick: (found: ResultRow) => Estimate | undefined) => overSeeds(row, pick)
    const cells = [
      row.label,
      share(of(({ behaviour }) => behaviour?.refusal)),
      share(of(({ behaviour }) => behaviour?.compliance)),
      share(of(({ behaviour }) => behaviour?.attackRefusal)),
      share(of(({ behaviour }) => behaviour?.overRefusal)),
      share(of(({ behaviour }) => behaviour?.gibberish)),
      share(of(skill)),
      share(of(({ behaviour }) => behaviour?.skills.fact)),
      plain(
        of(({ behaviour }) => behaviour?.answerLoss),
        3,
      ),
      plainOrReason(
        of(({ aqi }) => aqi?.prompts),
        1,
      ),
      plainOrReason(
        of(({ aqi }) => aqi?.completions),
        1,
      ),
    ]
    if (!isMerge) return cells
    const broken = violations(row.rows, 'completions')
    return [...cells, `${broken.violated} / ${broken.runs}`, number(mean(row, ({ drift }) => drift?.heldOut))]
  })
  return table(isMerge ? [...head, 'budget broken', 'drift, held out'] : head, rows)
}
