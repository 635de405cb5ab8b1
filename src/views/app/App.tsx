// The page: header, recipe on the left where the page has one, the page itself beside it. On a phone what a reader came
// for stands first, pictures and numbers, and the recipe after them.

import { lazy, memo, Suspense, useEffect } from 'react'
import { t } from '../../language/translate.ts'
import { useForeign } from '../../state/share/foreign.ts'
import { useHidden } from '../../state/share/presentation.ts'
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
import { jumpTo, RecipeLine } from './RecipeLine.tsx'
import { Split } from './Split.tsx'
import { watchShortcuts } from './shortcuts.ts'
import { useMediaQuery, wideFrom, wideQuery } from './useMediaQuery.ts'
import { useWithoutLambda } from './useWithoutLambda.ts'
import { useWork, type Work } from './useWork.ts'

const ForeignDialog = lazy(() => import('../share/ForeignDialog.tsx'))
const ReceivedNotice = lazy(() => import('../share/ReceivedNotice.tsx'))

const SelfTestView = lazy(() => import('./SelfTestView.tsx').then((it) => ({ default: it.SelfTestView })))

export function App() {
  const engine = useStudio((state) => state.models.engine)
  const announcement = useStudio((state) => state.runs.announcement)
  const page = useStudio((state) => state.view.page)
  const work = useWork()
  const hasReceived = useStudio((state) => state.runs.received.length > 0)
  const isAsking = useForeign((state) => state.models.length > 0)
  useEffect(watchShortcuts, [])
  const isNarrow = !useMediaQuery(wideQuery)
  const row = pages.find(({ id }) => id === page) ?? pages[0]!
  const hasSide = row.hasRecipe && engine.kind !== 'unsupported'
  return (
    <div className="app">
      <button type="button" className="skip-link" onClick={() => document.getElementById('main')?.focus()}>
        {t('Skip to the charts')}
      </button>
      <Header isReady={work.isReady} />
      {engine.kind === 'unsupported' && row.needsEngine && !hasReceived ? (
        <NoWebGpu reason={engine.reason} />
      ) : hasSide ? (
        <Split
          id="side"
          className="app-body"
          start="300px"
          minimum={['240px', 45]}
          maximum="460px"
          isFixed
          from={wideFrom}
          isSecondFirst
        >
          <Side work={work} isBelow={isNarrow} />
          <Stage row={row} hasSideBelow={isNarrow} />
        </Split>
      ) : (
        <div className="app-body">
          <Stage row={row} hasSideBelow={false} />
        </div>
      )}
      {isAsking && (
        <Suspense>
          <ForeignDialog />
        </Suspense>
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
function Side({ work: { experiment, list, isReady, isAsked }, isBelow }: { work: Work; isBelow: boolean }) {
  const isLoading = useStudio((state) => state.models.isLoading)
  const hidden = useHidden()
  const still = useWithoutLambda(experiment)
  return (
    <aside id="recipe" className="side" aria-label={t('Experiment')} aria-busy={isLoading} tabIndex={-1}>
      {isBelow && (
        <div className="side-head">
          <b>{t('Recipe')}</b>
          <button type="button" onClick={() => jumpTo('main')}>
            ↑ {t('Back to the top')}
          </button>
        </div>
      )}
      <fieldset className="side-fields" disabled={!isAsked}>
        <legend className="visually-hidden">{t('Experiment')}</legend>
        {!hidden.has('recipe') && <PresetField list={list} />}
        {!hidden.has('models') && <ModelsPanel experiment={still} list={list} isReady={isReady} />}
        {!hidden.has('recipe') && <RecipePanel experiment={experiment} isReady={isReady} />}
        {!hidden.has('labeller') && <LabellerPanel />}
      </fieldset>
      {!isAsked && !isLoading && <OpenModel />}
    </aside>
  )
}

interface StageProps {
  row: PageRow
  /** the recipe stands under it: a line at its top leads there */
  hasSideBelow: boolean
}

/** Keeps the room of a notice that is about to come, so that nothing moves when it does. */
const noticePlace = <div className="notice-place" aria-hidden="true" />

/** What moves in it says so itself; the page around it has no say. */
const Stage = memo(function Stage({ row: { id, label, Page }, hasSideBelow }: StageProps) {
  const engine = useStudio((state) => state.models.engine)
  const selfTest = useStudio((state) => state.models.selfTest)
  const hasReceived = useStudio((state) => state.runs.received.length > 0)
  const isAwaiting = useStudio((state) => state.runs.isAwaiting)
  const hidden = useHidden()
  return (
    <main id="main" className="stage" tabIndex={-1} data-page={id}>
      {hasSideBelow && <RecipeLine page={id} />}
      <EngineBanner engine={engine} />
      {selfTest && (
        <Suspense fallback={null}>
          <SelfTestView result={selfTest} />
        </Suspense>
      )}
      {(hasReceived || isAwaiting) && (id === 'studio' || id === 'compare') && (
        <Suspense fallback={noticePlace}>{hasReceived ? <ReceivedNotice /> : noticePlace}</Suspense>
      )}
      <PanelBoundary key={id} name={t(label)}>
        <Suspense fallback={<p className="stage-wait muted">{t('Opening the page …')}</p>}>
          <Page />
        </Suspense>
      </PanelBoundary>
      {!hidden.has('about') && (
        <PanelBoundary name={t('What the numbers mean, and what is ours')}>
          <AboutView />
        </PanelBoundary>
      )}
    </main>
  )
})
