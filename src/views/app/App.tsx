// The page: header, recipe on the left where the page has one, the page itself beside it.

import { Suspense, useEffect } from 'react'
import { t } from '../../language/translate.ts'
import { useStudio } from '../../state/store.ts'
import { PanelBoundary } from '../error/PanelBoundary.tsx'
import { LabellerPanel } from '../labeller/LabellerPanel.tsx'
import { TourSlot } from '../learn/TourSlot.tsx'
import { ModelsPanel } from '../models/ModelsPanel.tsx'
import { OpenModel } from '../models/OpenModel.tsx'
import { type PageRow, pages } from '../pages.ts'
import { PresetField } from '../recipe/PresetField.tsx'
import { RecipePanel } from '../recipe/RecipePanel.tsx'
import { UpdateNotice } from '../site/UpdateNotice.tsx'
import { AboutView } from './AboutView.tsx'
import { EngineBanner, NoWebGpu } from './EngineNotice.tsx'
import { ErrorPanel } from './ErrorPanel.tsx'
import { Header } from './Header.tsx'
import { SelfTestView } from './SelfTestView.tsx'
import { Split } from './Split.tsx'
import { watchShortcuts } from './shortcuts.ts'
import { useWork, type Work } from './useWork.ts'

export function App() {
  const engine = useStudio((state) => state.models.engine)
  const announcement = useStudio((state) => state.runs.announcement)
  const page = useStudio((state) => state.view.page)
  const work = useWork()
  useEffect(watchShortcuts, [])
  const row = pages.find(({ id }) => id === page) ?? pages[0]!
  return (
    <div className="app">
      <button type="button" className="skip-link" onClick={() => document.getElementById('main')?.focus()}>
        {t('Skip to the charts')}
      </button>
      <Header isReady={work.isReady} />
      {engine.kind === 'unsupported' ? (
        <NoWebGpu reason={engine.reason} />
      ) : row.hasRecipe ? (
        <Split
          id="side"
          className="app-body"
          start="300px"
          minimum={['240px', 45]}
          maximum="460px"
          isFixed
          from={861}
        >
          <Side work={work} />
          <Stage row={row} />
        </Split>
      ) : (
        <div className="app-body">
          <Stage row={row} />
        </div>
      )}
      <TourSlot />
      <ErrorPanel />
      <UpdateNotice />
      <p role="status" aria-live="polite" className="visually-hidden">
        {announcement}
      </p>
    </div>
  )
}

/** Who takes part and how it becomes one. */
function Side({ work: { experiment, list, isReady, isAsked } }: { work: Work }) {
  const isLoading = useStudio((state) => state.models.isLoading)
  return (
    <aside className="side" aria-label={t('Experiment')} aria-busy={isLoading}>
      <fieldset className="side-fields" disabled={!isAsked}>
        <legend className="visually-hidden">{t('Experiment')}</legend>
        <PresetField list={list} />
        <ModelsPanel experiment={experiment} list={list} isReady={isReady} />
        <RecipePanel experiment={experiment} isReady={isReady} />
        <LabellerPanel />
      </fieldset>
      {!isAsked && !isLoading && <OpenModel />}
    </aside>
  )
}

function Stage({ row: { id, label, Page } }: { row: PageRow }) {
  const engine = useStudio((state) => state.models.engine)
  const selfTest = useStudio((state) => state.models.selfTest)
  return (
    <main id="main" className="stage" tabIndex={-1} data-page={id}>
      <EngineBanner engine={engine} />
      {selfTest && <SelfTestView result={selfTest} />}
      <PanelBoundary key={id} name={t(label)}>
        <Suspense fallback={<p className="stage-wait muted">{t('Opening the page …')}</p>}>
          <Page />
        </Suspense>
      </PanelBoundary>
      <PanelBoundary name={t('What the numbers mean, and what is ours')}>
        <AboutView />
      </PanelBoundary>
    </main>
  )
}
