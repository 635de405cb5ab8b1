import { useMemo } from 'react'
import type { AqiView, Experiment, GeometrySummary, ModelSummary } from '../../../workers/api.ts'
import { mergeKey } from '../../share/experimentKey.ts'
import { type Measurements, selectCast, selectShownCast } from '../../state/selectors.ts'
import { selectShown, selectShownGeometry } from '../../state/share/received.ts'
import { useStudio } from '../../state/store.ts'
import { placeholderExperiment } from './placeholderExperiment.ts'

export interface Work {
  /** of the page; a placeholder of the same shape until there is one */
  experiment: Experiment
  /** there is an experiment, and not only its shape */
  isAsked: boolean
  /** the engine is open and all models are there */
  isReady: boolean
  list: readonly ModelSummary[]
  /** for names and shapes: results that were received bring theirs along */
  cast: ReturnType<typeof selectCast>
  geometry: GeometrySummary | undefined
  measurements: Measurements
  view: AqiView
  /** of the merge that the experiment asks for */
  key: string
}

/** What every page of the studio is about: the experiment, and what is known of it. */
export function useWork(): Work {
  const { engine, list } = useStudio((state) => state.models)
  const asked = useStudio((state) => state.recipe.experiment)
  const received = useStudio((state) => state.runs.received)
  const measurements = useStudio((state) => selectShown(state.runs))
  const view = useStudio((state) => state.view.aqiView)
  // Until there is an experiment, the page shows its own shape: same axes, same rows, no numbers.
  const experiment = asked ?? placeholderExperiment
  const geometry = useStudio((state) => selectShownGeometry(state.runs, experiment)?.geometry)
  const isOpen = useMemo(() => selectCast(list, experiment) !== undefined, [list, experiment])
  const cast = useMemo(() => selectShownCast(list, received, experiment), [list, received, experiment])
  return {
    experiment,
    isAsked: asked !== null,
    isReady: engine.kind === 'ready' && isOpen && asked !== null,
    list,
    cast,
    geometry,
    measurements,
    view,
    key: mergeKey(experiment),
  }
}
