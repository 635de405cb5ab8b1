// The page: recipe on the left, pictures in the centre, numbers and answers below.

import { useMemo } from 'react'
import { geometryKey, mergeKey } from '../../share/experimentKey.ts'
import { selectCast } from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { ClusterView } from '../clusters/ClusterView.tsx'
import { CompareView } from '../compare/CompareView.tsx'
import { LayerView } from '../drift/LayerView.tsx'
import { LabellerPanel } from '../labeller/LabellerPanel.tsx'
import { LibraryView } from '../library/LibraryView.tsx'
import { ModelsPanel } from '../models/ModelsPanel.tsx'
import { OpenModel } from '../models/OpenModel.tsx'
import { NumbersView } from '../numbers/NumbersView.tsx'
import { PromptView } from '../prompt/PromptView.tsx'
import { RecipePanel } from '../recipe/RecipePanel.tsx'
import { StreamedView } from '../streamed/StreamedView.tsx'
import { SweepView } from '../sweep/SweepView.tsx'
import { AboutView } from './AboutView.tsx'
import { EngineBanner, NoWebGpu } from './EngineNotice.tsx'
import { ErrorPanel } from './ErrorPanel.tsx'
import { GeometryLine } from './GeometryLine.tsx'
import { Header } from './Header.tsx'
import { OpinionView } from './OpinionView.tsx'
import { placeholderExperiment } from './placeholderExperiment.ts'
import { SelfTestView } from './SelfTestView.tsx'

export function App() {
  const { engine, list, isLoading, selfTest } = useStudio((state) => state.models)
  const asked = useStudio((state) => state.recipe.experiment)
  const measurements = useStudio((state) => state.runs.measurements)
  const geometries = useStudio((state) => state.runs.geometries)
  const answers = useStudio((state) => state.runs.answers)
  const opinions = useStudio((state) => state.runs.opinions)
  const announcement = useStudio((state) => state.runs.announcement)
  const view = useStudio((state) => state.view.aqiView)
  const page = useStudio((state) => state.view.page)
  // Until there is an experiment, the page shows its own shape: same axes, same rows, no numbers.
  const experiment = asked ?? placeholderExperiment
  const cast = useMemo(() => selectCast(list, experiment), [list, experiment])
  const geometry = geometries[geometryKey(experiment)]
  const key = mergeKey(experiment)
  const isReady = engine.kind === 'ready' && cast !== undefined && asked !== null
  return (
    <div className="app">
      <button type="button" className="skip-link" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the charts
      </button>
      <Header isReady={isReady} />
      {engine.kind === 'unsupported' ? (
        <NoWebGpu reason={engine.reason} />
      ) : page === 'merge' ? (
        <main id="main" className="stage" tabIndex={-1}>
          <StreamedView />
        </main>
      ) : (
        <div className="app-body" data-page={page}>
          <aside className="side" aria-label="Experiment" aria-busy={isLoading}>
            <fieldset className="side-fields" disabled={asked === null}>
              <legend className="visually-hidden">Experiment</legend>
              <ModelsPanel experiment={experiment} list={list} isReady={isReady} />
              <RecipePanel experiment={experiment} isReady={isReady} />
              <LabellerPanel />
            </fieldset>
            {asked === null && !isLoading && <OpenModel />}
          </aside>
          <main id="main" className="stage" tabIndex={-1}>
            <EngineBanner engine={engine} />
            {selfTest && <SelfTestView result={selfTest} />}
            {page !== 'library' && <GeometryLine experiment={experiment} geometry={geometry} />}
            {page === 'library' ? (
              <LibraryView />
            ) : page === 'compare' ? (
              <CompareView
                experiment={experiment}
                cast={cast}
                geometry={geometry}
                measurements={measurements}
                view={view}
              />
            ) : (
              <>
                <div className="charts">
                  <SweepView
                    experiment={experiment}
                    anchorId={cast?.anchor.id}
                    geometry={geometry}
                    measurements={measurements}
                    view={view}
                  />
                  <div className="charts-side">
                    <ClusterView
                      experiment={experiment}
                      anchorId={cast?.anchor.id}
                      measurements={measurements}
                      view={view}
                    />
                    <LayerView
                      experiment={experiment}
                      layerCount={cast?.anchor.layerCount ?? 4}
                      measurements={measurements}
                    />
                  </div>
                </div>
                <NumbersView
                  experiment={experiment}
                  cast={cast}
                  geometry={geometry}
                  measurements={measurements}
                  view={view}
                />
                {opinions && <OpinionView set={opinions} isCurrent={opinions.mergeKey === key} />}
                <PromptView
                  experiment={experiment}
                  list={list}
                  answers={answers}
                  isCurrent={answers?.mergeKey === key}
                  isReady={isReady}
                />
              </>
            )}
            <AboutView />
          </main>
        </div>
      )}
      <ErrorPanel />
      <p role="status" aria-live="polite" className="visually-hidden">
        {announcement}
      </p>
    </div>
  )
}
