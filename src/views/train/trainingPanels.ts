// The curves of a training as the charts take them.

import type { TrainedStep, TrainingMeasure } from '../../../workers/api/training.ts'
import type { AqiView, Estimate } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { niceMaximum } from '../charts/niceMaximum.ts'
import type { AxisTick, SweepPanel, SweepSeries, SweepValue } from '../charts/sweepPanels.ts'

const HEIGHT = 120
/** Single batches are noisy. */
export const MEAN_OVER = 5

export function axisTicks(steps: number): AxisTick[] {
  return [0, 0.25, 0.5, 0.75, 1].map((position) => ({
    position,
    label: String(Math.round(position * steps)),
  }))
}

interface Curves {
  steps: readonly TrainedStep[]
  heldOut: readonly { step: number; loss: number }[]
  measures: readonly TrainingMeasure[]
}

/** Frames over `total` steps, empty before the first; `hasHeldOut`: pairs were kept back. */
export function trainingPanels(
  total: number,
  hasHeldOut: boolean,
  { steps, heldOut, measures }: Curves,
): SweepPanel[] {
  const point = (step: number, value: number): SweepValue => ({
    ...{ position: step / total, value },
    ...{ low: value, high: value },
  })
  const estimates = (of: (measure: TrainingMeasure) => Estimate | undefined): SweepValue[] =>
    measures.flatMap((measure) => {
      const found = of(measure)
      if (!found || 'unavailable' in found) return []
      const { value, low, high } = found
      return [{ position: measure.step / total, value, low, high }]
    })
  const series = (
    id: string,
    label: string,
    colour: string,
    values: SweepValue[],
    dash?: string,
  ): SweepSeries => ({ id, label, colour, isExact: false, values, marks: [], ...(dash && { dash }) })

  const means = meanLosses(steps).map(({ step, loss }) => point(step, loss))
  const losses = heldOut.map(({ step, loss }) => point(step, loss))
  const top = niceMaximum(
    Math.max(0.2, ...means.map(({ value }) => value), ...losses.map(({ value }) => value)),
  )
  const aqi = (['prompts', 'completions', 'answers'] as const).map((view, i) =>
    series(
      `aqi-${view}`,
      viewName(view),
      ['var(--accent)', 'var(--ink)', 'var(--muted)'][i]!,
      estimates((measure) => measure.aqi[view]),
      [undefined, undefined, '4 3'][i],
    ),
  )
  // A view may have no value: an anchor that refuses everything harmful leaves one class of answers empty.
  const shownAqi = measures.length > 0 ? aqi.filter(({ values }) => values.length > 0) : aqi
  const reach = aqi.flatMap(({ values }) => values.flatMap(({ low, high }) => [low, high]))
  const [low, high] = [
    Math.min(40, 10 * Math.floor(Math.min(...reach, 40) / 10)),
    Math.max(70, 10 * Math.ceil(Math.max(...reach, 70) / 10)),
  ]
  return [
    {
      id: 'training-loss',
      title: t('Loss'),
      note: t('nats per token, over steps; of training pairs the mean of {count} steps', {
        count: MEAN_OVER,
      }),
      height: HEIGHT,
      domain: [0, top],
      ticks: [0, top / 2, top],
      format: (value) => String(Number(value.toPrecision(2))),
      series: [
        { ...series('loss-train', t('training pairs'), 'var(--muted)', means), isExact: true },
        ...(hasHeldOut ? [series('loss-held-out', t('held-out pairs'), 'var(--accent)', losses)] : []),
      ],
      references: [],
    },
    {
      id: 'training-refusal',
      title: t('Refusals'),
      note: t('held-out prompts, % with 95 % intervals'),
      height: HEIGHT,
      domain: [0, 1],
      ticks: [0, 0.5, 1],
      format: (value) => String(Math.round(100 * value)),
      series: [
        series(
          'refusal',
          t('of harmful requests'),
          'var(--accent)',
          estimates(({ refusal }) => refusal),
        ),
        series(
          'over-refusal',
          t('of harmless requests'),
          'var(--unsafe)',
          estimates(({ overRefusal }) => overRefusal),
          '4 3',
        ),
      ],
      references: [],
    },
    {
      id: 'training-aqi',
      title: t('AQI'),
      note: t('anchor 50; with 95 % intervals'),
      height: HEIGHT,
      domain: [low, high],
      ticks: Array.from({ length: (high - low) / 10 + 1 }, (_, i) => low + 10 * i),
      format: (value) => value.toFixed(0),
      series: shownAqi,
      references: [{ value: 50, label: t('anchor'), colour: 'var(--muted)' }],
    },
  ]
}

export function viewName(view: AqiView): string {
  if (view === 'prompts') return t('AQI of prompts')
  return view === 'completions' ? t('AQI of given completions') : t('AQI of its own answers')
}

/** One mean for each whole group of steps, at its end. */
export function meanLosses(steps: readonly TrainedStep[]): { step: number; loss: number }[] {
  const means: { step: number; loss: number }[] = []
  for (let end = MEAN_OVER; end <= steps.length; end += MEAN_OVER) {
    const group = steps.slice(end - MEAN_OVER, end)
    means.push({ step: end, loss: group.reduce((sum, { loss }) => sum + loss, 0) / MEAN_OVER })
  }
  return means
}
