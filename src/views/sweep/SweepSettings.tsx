// Which sweep: how many parameters, which, from where to where, in how many points; and how far its measuring is.

import { useDeferredValue, useMemo } from 'react'
import type { Experiment } from '../../../workers/api.ts'
import { plural, t } from '../../language/translate.ts'
import type { SweepParameter } from '../../share/sweeps/parameters.ts'
import { sweepParameters } from '../../share/sweeps/parameters.ts'
import type { SweepSheet } from '../../share/sweeps/points.ts'
import {
  axisFor,
  defaultGrid,
  defaultSweep,
  gridParameters,
  partnersOf,
  type SweepAxis,
  type SweepSpec,
  sweepLimits,
} from '../../share/sweeps/spec.ts'
import type { Measurements } from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { setSweep } from '../../state/sweeps/actions.ts'
import {
  type SweepOrigins,
  selectKnownPoints,
  selectOrigins,
  selectProgress,
} from '../../state/sweeps/selectors.ts'
import { useSweeps } from '../../state/sweeps/store.ts'
import { NumberInput } from '../controls/NumberInput.tsx'
import { formatParameter, formatSpan } from '../format.ts'
import { SymbolText } from './SymbolText.tsx'

export interface SweepSettingsProps {
  experiment: Experiment
  sheet: SweepSheet
  measurements: Measurements
}

/** What a sweep of each kind starts with. */
function startOf(kind: SweepSpec['kind'], experiment: Experiment): SweepSpec {
  if (kind === 'weights') return { kind, steps: 4 }
  return kind === 'grid' ? defaultGrid(experiment) : defaultSweep
}

export default function SweepSettings({ experiment, sheet, measurements }: SweepSettingsProps) {
  const { spec } = sheet
  const hasTriangle = experiment.experts.length === 3
  const kinds = [
    { kind: 'line', label: t('One parameter') },
    { kind: 'grid', label: t('Two parameters') },
    ...(hasTriangle ? [{ kind: 'weights', label: t('Three weights') } as const] : []),
  ] as const
  return (
    <details className="sweep-settings">
      <summary>
        <span className="sweep-summary">
          <SymbolText text={summaryOf(sheet)} />
        </span>
        <Progress sheet={sheet} measurements={measurements} />
      </summary>
      <div className="sweep-fields">
        <fieldset className="segmented">
          <legend className="visually-hidden">{t('Sweep over')}</legend>
          {kinds.map(({ kind, label }) => (
            <button
              key={kind}
              type="button"
              aria-pressed={spec.kind === kind}
              onClick={() => spec.kind !== kind && setSweep(startOf(kind, experiment))}
            >
              {label}
            </button>
          ))}
        </fieldset>
        {spec.kind === 'line' && (
          <AxisFields
            label={t('Parameter')}
            axis={spec.x}
            choices={sweepParameters(experiment)}
            limits={sweepLimits.line}
            onChange={(x) => setSweep({ kind: 'line', x })}
          />
        )}
        {spec.kind === 'grid' && <GridFields spec={spec} experiment={experiment} />}
        {spec.kind === 'weights' && (
          <div className="axis-fields">
            <span className="muted" aria-hidden="true">
              {t('Steps along a side')}
            </span>
            <NumberInput
              label={t('Steps along a side')}
              value={spec.steps}
              min={sweepLimits.weights.min}
              max={sweepLimits.weights.max}
              step={1}
              onChange={(steps) => setSweep({ kind: 'weights', steps: Math.round(steps) })}
            />
          </div>
        )}
        {sheet.parameters.some((parameter) => parameter.isNewGeometry) && (
          <p className="hint">
            {t('Each value of ρ needs directions of its own, which takes seconds a point.')}
          </p>
        )}
        {sheet.points.some(
          (point) => point.experiment.parameters.budget !== experiment.parameters.budget,
        ) && (
          <p className="hint">
            {t('Measured with the margin budget: without a budget λ_bud and ε weigh nothing.')}
          </p>
        )}
      </div>
    </details>
  )
}

function summaryOf({ spec, parameters, points, values }: SweepSheet): string {
  const count = plural(points.length, '{count} point', '{count} points')
  if (spec.kind === 'weights')
    return t('all weights in steps of 1/{steps}: {count}', { steps: spec.steps, count })
  const axes = parameters.map(({ symbol, label }, index) => {
    const [low = 0, high = 0] = [values[index]?.[0], values[index]?.at(-1)]
    return `${symbol || t(label)} ${formatParameter(low)}–${formatParameter(high)}`
  })
  return `${axes.join(' × ')}: ${count}`
}

/** How much of the sweep is there and from where, how fast the rest comes, and how long it takes. */
function Progress({ sheet, measurements }: Pick<SweepSettingsProps, 'sheet' | 'measurements'>) {
  const failed = useStudio((state) => state.runs.failed)
  const isStopped = useStudio((state) => state.runs.isStopped)
  const own = useStudio((state) => state.runs.measurements)
  const received = useStudio((state) => state.runs.received)
  const rates = useSweeps((state) => state.rates)
  const known = useDeferredValue(measurements)
  const progress = useMemo(
    () => selectProgress(selectKnownPoints(sheet, known, failed), rates),
    [sheet, known, failed, rates],
  )
  const runs = useDeferredValue(useMemo(() => ({ measurements: own, received }), [own, received]))
  const origins = useMemo(() => selectOrigins(sheet, runs), [sheet, runs])
  const { total, done, failed: failures, perSecond, leftMs } = progress
  const words = [
    ...originWords(origins, total),
    ...(failures > 0 ? [t('{count} failed', { count: failures })] : []),
    ...(perSecond && done < total ? [t('{rate} points/s', { rate: perSecond.toPrecision(2) })] : []),
    ...(leftMs && !isStopped ? [t('about {time} left', { time: formatSpan(leftMs) })] : []),
    ...(isStopped && done < total ? [t('stopped')] : []),
  ]
  return (
    <span className="sweep-progress">
      <progress
        max={total}
        value={origins.own + origins.link + origins.shipped}
        aria-label={t('Points with results')}
      />
      {words.join(' · ')}
    </span>
  )
}

/** What was measured here, and what was not but is shown. */
function originWords({ own, link, shipped }: SweepOrigins, total: number): string[] {
  if (own === total) return [t('all measured')]
  if (link === total) return [t('all from the link')]
  if (shipped === total) return [t('all precomputed')]
  return [
    ...(own > 0 || link + shipped === 0 ? [t('{done} of {total} measured', { done: own, total })] : []),
    ...(link > 0 ? [t('{count} of {total} from the link', { count: link, total })] : []),
    ...(shipped > 0 ? [t('{count} of {total} precomputed', { count: shipped, total })] : []),
  ]
}

function GridFields({ spec, experiment }: { spec: SweepSpec & { kind: 'grid' }; experiment: Experiment }) {
  const setX = (x: SweepAxis) => {
    const partners = partnersOf(experiment, x.parameter)
    const isFit = partners.some(({ id }) => id === spec.y.parameter)
    const y = isFit || !partners[0] ? spec.y : axisFor(partners[0], spec.y.count)
    setSweep({ kind: 'grid', x, y })
  }
  return (
    <>
      <AxisFields
        label={t('Across')}
        axis={spec.x}
        choices={gridParameters(experiment)}
        limits={sweepLimits.grid}
        onChange={setX}
      />
      <AxisFields
        label={t('Up')}
        axis={spec.y}
        choices={partnersOf(experiment, spec.x.parameter)}
        limits={sweepLimits.grid}
        onChange={(y) => setSweep({ ...spec, y })}
      />
    </>
  )
}

interface AxisFieldsProps {
  label: string
  axis: SweepAxis
  choices: readonly SweepParameter[]
  limits: { min: number; max: number }
  onChange: (axis: SweepAxis) => void
}

function AxisFields({ label, axis, choices, limits, onChange }: AxisFieldsProps) {
  const parameter = choices.find(({ id }) => id === axis.parameter) ?? choices[0]
  if (!parameter) return null
  const { range } = parameter
  const whole = range.isInteger ? Math.min(limits.max, axis.to - axis.from + 1) : limits.max
  const rounded = (value: number) => (range.isInteger ? Math.round(value) : value)
  return (
    <fieldset className="axis-fields">
      <legend className="visually-hidden">{label}</legend>
      <span className="muted" aria-hidden="true">
        {label}
      </span>
      <select
        aria-label={t('{axis}: parameter', { axis: label })}
        value={parameter.id}
        onChange={(event) => {
          const chosen = choices.find(({ id }) => id === event.target.value)
          if (chosen) onChange(axisFor(chosen, limits.max === sweepLimits.grid.max ? 5 : chosen.start.count))
        }}
      >
        {choices.map((choice) => (
          <option key={choice.id} value={choice.id}>
            {[t(choice.label), choice.symbol].filter(Boolean).join(' ')}
          </option>
        ))}
      </select>
      <NumberInput
        label={t('{axis}: from', { axis: label })}
        value={axis.from}
        min={range.min}
        max={range.max}
        step={1}
        onChange={(from) => rounded(from) < axis.to && onChange({ ...axis, from: rounded(from) })}
      />
      <span aria-hidden="true">–</span>
      <NumberInput
        label={t('{axis}: to', { axis: label })}
        value={axis.to}
        min={range.min}
        max={range.max}
        step={1}
        onChange={(to) => rounded(to) > axis.from && onChange({ ...axis, to: rounded(to) })}
      />
      <NumberInput
        label={t('{axis}: points', { axis: label })}
        value={Math.min(axis.count, whole)}
        min={limits.min}
        max={whole}
        step={1}
        onChange={(count) => onChange({ ...axis, count: Math.round(count) })}
      />
      <span className="muted">{t('points')}</span>
    </fieldset>
  )
}
