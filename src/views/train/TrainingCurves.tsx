// Live curves over the steps: loss of training and held-out pairs, refusals, AQI, each with its interval.

import { useTraining } from '../../state/training/store.ts'
import { LineSample } from '../charts/LineSample.tsx'
import { SweepPlot } from '../charts/SweepPlot.tsx'
import { useElementWidth } from '../charts/useElementWidth.ts'
import { axisTicks, trainingPanels } from './trainingPanels.ts'

export function TrainingCurves() {
  const { run, settings, steps, heldOut, measures } = useTraining()
  const [frame, width] = useElementWidth<HTMLDivElement>(520)
  // Before a run the frames stand ready for the steps that are chosen: nothing jumps when the first curve comes.
  const total = (run?.settings ?? settings).steps
  const hasHeldOut = !run?.opened || run.opened.heldOut > 0
  const panels = trainingPanels(total, hasHeldOut, { steps, heldOut, measures })
  const ticks = axisTicks(total)
  return (
    <div className="training-curves" ref={frame}>
      {panels.map((panel, index) => (
        <section key={panel.id} aria-label={panel.title}>
          <h3>
            {panel.title} <small>{panel.note}</small>
          </h3>
          <ul className="legend" aria-hidden="true">
            {panel.series.map((series) => (
              <li key={series.id}>
                <svg viewBox="0 0 18 8" width="18" height="8" aria-hidden="true">
                  <LineSample series={series} />
                </svg>
                {series.label}
              </li>
            ))}
          </ul>
          <SweepPlot panel={panel} width={width} ticks={ticks} hasAxis={index === panels.length - 1} />
        </section>
      ))}
    </div>
  )
}
