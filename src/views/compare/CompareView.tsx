// All methods side by side: plot of safety against skill, table of every measure, drift and conflict by layer.

import { Suspense, useMemo, useState } from 'react'
import type { AqiView, Experiment, GeometrySummary, ModelSummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { encodeLink } from '../../share/codec.ts'
import { openExperiment } from '../../state/actions/recipe.ts'
import {
  type Measurements,
  selectCompared,
  selectFailure,
  selectLinkView,
  selectMeasurement,
  selectMergeMeasurement,
} from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import type { ParetoPoint } from '../charts/ParetoPlot.tsx'
import { lazyInTurn } from '../lazyInTurn.ts'
import { type CompareRow, CompareTable } from './CompareTable.tsx'
import { type CompareColumn, compareColumns, countViolations, paretoFront } from './compareColumns.ts'
import { comparedName } from './comparedName.ts'
import { ExportButtons } from './ExportButtons.tsx'
import { LayerMaps } from './LayerMaps.tsx'

const ParetoPlot = lazyInTurn(() => import('../charts/ParetoPlot.tsx'))
const plotHeight = 380

/** What the plot can have as its safety axis. */
const safetyAxes = ['refusal', 'attackRefusal', 'harmless'] as const

export interface CompareViewProps {
  experiment: Experiment
  cast: { anchor: ModelSummary; experts: ModelSummary[] } | undefined
  geometry: GeometrySummary | undefined
  measurements: Measurements
  view: AqiView
}

export function CompareView({ experiment, cast, geometry, measurements, view }: CompareViewProps) {
  const failed = useStudio((state) => state.runs.failed)
  const labeller = useStudio((state) => state.models.labeller)
  const shown = useStudio((state) => state.view)
  const [active, setActive] = useState<string | undefined>()
  const [safety, setSafety] = useState<(typeof safetyAxes)[number]>('refusal')
  const skills = useMemo(() => {
    const named = cast?.experts.flatMap(({ skill }) => skill ?? []) ?? []
    return named.length > 0 ? named : undefined
  }, [cast])
  const columns = useMemo(() => compareColumns(view, skills, labeller), [view, skills, labeller])
  const compared = useMemo(
    () =>
      selectCompared(experiment).map((row) => ({
        ...row,
        link: encodeLink({ experiment: row.experiment, view: { ...selectLinkView(shown), page: 'studio' } }),
      })),
    [experiment, shown],
  )
  const rows = useMemo<CompareRow[]>(() => {
    const models = cast ? [cast.anchor, ...cast.experts] : []
    return [
      ...models.map(
        (model, index): CompareRow => ({
          id: `model ${model.id}`,
          label: model.name,
          kind: index === 0 ? 'anchor' : 'expert',
          link: undefined,
          measurement: selectMeasurement(measurements, experiment, { kind: 'model', id: model.id }),
          failure: undefined,
        }),
      ),
      ...compared.map(
        (row): CompareRow => ({
          id: row.id,
          label: row.label,
          kind: 'merge',
          link: row.link,
          measurement: selectMergeMeasurement(measurements, row.experiment),
          failure: selectFailure(failed, row.experiment),
        }),
      ),
    ]
  }, [cast, compared, experiment, measurements, failed])
  const merges = rows.filter(({ kind }) => kind === 'merge')
  const points = useMemo(() => paretoPoints(rows, columns, safety), [rows, columns, safety])
  const safetyColumn = columns.find(({ id }) => id === safety)
  const open = (id: string) => {
    const row = compared.find((candidate) => candidate.id === id)
    if (row) openExperiment(row.experiment)
  }
  return (
    <>
      <section className="panel pareto" aria-labelledby="pareto-title">
        <header className="panel-head">
          <h2 id="pareto-title">{t('Safety against skill')}</h2>
          <label className="panel-choice">
            <span className="muted">{t('Safety')}</span>{' '}
            <select value={safety} onChange={(event) => setSafety(event.target.value as typeof safety)}>
              {safetyAxes.map((id) => (
                <option key={id} value={id}>
                  {columns.find((column) => column.id === id)?.label}
                </option>
              ))}
            </select>
          </label>
          <ExportButtons experiment={experiment} labeller={labeller} rows={rows} columns={columns} />
        </header>
        <Suspense fallback={<div style={{ height: plotHeight }} />}>
          <ParetoPlot
            points={points}
            xLabel={
              skills
                ? t('Skill: {skills}, % exactly right', { skills: skills.join(', ') })
                : t('Skill: all, % exactly right')
            }
            yLabel={`${safetyColumn?.label ?? ''}, %`}
            height={plotHeight}
            active={active}
            onActive={setActive}
            onOpen={open}
          />
        </Suspense>
        <p className="caption">
          {t(
            'The line joins merges that no other beats in both. Crosses are 95 % intervals, rings the models that were merged. A click opens the merge.',
          )}
        </p>
      </section>
      <CompareTable
        rows={rows}
        columns={columns}
        violations={countViolations(merges, view)}
        active={active}
        onActive={setActive}
      />
      <LayerMaps
        rows={merges}
        conflict={geometry?.conflictByLayer}
        layerCount={cast?.anchor.layerCount ?? 4}
      />
    </>
  )
}

function paretoPoints(
  rows: readonly CompareRow[],
  columns: readonly CompareColumn[],
  safety: string,
): ParetoPoint[] {
  const [skill, safe] = ['skill', safety].map((id) => columns.find((column) => column.id === id))
  const points = rows.flatMap(({ id, label, kind, measurement }): ParetoPoint[] => {
    const [x, y] = [skill, safe].map((column) => measurement && column?.pick(measurement))
    if (!x || !y || 'unavailable' in x || 'unavailable' in y) return []
    const at = { x: x.value, xLow: x.low, xHigh: x.high, y: y.value, yLow: y.low, yHigh: y.high }
    return [{ id, label: kind === 'merge' ? comparedName(label) : label, kind, ...at, isFront: false }]
  })
  const merges = points.filter(({ kind }) => kind === 'merge')
  for (const index of paretoFront(merges)) merges[index]!.isFront = true
  return points
}
