import { useDeferredValue, useMemo, useState } from 'react'
import type { RowSetName } from '../../../workers/api/probes.ts'
import type { Drift, Experiment, GeometrySummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { geometryKey, isClosedForm } from '../../share/experimentKey.ts'
import { numberParameters } from '../../share/parameters.ts'
import { setNumber } from '../../state/actions/recipe.ts'
import { availableRank, explainedShare } from '../../state/algebra.ts'
import { type PinnedRuns, usePins } from '../../state/pins/store.ts'
import { loadModules } from '../../state/probes/actions.ts'
import { rowSets } from '../../state/probes/subspace.ts'
import { selectMergeMeasurement } from '../../state/selectors.ts'
import { selectShown } from '../../state/share/received.ts'
import { useStudio } from '../../state/store.ts'
import CoordinateBars, { type CoordinateRow } from '../charts/CoordinateBars.tsx'
import EigenBars from '../charts/EigenBars.tsx'
import { niceMaximum } from '../charts/niceMaximum.ts'
import { formatNorm, formatParameter, formatRound, normScaleOf } from '../format.ts'
import { ModuleMap } from './ModuleMap.tsx'
import { SubspaceTable } from './SubspaceTable.tsx'
import {
  eigenRows,
  type Found,
  hasRank,
  settingsOf,
  shownCells,
  shownCoordinates,
} from './subspaceNumbers.ts'
import { useModules } from './useModules.ts'
import './subspace.css'

export interface SubspaceBodyProps {
  experiment: Experiment
  geometry: GeometrySummary | undefined
  isTable: boolean
}

const chartHeight = 168

const setNames: Record<RowSetName, () => string> = {
  own: () => t('own'),
  heldOut: () => t('held-out'),
  other: () => t('other gradients'),
}
const setBriefs: Record<RowSetName, () => string> = {
  own: () => t('Directions estimated from the probes that the shield is built on.'),
  heldOut: () => t('Directions of the same kind from held-out probes, which the shield has not seen.'),
  other: () => t('Directions from another gradient source on held-out probes.'),
}

/** D of the written merge. */
const storedLength: Record<RowSetName, (drift: Drift) => number> = {
  own: ({ own }) => own,
  heldOut: ({ heldOut }) => heldOut,
  other: ({ otherSource }) => otherSource,
}

const length = (values: readonly number[], rank: number): number => Math.hypot(...values.slice(0, rank))

/** Pinned runs with the same directions, at their own weights, λ and m; those that a closed form gives. */
function pinnedCoordinates(
  pins: PinnedRuns,
  experiment: Experiment,
  found: Found,
  which: RowSetName,
): Partial<Record<'a' | 'b', readonly number[]>> {
  const pinned: Partial<Record<'a' | 'b', readonly number[]>> = {}
  for (const slot of ['a', 'b'] as const) {
    const run = pins[slot]?.experiment
    if (!run || !isClosedForm(run) || geometryKey(run) !== geometryKey(experiment)) continue
    const { after } = shownCoordinates(run, { ...found, isStored: false }, which)
    if (after) pinned[slot] = after
  }
  return pinned
}

const signed = (value: number): string => formatRound(value)

export default function SubspaceBody({ experiment: latest, geometry, isTable }: SubspaceBodyProps) {
  // The slider goes before its pictures.
  const experiment = useDeferredValue(latest)
  const [which, setWhich] = useState<RowSetName>('own')
  const [wanted, setDirection] = useState<number | null>(null)
  const [wantsStored, setStored] = useState(false)
  const hasClosedForm = isClosedForm(experiment)
  const isStored = wantsStored || !hasClosedForm
  const { summary: modules, measured, request, canAsk } = useModules(experiment, isStored)
  const stored = useStudio((state) => selectMergeMeasurement(selectShown(state.runs), experiment)?.drift)
  const pins = usePins()
  const found = useMemo<Found | undefined>(
    () => geometry && { geometry, modules, measured, isStored },
    [geometry, modules, measured, isStored],
  )
  const rows = useMemo(() => (geometry ? eigenRows(geometry) : []), [geometry])
  const direction = wanted !== null && wanted <= rows.length ? wanted : null
  const coordinates = useMemo(
    () => found && shownCoordinates(experiment, found, which),
    [experiment, found, which],
  )
  const pinned = useMemo(
    () => (found ? pinnedCoordinates(pins, experiment, found, which) : {}),
    [pins, experiment, found, which],
  )
  const cells = useMemo(
    () => found && shownCells(experiment, found, which, direction),
    [experiment, found, which, direction],
  )
  if (!geometry || !found)
    return (
      <p className="muted subspace-waiting">
        {t('Eigenvalues and coordinates come with the Fisher information and the alignment directions.')}
      </p>
    )
  const { rank } = settingsOf(experiment)
  const used = availableRank(geometry, rank)
  const before = coordinates?.before ?? []
  const after = coordinates?.after
  const largest = Math.max(0, ...before.map(Math.abs), ...Object.values(pinned).flat().map(Math.abs))
  const scale = normScaleOf(largest)
  const bars: CoordinateRow[] = before.map((value, i) => ({
    direction: i + 1,
    before: value * scale.factor,
    after: after ? after[i]! * scale.factor : null,
    a: pinned.a && pinned.a[i]! * scale.factor,
    b: pinned.b && pinned.b[i]! * scale.factor,
  }))
  const highest = Math.max(0, ...(cells?.before ?? []).map(Math.abs))
  const cellScale = normScaleOf(highest)
  const scaled = (values: readonly number[] | undefined) => values?.map((value) => value * cellScale.factor)
  const decimals = highest * cellScale.factor < 9.995 ? 2 : highest * cellScale.factor < 99.95 ? 1 : 0
  const mapFormat = (value: number) =>
    value
      .toFixed(decimals)
      .replace(/^-(?=.*[1-9])/, '−')
      .replace(/^-/, '')
  const share = `${Math.round(100 * explainedShare(geometry, used))} %`
  const rankText = t('{rank} directions, {share} explained', { rank: used, share })
  return (
    <>
      <div className="subspace-sets">
        <fieldset className="segments">
          <legend>{t('Directions')}</legend>
          {rowSets.map((name) => (
            <label key={name} title={setBriefs[name]()}>
              <input
                type="radio"
                name="subspace-set"
                checked={which === name}
                onChange={() => setWhich(name)}
              />
              {setNames[name]()}
            </label>
          ))}
        </fieldset>
        <output className="subspace-length">
          {t('D before {before}, after {after}{unit}', {
            before: formatNorm(length(before, used) * scale.factor),
            after: after ? formatNorm(length(after, used) * scale.factor) : '·',
            unit: scale.unit,
          })}
          {stored && !isStored && ' '}
          {stored && !isStored && (
            <small
              title={t(
                'Measured of the written merge. Its weights are rounded to their type when they are stored, which the closed form knows nothing of.',
              )}
            >
              {t('as stored {length}', { length: formatNorm(storedLength[which](stored) * scale.factor) })}
            </small>
          )}
        </output>
        <label
          className="stored-switch"
          title={t('Measured of the written merge where the slider rests, rounding included')}
        >
          <input
            type="checkbox"
            checked={isStored}
            disabled={!hasClosedForm}
            onChange={(event) => setStored(event.target.checked)}
          />
          {t('as stored')}
        </label>
      </div>
      {isTable ? (
        <SubspaceTable rows={rows} experiment={experiment} found={found} />
      ) : (
        <div className="subspace-charts">
          <figure>
            <figcaption>
              <h3>
                {t('Eigenvalues')} <var>μᵢ</var>
              </h3>
              <span className="muted">{rankText}</span>
            </figcaption>
            <EigenBars
              rows={rows}
              rank={used}
              maximum={Math.min(rows.length, numberParameters.rank.max)}
              onRank={(next) => setNumber('rank', next)}
              isLocked={!hasRank(latest)}
              label={t('Rank m, the number of directions that are shielded')}
              rankText={rankText}
              height={chartHeight}
            />
          </figure>
          <figure>
            <figcaption>
              <h3>
                {t('Coordinates')} <var>cᵢ</var> <small>{scale.unit}</small>
              </h3>
              <ul className="legend">
                <li>
                  <span className="swatch is-merge" aria-hidden="true" />
                  {t('merge, λ {lambda}', { lambda: formatParameter(settingsOf(experiment).lambdaAlign) })}
                </li>
                <li>
                  <span className="swatch is-average" aria-hidden="true" />
                  {t('plain average')}
                </li>
                {pinned.a && <li>◆ A</li>}
                {pinned.b && <li>□ B</li>}
              </ul>
            </figcaption>
            <CoordinateBars
              rows={bars}
              maximum={niceMaximum(largest * scale.factor)}
              height={chartHeight}
              format={signed}
            />
          </figure>
        </div>
      )}
      <div className="module-maps">
        <div className="module-choice">
          <label htmlFor="subspace-direction">{t('By layer and module, of direction')}</label>
          <select
            id="subspace-direction"
            value={direction ?? 'all'}
            onChange={(event) =>
              setDirection(event.target.value === 'all' ? null : Number(event.target.value))
            }
          >
            <option value="all">{t('all {rank} together', { rank: used })}</option>
            {rows.map((row) => (
              <option key={row.direction} value={row.direction}>
                {row.direction}
              </option>
            ))}
          </select>
          {cells && <small>{cellScale.unit}</small>}
          {request?.kind === 'asking' && (
            <span className="muted">{t('summing layers and modules, after what is being measured …')}</span>
          )}
          {canAsk && !request && (
            <button type="button" onClick={() => void loadModules(experiment)}>
              {t('Sum layers and modules here')}
            </button>
          )}
          {canAsk && !request && <span className="muted">{t('not summed on this machine yet')}</span>}
          {request?.kind === 'failed' && <span className="words">{request.message}</span>}
        </div>
        <ModuleMap
          title={t('Plain average')}
          cells={cells?.cells ?? []}
          values={scaled(cells?.before)}
          maximum={highest * cellScale.factor}
          format={mapFormat}
          hasSums={direction !== null}
        />
        <ModuleMap
          title={t('Merge')}
          cells={cells?.cells ?? []}
          values={scaled(cells?.after)}
          maximum={highest * cellScale.factor}
          format={mapFormat}
          hasSums={direction !== null}
        />
      </div>
      <p className="caption">
        {setBriefs[which]()}{' '}
        {!isStored
          ? t(
              'The shield keeps cᵢ/(1+λ) of the m leading own directions: the closed form, before weights are rounded to be stored.',
            )
          : hasClosedForm
            ? t('Measured of the merge as it is stored, where the slider rests.')
            : t(
                'This merge is not given by one closed form: it is measured as it is stored, where the slider rests.',
              )}{' '}
        {direction === null
          ? t('A cell is the length of its part over the m directions; parts of different cells may cancel.')
          : t(
              'Cells add up to cᵢ; parts of different sign cancel, so a small cᵢ may hide large parts. Which way a direction points is a convention.',
            )}{' '}
        {t('The cut by layer and module is ours.')}
      </p>
    </>
  )
}
