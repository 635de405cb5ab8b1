// What a panel shows as CSV with all its digits: one row a number, so that it can be filtered and joined.

import type { Estimate, Subject } from '../../../workers/api.ts'
import { csvField } from '../../share/csv.ts'
import { mergeKey, normaliseWeights } from '../../share/experimentKey.ts'
import { aqiViews, sharesOfBehaviour } from '../../share/results/format.ts'
import type { ResultRow, ResultSet } from '../../share/results.ts'
import { shownResults } from './collect.ts'

export type SavedTable = 'sweep' | 'numbers' | 'clusters' | 'layers'

type Cell = string | number

/** Names come from elsewhere: none of them may be a formula to a spreadsheet. */
const asText = (cell: string): string => (/^[=+@\t\r-]/.test(cell) ? `'${cell}` : cell)

const csvOf = (header: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  [header, ...rows]
    .map((row) =>
      row.map((cell) => (typeof cell === 'number' ? String(cell) : csvField(asText(cell)))).join(','),
    )
    .join('\n')
    .concat('\n')

/** Who is measured: a model by name, or a merge by its method, λ_align and weights. */
function subjectCells(set: ResultSet, { experiment, subject }: ResultRow): Cell[] {
  if (subject.kind === 'model') return [nameOf(set, subject), '', '', '']
  const weights = normaliseWeights(experiment.experts.map(({ weight }) => weight))
  return ['merge', experiment.method, subject.lambdaAlign, weights.map((w) => w.toPrecision(6)).join(' ')]
}

const nameOf = ({ models }: ResultSet, subject: Extract<Subject, { kind: 'model' }>): string =>
  models.find(({ id }) => id === subject.id)?.name ?? subject.id

const subjectHeader = ['subject', 'method', 'lambda_align', 'weights']

function estimateCells(estimate: Estimate): Cell[] {
  if ('unavailable' in estimate) return ['', '', '', '', estimate.unavailable]
  return [estimate.value, estimate.low, estimate.high, estimate.count, '']
}

/** Every number of a row: name, unit, value with its interval. */
function numbersOf({ measurement }: ResultRow): Cell[][] {
  const { aqi, budget, behaviour, drift } = measurement
  const rows: Cell[][] = []
  for (const view of aqiViews) {
    const result = aqi[view]
    if (!result) continue
    rows.push([`AQI ${view}`, 'anchor = 50', ...estimateCells(result.normalised)])
    rows.push([`log S ${view}`, 'nats', ...estimateCells(result.logSeparation)])
    const limit = budget[view]
    if (limit)
      rows.push([
        `budget τ ${view}`,
        'nats',
        limit.threshold,
        '',
        '',
        '',
        limit.isViolated ? 'violated' : 'kept',
      ])
  }
  for (const name of sharesOfBehaviour) {
    const share = behaviour[name]
    if (share) rows.push([name, 'share', ...estimateCells(share)])
  }
  for (const [name, share] of Object.entries(behaviour.skills ?? {}))
    rows.push([`skill ${name}`, 'share', ...estimateCells(share)])
  if (behaviour.answerLoss)
    rows.push(['answerLoss', 'nats per token', ...estimateCells(behaviour.answerLoss)])
  for (const id of ['own', 'heldOut', 'otherSource', 'total'] as const)
    if (drift) rows.push([`drift ${id}`, 'norm in G', drift[id], '', '', '', ''])
  return rows
}

const numberHeader = ['quantity', 'unit', 'value', 'low', 'high', 'n', 'note']

const isMerge = ({ subject }: ResultRow): boolean => subject.kind === 'merge'

/** The page's numbers behind a panel; undefined while there are none. */
export function tableOf(table: SavedTable, set: ResultSet | undefined = shownResults()): string | undefined {
  if (!set) return undefined
  const asked = mergeKey(set.experiment)
  const keyOf = ({ experiment, subject }: ResultRow) =>
    subject.kind === 'merge' ? mergeKey({ ...experiment, lambdaAlign: subject.lambdaAlign }) : ''
  const seen = new Set<string>()
  const rows = set.rows.filter((row) => {
    const key = isMerge(row) ? keyOf(row) : JSON.stringify(row.subject)
    return !seen.has(key) && seen.add(key)
  })
  switch (table) {
    case 'sweep':
    case 'numbers':
      return csvOf(
        [...subjectHeader, ...numberHeader],
        rows
          .filter((row) => table === 'numbers' || isMerge(row))
          .flatMap((row) => numbersOf(row).map((cells) => [...subjectCells(set, row), ...cells])),
      )
    case 'layers':
      return csvOf(
        [...subjectHeader, 'layer', 'held-out drift, norm in G'],
        rows
          .filter(isMerge)
          .flatMap((row) =>
            (row.measurement.drift?.byLayer ?? []).map((value, layer) => [
              ...subjectCells(set, row),
              layer,
              value,
            ]),
          ),
      )
    case 'clusters':
      return csvOf(
        [...subjectHeader, 'view', 'class', 'axis 1', 'axis 2'],
        rows
          .filter((row) => !isMerge(row) || keyOf(row) === asked)
          .flatMap((row) =>
            aqiViews.flatMap((view) =>
              (['safe', 'unsafe'] as const).flatMap((kind) => {
                const points = row.measurement.clusters[view]?.[kind] ?? new Float32Array()
                return Array.from({ length: points.length / 2 }, (_, i): Cell[] => [
                  ...subjectCells(set, row),
                  ...[view, kind, points[2 * i]!, points[2 * i + 1]!],
                ])
              }),
            ),
          ),
      )
  }
}
